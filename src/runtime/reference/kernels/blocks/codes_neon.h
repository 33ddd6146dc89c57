// 64 codes (16 rows by 4 elements) in four vectors. HEDDLE_DOTPROD: with the dot product instructions of Armv8.2;
// without, byte products are widened and added in pairs twice.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kBlockTileRows = 4;
/// Vectors of sums that a product of many rows keeps in registers.
constexpr std::size_t kBlockSums = 16;
/// The instructions multiply signed by signed.
constexpr bool kWideCodesAreSigned = true;

struct Codes {
  uint8x16_t v[4];
};
struct Sums {
  int32x4_t v[4];
};

HEDDLE_INLINE Codes loadCodes(const std::uint8_t* p) {
  return {{vld1q_u8(p), vld1q_u8(p + 16), vld1q_u8(p + 32), vld1q_u8(p + 48)}};
}
HEDDLE_INLINE void storeCodes(std::uint8_t* p, Codes c) {
  for (int i = 0; i < 4; ++i) vst1q_u8(p + i * 16, c.v[i]);
}
HEDDLE_INLINE Codes lowNibbles(Codes c) {
  for (auto& v : c.v) v = vandq_u8(v, vdupq_n_u8(0x0f));
  return c;
}
HEDDLE_INLINE Codes highNibbles(Codes c) {
  for (auto& v : c.v) v = vshrq_n_u8(v, 4);
  return c;
}
template <int Left>
HEDDLE_INLINE Codes withBits(Codes low, Codes bits, int mask) {
  for (int i = 0; i < 4; ++i) {
    const uint8x16_t moved = vshlq_u8(bits.v[i], vdupq_n_s8(Left));
    low.v[i] = vorrq_u8(low.v[i], vandq_u8(moved, vdupq_n_u8(static_cast<std::uint8_t>(mask))));
  }
  return low;
}
HEDDLE_INLINE Sums broadcastSum(std::int32_t x) {
  const int32x4_t s = vdupq_n_s32(x);
  return {{s, s, s, s}};
}
template <bool Wide>
HEDDLE_INLINE Sums dot(Sums acc, Codes w, const std::int8_t* x) {
  std::int32_t four;
  std::memcpy(&four, x, 4);
  const int8x16_t xs = vreinterpretq_s8_s32(vdupq_n_s32(four));
  for (int i = 0; i < 4; ++i) {
    const int8x16_t s = vreinterpretq_s8_u8(Wide ? veorq_u8(w.v[i], vdupq_n_u8(0x80)) : w.v[i]);
#if defined(HEDDLE_DOTPROD)
    acc.v[i] = vdotq_s32(acc.v[i], s, xs);
#else
    const int16x8_t low = vmull_s8(vget_low_s8(s), vget_low_s8(xs)), high = vmull_high_s8(s, xs);
    acc.v[i] = vaddq_s32(acc.v[i], vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
#endif
  }
  return acc;
}
HEDDLE_INLINE void toFloat(Sums s, Vec* y) {
  for (int i = 0; i < 4; ++i) y[i] = {vcvtq_f32_s32(s.v[i])};
}
HEDDLE_INLINE Sums multiplyAdd(Sums a, Sums b, Sums c) {
  for (int i = 0; i < 4; ++i) c.v[i] = vmlaq_s32(c.v[i], a.v[i], b.v[i]);
  return c;
}
HEDDLE_INLINE Sums loadSums(const std::uint8_t* p) {
  const Codes c = loadCodes(p);
  Sums s;
  for (int i = 0; i < 4; ++i) s.v[i] = vreinterpretq_s32_u8(c.v[i]);
  return s;
}
HEDDLE_INLINE void storeSums(std::uint8_t* p, Sums s) {
  for (int i = 0; i < 4; ++i) vst1q_u8(p + i * 16, vreinterpretq_u8_s32(s.v[i]));
}
HEDDLE_INLINE Sums widened(int16x8_t low, int16x8_t high) {
  return {{vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)), vmovl_high_s16(high)}};
}
HEDDLE_INLINE Sums loadUnsigned(const std::uint8_t* p) {
  const uint8x16_t bytes = vld1q_u8(p);
  return widened(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes))), vreinterpretq_s16_u16(vmovl_high_u8(bytes)));
}
HEDDLE_INLINE Sums loadSigned(const std::uint8_t* p) {
  const int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(p));
  return widened(vmovl_s8(vget_low_s8(bytes)), vmovl_high_s8(bytes));
}
HEDDLE_INLINE Sums pairOf(Sums low, Sums high) {
  for (int i = 0; i < 4; ++i) low.v[i] = vsliq_n_s32(low.v[i], high.v[i], 16);
  return low;
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
  for (auto& v : pair.v) v = vreinterpretq_s32_s16(vmulq_n_s16(vreinterpretq_s16_s32(v), static_cast<std::int16_t>(factor)));
  return pair;
}
HEDDLE_INLINE Sums addPair(Sums acc, Sums pair, std::int32_t two) {
  const int16x8_t both = vreinterpretq_s16_s32(vdupq_n_s32(two));
  for (int i = 0; i < 4; ++i) {
    const int16x8_t p = vreinterpretq_s16_s32(pair.v[i]);
    const int32x4_t low = vmull_s16(vget_low_s16(p), vget_low_s16(both)), high = vmull_high_s16(p, both);
    acc.v[i] = vaddq_s32(acc.v[i], vpaddq_s32(low, high));
  }
  return acc;
}
/// A factor as addFactored wants it: acc + factor dot(w, x), for codes of up to 6 bits.
HEDDLE_INLINE Sums unsignedFactor(const std::uint8_t* p) { return loadUnsigned(p); }
HEDDLE_INLINE Sums signedFactor(const std::uint8_t* p) { return loadSigned(p); }
HEDDLE_INLINE Sums addFactored(Sums acc, Codes w, const std::int8_t* x, Sums factor) {
  return multiplyAdd(dot<false>(broadcastSum(0), w, x), factor, acc);
}
/// Dot products of the words of a group.
using Run = Sums;
HEDDLE_INLINE Run zeroRun() { return broadcastSum(0); }
HEDDLE_INLINE Run addToRun(Run run, Codes w, const std::int8_t* x) { return dot<false>(run, w, x); }
HEDDLE_INLINE Sums unsignedRunFactor(const std::uint8_t* p) { return loadUnsigned(p); }
HEDDLE_INLINE Sums addRun(Sums acc, Run run, Sums factor) { return multiplyAdd(run, factor, acc); }
HEDDLE_INLINE Sums addRun(Sums acc, Run run) {
  for (int i = 0; i < 4; ++i) acc.v[i] = vaddq_s32(acc.v[i], run.v[i]);
  return acc;
}

/// Integral values of -128 to 127.
HEDDLE_INLINE void storeBytes(Vec x, std::int8_t* p) {
  float lanes[kWidth];
  store(lanes, x);
  for (std::size_t i = 0; i < kWidth; ++i) p[i] = static_cast<std::int8_t>(lanes[i]);
}

}  // namespace heddle::HEDDLE_ISA
