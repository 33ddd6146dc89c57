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
HEDDLE_INLINE Sums loadSums(const std::uint8_t* p) {
  const Codes c = loadCodes(p);
  return {{c.v[0], c.v[1]}};
}
HEDDLE_INLINE void storeSums(std::uint8_t* p, Sums s) { storeCodes(p, {{s.v[0], s.v[1]}}); }
/// Two integers of 16 bits per lane: bytes of two groups, the first below.
HEDDLE_INLINE Sums unsignedPair(const std::uint8_t* low, const std::uint8_t* high) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high));
  return {{_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b)), _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b))}};
}
HEDDLE_INLINE Sums signedPair(const std::uint8_t* low, const std::uint8_t* high) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high));
  return {{_mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b)), _mm256_cvtepi8_epi16(_mm_unpackhi_epi8(a, b))}};
}
/// Both halves times what keeps them within 16 bits.
HEDDLE_INLINE Sums timesPair(Sums pair, int factor) {
  for (auto& v : pair.v) v = _mm256_mullo_epi16(v, _mm256_set1_epi16(static_cast<std::int16_t>(factor)));
  return pair;
}
HEDDLE_INLINE Sums addPair(Sums acc, Sums pair, std::int32_t two) {
  const __m256i both = _mm256_set1_epi32(two);
  for (int i = 0; i < 2; ++i) acc.v[i] = _mm256_add_epi32(acc.v[i], _mm256_madd_epi16(pair.v[i], both));
  return acc;
}
/// A factor as addFactored wants it: acc + factor dot(w, x), for codes of up to 6 bits, whose products fit 16 bits in pairs.
HEDDLE_INLINE Sums unsignedFactor(const std::uint8_t* p) { return unsignedPair(p, p); }
HEDDLE_INLINE Sums signedFactor(const std::uint8_t* p) { return signedPair(p, p); }
HEDDLE_INLINE Sums addFactored(Sums acc, Codes w, const std::int8_t* x, Sums factor) {
  std::int32_t four;
  std::memcpy(&four, x, 4);
  const __m256i xs = _mm256_set1_epi32(four);
  for (int i = 0; i < 2; ++i) {
    acc.v[i] = _mm256_add_epi32(acc.v[i], _mm256_madd_epi16(_mm256_maddubs_epi16(w.v[i], xs), factor.v[i]));
  }
  return acc;
}
/// Dot products of eight words with codes of up to 4 bits, which 16 bits hold in pairs.
struct Run {
  __m256i v[2];
};
HEDDLE_INLINE Run zeroRun() { return {{_mm256_setzero_si256(), _mm256_setzero_si256()}}; }
HEDDLE_INLINE Run addToRun(Run run, Codes w, const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, 4);
  const __m256i xs = _mm256_set1_epi32(four);
  for (int i = 0; i < 2; ++i) run.v[i] = _mm256_add_epi16(run.v[i], _mm256_maddubs_epi16(w.v[i], xs));
  return run;
}
HEDDLE_INLINE Sums unsignedRunFactor(const std::uint8_t* p) { return unsignedFactor(p); }
HEDDLE_INLINE Sums addRun(Sums acc, Run run, Sums factor) {
  for (int i = 0; i < 2; ++i) acc.v[i] = _mm256_add_epi32(acc.v[i], _mm256_madd_epi16(run.v[i], factor.v[i]));
  return acc;
}
HEDDLE_INLINE Sums addRun(Sums acc, Run run) {
  const __m256i one = _mm256_set1_epi16(1);
  return addRun(acc, run, {{one, one}});
}

/// Integral values of -128 to 127.
HEDDLE_INLINE void storeBytes(Vec x, std::int8_t* p) {
  const __m256i words = _mm256_cvtps_epi32(x.v);
  const __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(halves, halves));
}

}  // namespace heddle::HEDDLE_ISA
