// Vector of eight floats: AVX2 with FMA and F16C.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace heddle::HEDDLE_ISA {

constexpr Isa kIsa = Isa::AVX2;
constexpr std::size_t kWidth = 8;
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kIntWidth = 16;       // 16-bit integers of a vector
constexpr std::size_t kIntAccumulators = 8;  // of a fixed-point block
constexpr std::size_t kAccumulators = 8;

struct Vec {
  __m256 v;
};
struct Mask {
  __m256 v;
};

inline __m256i firstLanes(std::size_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane);
}
inline Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline Vec load(const Half* p) { return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))}; }
inline Vec loadPart(const float* p, std::size_t n) { return {_mm256_maskload_ps(p, firstLanes(n))}; }
inline Vec loadPart(const Half* p, std::size_t n) {
  Half lanes[kWidth] = {};
  std::memcpy(lanes, p, n * sizeof(Half));
  return load(lanes);
}
inline void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
inline void storePart(float* p, Vec a, std::size_t n) { _mm256_maskstore_ps(p, firstLanes(n), a.v); }
inline void storeHalf(Half* p, Vec a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}
inline Vec broadcast(float x) { return {_mm256_set1_ps(x)}; }
inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
inline Vec abs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0F), a.v)}; }
inline Vec round(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Vec copySign(Vec magnitude, Vec sign) {
  const __m256 bit = _mm256_set1_ps(-0.0F);
  return {_mm256_or_ps(_mm256_andnot_ps(bit, magnitude.v), _mm256_and_ps(bit, sign.v))};
}
inline Vec scaleByPower(Vec a, Vec n) {
  // 2^128 has no float: multiply by 2^(n-1), then by 2, so that large results overflow to infinity by themselves.
  const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(126));
  const __m256 power = _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
  return {_mm256_mul_ps(_mm256_mul_ps(a.v, power), _mm256_set1_ps(2.0F))};
}
inline Mask operator<(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline Vec select(Mask m, Vec a, Vec b) { return {_mm256_blendv_ps(b.v, a.v, m.v)}; }
inline float sum(Vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float maximum(Vec a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
/// Keeps the compiler from loading the value again from memory for every use: loads are what the dot products run out
/// of.
HEDDLE_INLINE void keepInRegister([[maybe_unused]] Vec& a) {
#if defined(__GNUC__)
  asm("" : "+x"(a.v));
#endif
}
HEDDLE_INLINE void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

inline void transpose(Vec* r) {
  __m256 t[8], u[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm256_unpackhi_ps(r[i].v, r[i + 1].v);
  }
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    r[i].v = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    r[i + 4].v = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}

/// Sixteen 16-bit integers, or eight 32-bit sums of their products.
struct IntVec {
  __m256i v;
};
inline IntVec zeroInt() { return {_mm256_setzero_si256()}; }
inline IntVec loadInt(const std::int16_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
inline IntVec loadInt(const std::int8_t* p) {
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline IntVec multiplyAddPairs(IntVec a, IntVec b, IntVec c) {
  return {_mm256_add_epi32(c.v, _mm256_madd_epi16(a.v, b.v))};
}
inline IntVec splatInt(std::int16_t x) { return {_mm256_set1_epi16(x)}; }
inline IntVec multiplyInt(IntVec a, IntVec b) { return {_mm256_mullo_epi16(a.v, b.v)}; }
inline std::int64_t sumInt(IntVec a) {
  const __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(a.v));
  const __m256i high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(a.v, 1));
  const __m256i four = _mm256_add_epi64(low, high);
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
  return _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
}

}  // namespace heddle::HEDDLE_ISA
