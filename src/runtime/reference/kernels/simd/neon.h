// Vector of four floats: Advanced SIMD of 64-bit Arm, which every AArch64 machine has (half conversion included).
#pragma once

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

namespace heddle::HEDDLE_ISA {

constexpr Isa kIsa = Isa::NEON;
constexpr std::size_t kWidth = 4;
constexpr std::size_t kTileVectors = 4;
constexpr std::size_t kIntWidth = 8;         // 16-bit integers of a vector
constexpr std::size_t kIntAccumulators = 16;  // of a fixed-point block
constexpr std::size_t kAccumulators = 16;

struct Vec {
  float32x4_t v;
};
struct Mask {
  uint32x4_t v;
};

inline Vec load(const float* p) { return {vld1q_f32(p)}; }
inline Vec load(const Half* p) {
  return {vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const std::uint16_t*>(p))))};
}
inline Vec loadPart(const float* p, std::size_t n) {
  float lanes[kWidth] = {};
  std::memcpy(lanes, p, n * sizeof(float));
  return load(lanes);
}
inline Vec loadPart(const Half* p, std::size_t n) {
  Half lanes[kWidth] = {};
  std::memcpy(lanes, p, n * sizeof(Half));
  return load(lanes);
}
inline void store(float* p, Vec a) { vst1q_f32(p, a.v); }
inline void storePart(float* p, Vec a, std::size_t n) {
  float lanes[kWidth];
  store(lanes, a);
  std::memcpy(p, lanes, n * sizeof(float));
}
inline void storeHalf(Half* p, Vec a) {
  vst1_u16(reinterpret_cast<std::uint16_t*>(p), vreinterpret_u16_f16(vcvt_f16_f32(a.v)));
}
inline Vec broadcast(float x) { return {vdupq_n_f32(x)}; }
inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
inline Vec min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
inline Vec sqrt(Vec a) { return {vsqrtq_f32(a.v)}; }
inline Vec abs(Vec a) { return {vabsq_f32(a.v)}; }
inline Vec round(Vec a) { return {vrndnq_f32(a.v)}; }
inline Vec copySign(Vec magnitude, Vec sign) { return {vbslq_f32(vdupq_n_u32(0x80000000U), sign.v, magnitude.v)}; }
inline Vec scaleByPower(Vec a, Vec n) {
  // 2^128 has no float: multiply by 2^(n-1), then by 2, so that large results overflow to infinity by themselves.
  const int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n.v), vdupq_n_s32(126));
  const float32x4_t power = vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23));
  return {vmulq_n_f32(vmulq_f32(a.v, power), 2.0F)};
}
inline Mask operator<(Vec a, Vec b) { return {vcltq_f32(a.v, b.v)}; }
inline Vec select(Mask m, Vec a, Vec b) { return {vbslq_f32(m.v, a.v, b.v)}; }
inline float sum(Vec a) { return vaddvq_f32(a.v); }
inline float maximum(Vec a) { return vmaxvq_f32(a.v); }
HEDDLE_INLINE void keepInRegister(Vec&) {}
HEDDLE_INLINE void prefetch(const void* p) {
#if defined(_MSC_VER)
  __prefetch(p);
#else
  __builtin_prefetch(p);
#endif
}

inline void transpose(Vec* r) {
  const float32x4_t a = vzip1q_f32(r[0].v, r[2].v), b = vzip2q_f32(r[0].v, r[2].v);
  const float32x4_t c = vzip1q_f32(r[1].v, r[3].v), d = vzip2q_f32(r[1].v, r[3].v);
  r[0].v = vzip1q_f32(a, c);
  r[1].v = vzip2q_f32(a, c);
  r[2].v = vzip1q_f32(b, d);
  r[3].v = vzip2q_f32(b, d);
}

/// Eight 16-bit integers, or four 32-bit sums of their products.
struct IntVec {
  union {
    int16x8_t v;
    int32x4_t sums;
  };
};
inline IntVec zeroInt() {
  IntVec r;
  r.sums = vdupq_n_s32(0);
  return r;
}
inline IntVec loadInt(const std::int16_t* p) {
  IntVec r;
  r.v = vld1q_s16(p);
  return r;
}
inline IntVec loadInt(const std::int8_t* p) {
  IntVec r;
  r.v = vmovl_s8(vld1_s8(p));
  return r;
}
inline IntVec multiplyAddPairs(IntVec a, IntVec b, IntVec c) {
  IntVec r;
  r.sums = vmlal_high_s16(vmlal_s16(c.sums, vget_low_s16(a.v), vget_low_s16(b.v)), a.v, b.v);
  return r;
}
inline IntVec splatInt(std::int16_t x) {
  IntVec r;
  r.v = vdupq_n_s16(x);
  return r;
}
inline IntVec multiplyInt(IntVec a, IntVec b) {
  IntVec r;
  r.v = vmulq_s16(a.v, b.v);
  return r;
}
inline std::int64_t sumInt(IntVec a) { return vaddlvq_s32(a.sums); }

}  // namespace heddle::HEDDLE_ISA
