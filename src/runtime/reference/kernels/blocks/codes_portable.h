// 64 codes (16 rows by 4 elements) as an array, for any machine. Not inlined: the loops would be unrolled hundreds of times.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kBlockTileRows = 4;
/// Vectors of sums that a product of many rows keeps at once: one chain of each row.
constexpr std::size_t kBlockSums = 1;
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
HEDDLE_NOINLINE inline void storeCodes(std::uint8_t* p, const Codes& c) { std::memcpy(p, c.v, sizeof c.v); }
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
HEDDLE_NOINLINE inline Sums loadSums(const std::uint8_t* p) {
  Sums s;
  std::memcpy(s.v, p, sizeof s.v);
  return s;
}
HEDDLE_NOINLINE inline void storeSums(std::uint8_t* p, const Sums& s) { std::memcpy(p, s.v, sizeof s.v); }
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
HEDDLE_NOINLINE inline Sums pairOf(Sums low, const Sums& high) {
  for (std::size_t i = 0; i < 16; ++i) low.v[i] = (low.v[i] & 0xffff) | high.v[i] * 0x10000;
  return low;
}
/// Two integers of 16 bits per lane: bytes of two groups, the first below.
inline Sums unsignedPair(const std::uint8_t* low, const std::uint8_t* high) {
  return pairOf(loadUnsigned(low), loadUnsigned(high));
}
inline Sums signedPair(const std::uint8_t* low, const std::uint8_t* high) {
  return pairOf(loadSigned(low), loadSigned(high));
}
/// Both halves times what keeps them within 16 bits.
HEDDLE_NOINLINE inline Sums timesPair(Sums pair, int factor) {
  for (auto& v : pair.v) v = (static_cast<std::int16_t>(v & 0xffff) * factor & 0xffff) | (v >> 16) * factor * 0x10000;
  return pair;
}
HEDDLE_NOINLINE inline Sums addPair(Sums acc, const Sums& pair, std::int32_t two) {
  const auto low = [](std::int32_t x) { return static_cast<std::int16_t>(x & 0xffff); };
  for (std::size_t i = 0; i < 16; ++i) acc.v[i] += low(pair.v[i]) * low(two) + (pair.v[i] >> 16) * (two >> 16);
  return acc;
}
/// A factor as addFactored wants it: acc + factor dot(w, x), for codes of up to 6 bits.
inline Sums unsignedFactor(const std::uint8_t* p) { return loadUnsigned(p); }
inline Sums signedFactor(const std::uint8_t* p) { return loadSigned(p); }
inline Sums addFactored(const Sums& acc, const Codes& w, const std::int8_t* x, const Sums& factor) {
  return multiplyAdd(dot<false>(broadcastSum(0), w, x), factor, acc);
}
/// Dot products of the words of a group.
using Run = Sums;
inline Run zeroRun() { return broadcastSum(0); }
inline Run addToRun(const Run& run, const Codes& w, const std::int8_t* x) { return dot<false>(run, w, x); }
inline Sums unsignedRunFactor(const std::uint8_t* p) { return loadUnsigned(p); }
inline Sums addRun(const Sums& acc, const Run& run, const Sums& factor) { return multiplyAdd(run, factor, acc); }
inline Sums addRun(const Sums& acc, const Run& run) { return multiplyAdd(run, broadcastSum(1), acc); }

/// Integral values of -128 to 127.
HEDDLE_NOINLINE inline void storeBytes(Vec x, std::int8_t* p) {
  float lanes[kWidth];
  store(lanes, x);
  for (std::size_t i = 0; i < kWidth; ++i) p[i] = static_cast<std::int8_t>(lanes[i]);
}

}  // namespace heddle::HEDDLE_ISA
