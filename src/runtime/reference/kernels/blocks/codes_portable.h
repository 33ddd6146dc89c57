// 64 codes (16 rows by 4 elements) as an array, for any machine. Not inlined: the loops would be unrolled hundreds of times.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kBlockTileRows = 1;
constexpr bool kWideCodesAreSigned = false;

struct Codes {
  std::uint8_t v[64];
};
struct Sums {
  std::int32_t v[16];
};

HEDDLE_NOINLINE inline Codes loadCodes(const std::uint8_t* p) {
  Codes c;
  std::memcpy(c.v, p, sizeof c.v);
  return c;
}
HEDDLE_NOINLINE inline Codes lowNibbles(Codes c) {
  for (auto& v : c.v) v = static_cast<std::uint8_t>(v & 0x0f);
  return c;
}
HEDDLE_NOINLINE inline Codes highNibbles(Codes c) {
  for (auto& v : c.v) v = static_cast<std::uint8_t>(v >> 4);
  return c;
}
template <int Left>
HEDDLE_NOINLINE Codes withBits(Codes low, Codes bits, int mask) {
  for (std::size_t i = 0; i < sizeof low.v; ++i) {
    const int moved = Left > 0 ? bits.v[i] << (Left > 0 ? Left : 0) : bits.v[i] >> (Left < 0 ? -Left : 0);
    low.v[i] = static_cast<std::uint8_t>(low.v[i] | (moved & mask));
  }
  return low;
}
inline Sums broadcastSum(std::int32_t x) {
  Sums s;
  for (auto& v : s.v) v = x;
  return s;
}
template <bool Wide>
HEDDLE_NOINLINE Sums dot(Sums acc, const Codes& w, const std::int8_t* x) {
  for (std::size_t r = 0; r < 16; ++r) {
    for (std::size_t i = 0; i < 4; ++i) acc.v[r] += w.v[4 * r + i] * x[i];
  }
  return acc;
}
HEDDLE_NOINLINE inline void toFloat(const Sums& s, Vec* y) {
  for (std::size_t i = 0; i < 16; ++i) y[i / kWidth].v[i % kWidth] = static_cast<float>(s.v[i]);
}
HEDDLE_NOINLINE inline Sums multiplyAdd(const Sums& a, const Sums& b, Sums c) {
  for (std::size_t i = 0; i < 16; ++i) c.v[i] += a.v[i] * b.v[i];
  return c;
}
HEDDLE_NOINLINE inline Sums loadUnsigned(const std::uint8_t* p) {
  Sums s;
  for (std::size_t i = 0; i < 16; ++i) s.v[i] = p[i];
  return s;
}
HEDDLE_NOINLINE inline Sums loadSigned(const std::uint8_t* p) {
  Sums s;
  for (std::size_t i = 0; i < 16; ++i) s.v[i] = static_cast<std::int8_t>(p[i]);
  return s;
}

/// Integral values of -128 to 127.
HEDDLE_NOINLINE inline void storeBytes(Vec x, std::int8_t* p) {
  float lanes[kWidth];
  store(lanes, x);
  for (std::size_t i = 0; i < kWidth; ++i) p[i] = static_cast<std::int8_t>(lanes[i]);
}

}  // namespace heddle::HEDDLE_ISA
