// One row of a panel as floats, for lookups: speed is no concern, so each code is found by itself.
#include <cmath>
#include <cstring>

#include "blocks.h"

namespace heddle {
namespace {

float halfAt(const std::uint8_t* p) {
  std::uint16_t bits;
  std::memcpy(&bits, p, sizeof bits);
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float magnitude = exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                          : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                          : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// A row of one block of a panel.
struct Row {
  const std::uint8_t* block;
  std::size_t row;

  float half(std::size_t offset) const { return halfAt(block + offset + 2 * row); }
  int small(std::size_t offset, std::size_t i) const { return block[offset + i * kPanelRows + row]; }
  /// Byte i of a field of codes, which lies in words of four.
  int code(std::size_t offset, std::size_t i) const {
    return block[offset + (i / 4 * kPanelRows + row) * 4 + i % 4];
  }
};

void plain(BlockFormat format, const Row& b, float* y) {
  const float d = b.half(0);
  for (std::size_t i = 0; i < 32; ++i) {
    const int shift = i < 16 ? 0 : 4;
    int q = 0;
    if (format == BlockFormat::Q8_0) q = b.code(32, i) - 128;
    if (format == BlockFormat::Q4_0) q = (b.code(32, i % 16) >> shift & 15) - 8;
    if (format == BlockFormat::Q5_0) {
      q = ((b.code(96, i % 16) >> shift & 15) | (b.code(32, i % 4) >> (i / 4) & 1) << 4) - 16;
    }
    y[i] = static_cast<float>(q) * d;
  }
}

/// q4_k, and q5_k with its plane of fifth bits.
void withMinimum(bool five, const Row& b, float* y) {
  const float d = b.half(0), least = b.half(32);
  for (std::size_t g = 0; g < 8; ++g) {
    const auto six = [&](std::size_t i) { return b.small(64, i); };
    const int scale = g < 4 ? six(g) & 63 : (six(g + 4) & 15) | six(g - 4) >> 6 << 4;
    const int minimum = g < 4 ? six(g + 4) & 63 : six(g + 4) >> 4 | six(g) >> 6 << 4;
    for (std::size_t i = 0; i < 32; ++i) {
      int q = b.code(five ? 768 : 256, g / 2 * 32 + i) >> (g % 2 * 4) & 15;
      if (five) q |= (b.code(256, i) >> g & 1) << 4;
      y[g * 32 + i] = d * static_cast<float>(scale) * static_cast<float>(q) - least * static_cast<float>(minimum);
    }
  }
}

void sixBits(const Row& b, float* y) {
  const float d = b.half(3328);
  for (std::size_t i = 0; i < 256; ++i) {
    const std::size_t half = i / 128, quarter = i % 128 / 32, at = i % 32;
    const int low = b.code(0, half * 64 + quarter % 2 * 32 + at) >> (quarter / 2 * 4) & 15;
    const int high = b.code(2048, half * 32 + at) >> (2 * quarter) & 3;
    const auto scale = static_cast<std::int8_t>(b.small(3072, i / 16));
    y[i] = d * static_cast<float>(scale) * static_cast<float>((low | high << 4) - 32);
  }
}

}  // namespace

void dequantizeRow(BlockFormat format, const std::byte* panel, std::size_t row, std::size_t k, float* y) {
  const BlockLayout layout = layoutOf(format);
  for (std::size_t b = 0; b < k / layout.elements; ++b, y += layout.elements) {
    const Row at{reinterpret_cast<const std::uint8_t*>(panel) + b * layout.bytes * kPanelRows, row};
    switch (format) {
      case BlockFormat::Q4_K: withMinimum(false, at, y); break;
      case BlockFormat::Q5_K: withMinimum(true, at, y); break;
      case BlockFormat::Q6_K: sixBits(at, y); break;
      default: plain(format, at, y);
    }
  }
}

}  // namespace heddle
