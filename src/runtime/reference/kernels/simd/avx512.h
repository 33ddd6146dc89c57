// Vector of sixteen floats: AVX-512 F, BW, DQ and VL.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace heddle::HEDDLE_ISA {

constexpr Isa kIsa = Isa::AVX512;
constexpr std::size_t kWidth = 16;
constexpr std::size_t kTileVectors = 4;
constexpr std::size_t kIntWidth = 32;        // 16-bit integers of a vector
constexpr std::size_t kIntAccumulators = 16;  // of a fixed-point block
constexpr std::size_t kAccumulators = 16;

struct Vec {
  __m512 v;
};
struct Mask {
  __mmask16 v;
};

inline __mmask16 firstLanes(std::size_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline Vec load(const Half* p) { return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))}; }
inline Vec loadPart(const float* p, std::size_t n) { return {_mm512_maskz_loadu_ps(firstLanes(n), p)}; }
inline Vec loadPart(const Half* p, std::size_t n) {
  return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(firstLanes(n), p))};
}
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline void storePart(float* p, Vec a, std::size_t n) { _mm512_mask_storeu_ps(p, firstLanes(n), a.v); }
inline void storeHalf(Half* p, Vec a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}
inline Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.v)}; }
inline Vec abs(Vec a) { return {_mm512_abs_ps(a.v)}; }
inline Vec round(Vec a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Vec copySign(Vec magnitude, Vec sign) {
  const __m512 bit = _mm512_set1_ps(-0.0F);
  return {_mm512_or_ps(_mm512_andnot_ps(bit, magnitude.v), _mm512_and_ps(bit, sign.v))};
}
inline Vec scaleByPower(Vec a, Vec n) { return {_mm512_scalef_ps(a.v, n.v)}; }
inline Mask operator<(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline Vec select(Mask m, Vec a, Vec b) { return {_mm512_mask_blend_ps(m.v, b.v, a.v)}; }
inline float sum(Vec a) { return _mm512_reduce_add_ps(a.v); }
inline float maximum(Vec a) { return _mm512_reduce_max_ps(a.v); }
/// Keeps the compiler from loading the value again from memory for every use: loads are what the dot products run out
/// of.
HEDDLE_INLINE void keepInRegister([[maybe_unused]] Vec& a) {
#if defined(__GNUC__)
  asm("" : "+v"(a.v));
#endif
}
/// Always inlined: GCC takes a function that only prefetches for one without effect and drops calls to it.
HEDDLE_INLINE void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

inline void transpose(Vec* r) {
  __m512 t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
    t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i].v = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1].v = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2].v = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3].v = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {  // 4x4 blocks of 128-bit lanes
    t[i] = _mm512_shuffle_f32x4(r[i].v, r[i + 4].v, 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i].v, r[i + 4].v, 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8].v, r[i + 12].v, 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8].v, r[i + 12].v, 0xdd);
  }
  for (int i = 0; i < 8; ++i) {
    r[i].v = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8].v = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
  }
}

/// Thirty-two 16-bit integers, or sixteen 32-bit sums of their products.
struct IntVec {
  __m512i v;
};
inline IntVec zeroInt() { return {_mm512_setzero_si512()}; }
inline IntVec loadInt(const std::int16_t* p) { return {_mm512_loadu_si512(p)}; }
inline IntVec loadInt(const std::int8_t* p) {
  return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline IntVec multiplyAddPairs(IntVec a, IntVec b, IntVec c) {
  return {_mm512_add_epi32(c.v, _mm512_madd_epi16(a.v, b.v))};
}
inline IntVec splatInt(std::int16_t x) { return {_mm512_set1_epi16(x)}; }
inline IntVec multiplyInt(IntVec a, IntVec b) { return {_mm512_mullo_epi16(a.v, b.v)}; }
inline std::int64_t sumInt(IntVec a) {
  const __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(a.v));
  const __m512i high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(a.v, 1));
  return _mm512_reduce_add_epi64(_mm512_add_epi64(low, high));
}

}  // namespace heddle::HEDDLE_ISA
