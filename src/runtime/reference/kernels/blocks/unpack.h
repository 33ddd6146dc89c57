// How each block format yields its codes, four elements of 16 rows at a time. Offsets are those of a block of a panel:
// sixteen times those of ggml's blocks.
#pragma once

namespace heddle::HEDDLE_ISA {

template <std::size_t I>
struct Index {
  static constexpr std::size_t value = I;
};
/// Calls f(Index<0>{}), f(Index<1>{}) ...: loops whose counter is a constant.
template <class F, std::size_t... I>
HEDDLE_INLINE void eachOf(std::index_sequence<I...>, F f) {
  (f(Index<I>{}), ...);
}
template <std::size_t N, class F>
HEDDLE_INLINE void eachIndex(F f) {
  eachOf(std::make_index_sequence<N>{}, f);
}

constexpr std::size_t kCodes = 64;

/// Plain formats have one group per block. `word` counts fours of elements within a group.
template <BlockFormat>
struct Unpack;

template <>
struct Unpack<BlockFormat::Q4_0> {
  static constexpr int kZero = 8;
  static constexpr bool kWide = false, kMinimum = false;
  static constexpr std::size_t kScale = 0;
  template <std::size_t Group, std::size_t Word>
  HEDDLE_INLINE static Codes codes(const std::uint8_t* b) {
    const Codes c = loadCodes(b + 32 + Word % 4 * kCodes);
    return Word < 4 ? lowNibbles(c) : highNibbles(c);
  }
};

template <>
struct Unpack<BlockFormat::Q5_0> {
  static constexpr int kZero = 16;
  static constexpr bool kWide = false, kMinimum = false;
  static constexpr std::size_t kScale = 0;
  template <std::size_t Group, std::size_t Word>
  HEDDLE_INLINE static Codes codes(const std::uint8_t* b) {
    const Codes c = loadCodes(b + 96 + Word % 4 * kCodes);
    return withBits<4 - static_cast<int>(Word)>(Word < 4 ? lowNibbles(c) : highNibbles(c), loadCodes(b + 32), 0x10);
  }
};

template <>
struct Unpack<BlockFormat::Q8_0> {
  static constexpr int kZero = kWideCodesAreSigned ? 0 : 128;
  static constexpr bool kWide = true, kMinimum = false;
  static constexpr std::size_t kScale = 0;
  template <std::size_t Group, std::size_t Word>
  HEDDLE_INLINE static Codes codes(const std::uint8_t* b) {
    return loadCodes(b + 32 + Word * kCodes);
  }
};

template <>
struct Unpack<BlockFormat::Q4_K> {
  static constexpr int kZero = -1;  // the minimum is subtracted, so it needs the plain sum
  static constexpr bool kWide = false, kMinimum = true;
  static constexpr std::size_t kScale = 0, kLeast = 32, kGroupScales = 64;
  template <std::size_t Group, std::size_t Word>
  HEDDLE_INLINE static Codes codes(const std::uint8_t* b) {
    const Codes c = loadCodes(b + 256 + (Group / 2 * 8 + Word) * kCodes);
    return Group % 2 == 0 ? lowNibbles(c) : highNibbles(c);
  }
};

template <>
struct Unpack<BlockFormat::Q5_K> {
  static constexpr int kZero = -1;
  static constexpr bool kWide = false, kMinimum = true;
  static constexpr std::size_t kScale = 0, kLeast = 32, kGroupScales = 64;
  template <std::size_t Group, std::size_t Word>
  HEDDLE_INLINE static Codes codes(const std::uint8_t* b) {
    const Codes c = loadCodes(b + 768 + (Group / 2 * 8 + Word) * kCodes);
    const Codes bits = loadCodes(b + 256 + Word * kCodes);
    return withBits<4 - static_cast<int>(Group)>(Group % 2 == 0 ? lowNibbles(c) : highNibbles(c), bits, 0x10);
  }
};

template <>
struct Unpack<BlockFormat::Q6_K> {
  static constexpr int kZero = 32;
  static constexpr bool kWide = false, kMinimum = false;
  static constexpr std::size_t kScale = 3328, kGroupScales = 3072;
  template <std::size_t Group, std::size_t Word>
  HEDDLE_INLINE static Codes codes(const std::uint8_t* b) {
    constexpr std::size_t kHalf = Group / 8, kQuarter = Group % 8 / 2, kAt = Group % 2 * 4 + Word;
    const Codes c = loadCodes(b + (kHalf * 16 + kQuarter % 2 * 8 + kAt) * kCodes);
    const Codes bits = loadCodes(b + 2048 + (kHalf * 8 + kAt) * kCodes);
    return withBits<4 - 2 * static_cast<int>(kQuarter)>(kQuarter < 2 ? lowNibbles(c) : highNibbles(c), bits, 0x30);
  }
};

/// 6-bit scales and minima of q4_k and q5_k, 12 bytes per row, to one byte each: 8 scales, then 8 minima, of 16 rows.
HEDDLE_INLINE void unpackScales(const std::uint8_t* p, std::uint8_t* out) {
  for (std::size_t i = 0; i < 64; ++i) {  // groups 0 to 3 of all rows, then 4 to 7
    out[i] = p[i] & 63;
    out[128 + i] = p[64 + i] & 63;
    out[64 + i] = static_cast<std::uint8_t>((p[128 + i] & 15) | (p[i] >> 6 << 4));
    out[192 + i] = static_cast<std::uint8_t>((p[128 + i] >> 4) | (p[64 + i] >> 6 << 4));
  }
}

}  // namespace heddle::HEDDLE_ISA
