// Vector of four floats in plain C++: the fallback of every machine, and the reading copy of the vector interface.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace heddle::HEDDLE_ISA {

constexpr Isa kIsa = Isa::PORTABLE;
constexpr std::size_t kWidth = 4;
constexpr std::size_t kTileVectors = 2;   // vectors per row of a GEMM tile: 6 x 2 accumulators fit 16 registers
constexpr std::size_t kIntWidth = 8;        // 16-bit integers of a vector
constexpr std::size_t kIntAccumulators = 4;  // of a fixed-point block
constexpr std::size_t kAccumulators = 8;  // of a dot-product block

struct Vec {
  float v[kWidth];
};
struct Mask {
  bool v[kWidth];
};

#define HEDDLE_LANES(expression)                                  \
  Vec r;                                                          \
  for (std::size_t i = 0; i < kWidth; ++i) r.v[i] = (expression); \
  return r

inline float widen(Half h) {
  // Scaling by 2^112 moves the half exponent to the float one and normalises subnormals; only infinity and NaN need a
  // test.
  const std::uint32_t magnitude = static_cast<std::uint32_t>(h.bits & 0x7fffU) << 13;
  float value;
  std::memcpy(&value, &magnitude, 4);
  value *= 0x1p112F;
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((h.bits & 0x7c00U) == 0x7c00U) bits |= 0x7f800000U;
  bits |= static_cast<std::uint32_t>(h.bits & 0x8000U) << 16;
  std::memcpy(&value, &bits, 4);
  return value;
}
/// Rounds to nearest even.
inline Half narrow(float f) {
  std::uint32_t bits;
  std::memcpy(&bits, &f, 4);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  bits &= 0x7fffffffU;
  if (bits > 0x7f800000U) return {static_cast<std::uint16_t>(sign | 0x7e00U)};
  if (bits >= 0x477ff000U) return {static_cast<std::uint16_t>(sign | 0x7c00U)};
  if (bits < 0x38800000U) {  // subnormal: adding 0.5 aligns the mantissa so that the float unit does the rounding
    float value;
    std::memcpy(&value, &bits, 4);
    value += 0.5F;
    std::memcpy(&bits, &value, 4);
    return {static_cast<std::uint16_t>(sign | (bits - 0x3f000000U))};
  }
  bits += 0xfffU + ((bits >> 13) & 1U);
  return {static_cast<std::uint16_t>(sign | ((bits - 0x38000000U) >> 13))};
}

inline Vec load(const float* p) { HEDDLE_LANES(p[i]); }
inline Vec load(const Half* p) { HEDDLE_LANES(widen(p[i])); }
inline Vec loadPart(const float* p, std::size_t n) { HEDDLE_LANES(i < n ? p[i] : 0.0F); }
inline Vec loadPart(const Half* p, std::size_t n) { HEDDLE_LANES(i < n ? widen(p[i]) : 0.0F); }
inline void store(float* p, Vec a) { std::memcpy(p, a.v, sizeof a.v); }
inline void storePart(float* p, Vec a, std::size_t n) { std::memcpy(p, a.v, n * sizeof(float)); }
inline void storeHalf(Half* p, Vec a) {
  for (std::size_t i = 0; i < kWidth; ++i) p[i] = narrow(a.v[i]);
}
inline Vec broadcast(float x) { HEDDLE_LANES(x); }
inline Vec operator+(Vec a, Vec b) { HEDDLE_LANES(a.v[i] + b.v[i]); }
inline Vec operator-(Vec a, Vec b) { HEDDLE_LANES(a.v[i] - b.v[i]); }
inline Vec operator*(Vec a, Vec b) { HEDDLE_LANES(a.v[i] * b.v[i]); }
inline Vec operator/(Vec a, Vec b) { HEDDLE_LANES(a.v[i] / b.v[i]); }
inline Vec fma(Vec a, Vec b, Vec c) { HEDDLE_LANES(a.v[i] * b.v[i] + c.v[i]); }
/// The second operand when either is NaN, as on x86.
inline Vec max(Vec a, Vec b) { HEDDLE_LANES(a.v[i] > b.v[i] ? a.v[i] : b.v[i]); }
inline Vec min(Vec a, Vec b) { HEDDLE_LANES(a.v[i] < b.v[i] ? a.v[i] : b.v[i]); }
inline Vec sqrt(Vec a) { HEDDLE_LANES(std::sqrt(a.v[i])); }
inline Vec abs(Vec a) { HEDDLE_LANES(std::fabs(a.v[i])); }
inline Vec round(Vec a) { HEDDLE_LANES(std::nearbyint(a.v[i])); }
inline Vec copySign(Vec magnitude, Vec sign) { HEDDLE_LANES(std::copysign(magnitude.v[i], sign.v[i])); }
/// a * 2^n for integral n in [-125, 128].
inline Vec scaleByPower(Vec a, Vec n) { HEDDLE_LANES(std::ldexp(a.v[i], static_cast<int>(n.v[i]))); }
inline Mask operator<(Vec a, Vec b) {
  Mask r;
  for (std::size_t i = 0; i < kWidth; ++i) r.v[i] = a.v[i] < b.v[i];
  return r;
}
inline Vec select(Mask m, Vec a, Vec b) { HEDDLE_LANES(m.v[i] ? a.v[i] : b.v[i]); }
inline float sum(Vec a) { return (a.v[0] + a.v[1]) + (a.v[2] + a.v[3]); }
inline float maximum(Vec a) {
  const float low = a.v[0] > a.v[1] ? a.v[0] : a.v[1];
  const float high = a.v[2] > a.v[3] ? a.v[2] : a.v[3];
  return low > high ? low : high;
}
HEDDLE_INLINE void keepInRegister(Vec&) {}
HEDDLE_INLINE void prefetch(const void*) {}

/// Transposes kWidth vectors of kWidth lanes in place.
inline void transpose(Vec* rows) {
  for (std::size_t i = 0; i < kWidth; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const float t = rows[i].v[j];
      rows[i].v[j] = rows[j].v[i];
      rows[j].v[i] = t;
    }
  }
}
#undef HEDDLE_LANES

/// Eight 16-bit integers, or four 32-bit sums of their products.
struct IntVec {
  std::int32_t v[8];
};
inline IntVec zeroInt() { return {}; }
template <class Q>
inline IntVec loadInt(const Q* p) {
  IntVec r;
  for (std::size_t i = 0; i < 8; ++i) r.v[i] = p[i];
  return r;
}
inline IntVec multiplyAddPairs(IntVec a, IntVec b, IntVec c) {
  for (std::size_t i = 0; i < 8; ++i) c.v[i] += a.v[i] * b.v[i];
  return c;
}
inline IntVec splatInt(std::int16_t x) {
  IntVec r;
  for (std::int32_t& v : r.v) v = x;
  return r;
}
inline IntVec multiplyInt(IntVec a, IntVec b) {
  for (std::size_t i = 0; i < 8; ++i) a.v[i] *= b.v[i];
  return a;
}
inline std::int64_t sumInt(IntVec a) {
  std::int64_t total = 0;
  for (const std::int32_t v : a.v) total += v;
  return total;
}

}  // namespace heddle::HEDDLE_ISA
