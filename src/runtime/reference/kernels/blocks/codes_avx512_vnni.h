// 64 codes (16 rows by 4 elements) in a vector; dot products of unsigned codes with signed activations by VNNI.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kBlockTileRows = 4;
/// Vectors of sums that a product of many rows keeps in registers.
constexpr std::size_t kBlockSums = 16;
/// Codes of 128 and more stay unsigned, so their zero point goes into the sums.
constexpr bool kWideCodesAreSigned = false;

struct Codes {
  __m512i v;
};
struct Sums {
  __m512i v;
};

HEDDLE_INLINE Codes loadCodes(const std::uint8_t* p) { return {_mm512_loadu_si512(p)}; }
HEDDLE_INLINE void storeCodes(std::uint8_t* p, Codes c) { _mm512_storeu_si512(p, c.v); }
HEDDLE_INLINE Codes lowNibbles(Codes c) { return {_mm512_and_si512(c.v, _mm512_set1_epi8(0x0f))}; }
HEDDLE_INLINE Codes highNibbles(Codes c) { return lowNibbles({_mm512_srli_epi16(c.v, 4)}); }
/// low | (bits << Left & mask), or >> -Left; the shift may cross bytes where the mask removes what crossed.
template <int Left>
HEDDLE_INLINE Codes withBits(Codes low, Codes bits, int mask) {
  const __m512i moved = Left > 0   ? _mm512_slli_epi16(bits.v, Left > 0 ? Left : 0)
                        : Left < 0 ? _mm512_srli_epi16(bits.v, Left < 0 ? -Left : 0)
                                   : bits.v;
  return {_mm512_ternarylogic_epi32(low.v, moved, _mm512_set1_epi8(static_cast<char>(mask)), 0xf8)};
}
HEDDLE_INLINE Sums broadcastSum(std::int32_t x) { return {_mm512_set1_epi32(x)}; }
template <bool Wide>
HEDDLE_INLINE Sums dot(Sums acc, Codes w, const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, 4);
  return {_mm512_dpbusd_epi32(acc.v, w.v, _mm512_set1_epi32(four))};
}
HEDDLE_INLINE void toFloat(Sums s, Vec* y) { y[0] = {_mm512_cvtepi32_ps(s.v)}; }
HEDDLE_INLINE Sums multiplyAdd(Sums a, Sums b, Sums c) {
  return {_mm512_add_epi32(c.v, _mm512_mullo_epi32(a.v, b.v))};
}
HEDDLE_INLINE Sums loadSums(const std::uint8_t* p) { return {_mm512_loadu_si512(p)}; }
HEDDLE_INLINE void storeSums(std::uint8_t* p, Sums s) { _mm512_storeu_si512(p, s.v); }
HEDDLE_INLINE Sums loadUnsigned(const std::uint8_t* p) {
  return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
HEDDLE_INLINE Sums loadSigned(const std::uint8_t* p) {
  return {_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
HEDDLE_INLINE Sums pairOf(Sums low, Sums high) {
  return {_mm512_mask_blend_epi16(0xaaaaaaaa, low.v, _mm512_slli_epi32(high.v, 16))};
}
/// Two integers of 16 bits per lane: bytes of two groups, the first below.
HEDDLE_INLINE Sums unsignedPair(const std::uint8_t* low, const std::uint8_t* high) {
  return pairOf(loadUnsigned(low), loadUnsigned(high));
}
HEDDLE_INLINE Sums signedPair(const std::uint8_t* low, const std::uint8_t* high) {
  return pairOf(loadSigned(low), loadSigned(high));
}
/// Both halves times what keeps them within 16 bits.
HEDDLE_INLINE Sums timesPair(Sums pair, int factor) {
  return {_mm512_mullo_epi16(pair.v, _mm512_set1_epi16(static_cast<std::int16_t>(factor)))};
}
HEDDLE_INLINE Sums addPair(Sums acc, Sums pair, std::int32_t two) {
  return {_mm512_dpwssd_epi32(acc.v, pair.v, _mm512_set1_epi32(two))};
}
/// A factor as addFactored wants it: acc + factor dot(w, x), for codes of up to 6 bits, whose products fit 16 bits in pairs.
HEDDLE_INLINE Sums unsignedFactor(const std::uint8_t* p) { return unsignedPair(p, p); }
HEDDLE_INLINE Sums signedFactor(const std::uint8_t* p) { return signedPair(p, p); }
HEDDLE_INLINE Sums addFactored(Sums acc, Codes w, const std::int8_t* x, Sums factor) {
  std::int32_t four;
  std::memcpy(&four, x, 4);
  return {_mm512_dpwssd_epi32(acc.v, _mm512_maddubs_epi16(w.v, _mm512_set1_epi32(four)), factor.v)};
}
/// Dot products of the words of a group.
using Run = Sums;
HEDDLE_INLINE Run zeroRun() { return broadcastSum(0); }
HEDDLE_INLINE Run addToRun(Run run, Codes w, const std::int8_t* x) { return dot<false>(run, w, x); }
HEDDLE_INLINE Sums unsignedRunFactor(const std::uint8_t* p) { return loadUnsigned(p); }
HEDDLE_INLINE Sums addRun(Sums acc, Run run, Sums factor) { return multiplyAdd(run, factor, acc); }
HEDDLE_INLINE Sums addRun(Sums acc, Run run) { return {_mm512_add_epi32(acc.v, run.v)}; }

/// Integral values of -128 to 127.
HEDDLE_INLINE void storeBytes(Vec x, std::int8_t* p) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x.v)));
}

}  // namespace heddle::HEDDLE_ISA
