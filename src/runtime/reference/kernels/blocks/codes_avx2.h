// 64 codes (16 rows by 4 elements) in two vectors. Products of bytes are summed in pairs to 16 bits, which codes of up
// to 6 bits never overflow; wider ones are made signed and the sign moved to the activation, as in ggml.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kBlockTileRows = 4;
/// Vectors of sums that a product of many rows keeps in registers.
constexpr std::size_t kBlockSums = 8;
constexpr bool kWideCodesAreSigned = true;

struct Codes {
  __m256i v[2];
};
struct Sums {
  __m256i v[2];
};

HEDDLE_INLINE Codes loadCodes(const std::uint8_t* p) {
  const auto* at = reinterpret_cast<const __m256i*>(p);
  return {{_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)}};
}
HEDDLE_INLINE void storeCodes(std::uint8_t* p, Codes c) {
  auto* at = reinterpret_cast<__m256i*>(p);
  _mm256_storeu_si256(at, c.v[0]);
  _mm256_storeu_si256(at + 1, c.v[1]);
}
HEDDLE_INLINE Codes lowNibbles(Codes c) {
  const __m256i mask = _mm256_set1_epi8(0x0f);
  return {{_mm256_and_si256(c.v[0], mask), _mm256_and_si256(c.v[1], mask)}};
}
HEDDLE_INLINE Codes highNibbles(Codes c) {
  return lowNibbles({{_mm256_srli_epi16(c.v[0], 4), _mm256_srli_epi16(c.v[1], 4)}});
}
template <int Left>
HEDDLE_INLINE __m256i moved(__m256i x) {
  return Left > 0   ? _mm256_slli_epi16(x, Left > 0 ? Left : 0)
         : Left < 0 ? _mm256_srli_epi16(x, Left < 0 ? -Left : 0)
                    : x;
}
template <int Left>
HEDDLE_INLINE Codes withBits(Codes low, Codes bits, int mask) {
  const __m256i m = _mm256_set1_epi8(static_cast<char>(mask));
  return {{_mm256_or_si256(low.v[0], _mm256_and_si256(moved<Left>(bits.v[0]), m)),
           _mm256_or_si256(low.v[1], _mm256_and_si256(moved<Left>(bits.v[1]), m))}};
}
HEDDLE_INLINE Sums broadcastSum(std::int32_t x) { return {{_mm256_set1_epi32(x), _mm256_set1_epi32(x)}}; }
template <bool Wide>
HEDDLE_INLINE Sums dot(Sums acc, Codes w, const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, 4);
  const __m256i xs = _mm256_set1_epi32(four), ones = _mm256_set1_epi16(1), bias = _mm256_set1_epi8(-128);
  Sums r;
  for (int i = 0; i < 2; ++i) {
    __m256i pairs;
    if constexpr (Wide) {
      const __m256i s = _mm256_xor_si256(w.v[i], bias);
      pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(s), _mm256_sign_epi8(xs, s));
    } else {
      pairs = _mm256_maddubs_epi16(w.v[i], xs);
    }
    r.v[i] = _mm256_add_epi32(acc.v[i], _mm256_madd_epi16(pairs, ones));
  }
  return r;
}
HEDDLE_INLINE void toFloat(Sums s, Vec* y) {
  y[0] = {_mm256_cvtepi32_ps(s.v[0])};
  y[1] = {_mm256_cvtepi32_ps(s.v[1])};
}
HEDDLE_INLINE Sums multiplyAdd(Sums a, Sums b, Sums c) {
  for (int i = 0; i < 2; ++i) c.v[i] = _mm256_add_epi32(c.v[i], _mm256_mullo_epi32(a.v[i], b.v[i]));
  return c;
}
HEDDLE_INLINE Sums loadSums(const std::uint8_t* p) {
  const Codes c = loadCodes(p);
  return {{c.v[0], c.v[1]}};
}
HEDDLE_INLINE void storeSums(std::uint8_t* p, Sums s) { storeCodes(p, {{s.v[0], s.v[1]}}); }
/// Two integers of 16 bits per lane.
HEDDLE_INLINE Sums pairOf(Sums low, Sums high) {
  for (int i = 0; i < 2; ++i) low.v[i] = _mm256_blend_epi16(low.v[i], _mm256_slli_epi32(high.v[i], 16), 0xaa);
  return low;
}
HEDDLE_INLINE Sums addPair(Sums acc, Sums pair, std::int32_t two) {
  const __m256i both = _mm256_set1_epi32(two);
  for (int i = 0; i < 2; ++i) acc.v[i] = _mm256_add_epi32(acc.v[i], _mm256_madd_epi16(pair.v[i], both));
  return acc;
}
/// A factor as addFactored wants it: acc + factor dot(w, x), for codes of up to 6 bits, whose products fit 16 bits in pairs.
HEDDLE_INLINE Sums factorOf(Sums s) { return pairOf(s, s); }
HEDDLE_INLINE Sums addFactored(Sums acc, Codes w, const std::int8_t* x, Sums factor) {
  std::int32_t four;
  std::memcpy(&four, x, 4);
  const __m256i xs = _mm256_set1_epi32(four);
  for (int i = 0; i < 2; ++i) {
    acc.v[i] = _mm256_add_epi32(acc.v[i], _mm256_madd_epi16(_mm256_maddubs_epi16(w.v[i], xs), factor.v[i]));
  }
  return acc;
}
HEDDLE_INLINE Sums loadUnsigned(const std::uint8_t* p) {
  const auto* at = reinterpret_cast<const __m128i*>(p);
  return {{_mm256_cvtepu8_epi32(_mm_loadl_epi64(at)), _mm256_cvtepu8_epi32(_mm_srli_si128(_mm_loadu_si128(at), 8))}};
}
HEDDLE_INLINE Sums loadSigned(const std::uint8_t* p) {
  const auto* at = reinterpret_cast<const __m128i*>(p);
  return {{_mm256_cvtepi8_epi32(_mm_loadl_epi64(at)), _mm256_cvtepi8_epi32(_mm_srli_si128(_mm_loadu_si128(at), 8))}};
}

/// Integral values of -128 to 127.
HEDDLE_INLINE void storeBytes(Vec x, std::int8_t* p) {
  const __m256i words = _mm256_cvtps_epi32(x.v);
  const __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(halves, halves));
}

}  // namespace heddle::HEDDLE_ISA
