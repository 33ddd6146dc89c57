// Weights in block formats made at random in GGUF's layout, what they stand for by ggml's definitions, and panels: all
// written apart from the backend, bit by bit.
#pragma once

#include <cmath>
#include <cstring>

#include "../../src/runtime/reference/kernels/blocks/blocks.h"
#include "data.h"

namespace testing {

using heddle::BlockFormat;
using Bytes = std::vector<std::uint8_t>;

inline double halfValue(unsigned bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

/// Offsets of the half precision scales in a block.
inline std::vector<std::size_t> scalesOf(BlockFormat f) {
  if (f == BlockFormat::Q6_K) return {208};
  if (f == BlockFormat::Q4_K || f == BlockFormat::Q5_K) return {0, 2};
  return {0};
}

struct Matrix {
  BlockFormat format;
  std::size_t rows, columns;
  Bytes blocks;                ///< as GGUF stores them
  std::vector<double> values;  ///< what they stand for
};

inline void decode(BlockFormat f, const std::uint8_t* b, double* y) {
  const auto half = [&](std::size_t at) { return halfValue(b[at] | b[at + 1] << 8); };
  const auto nibble = [&](std::size_t at, bool high) { return high ? b[at] >> 4 : b[at] & 15; };
  for (std::size_t i = 0; i < heddle::layoutOf(f).elements; ++i) {
    switch (f) {
      case BlockFormat::Q4_0: y[i] = half(0) * (nibble(2 + i % 16, i >= 16) - 8); break;
      case BlockFormat::Q5_0:
        y[i] = half(0) * ((nibble(6 + i % 16, i >= 16) | (b[2 + i / 8] >> i % 8 & 1) << 4) - 16);
        break;
      case BlockFormat::Q8_0: y[i] = half(0) * static_cast<std::int8_t>(b[2 + i]); break;
      case BlockFormat::Q4_K:
      case BlockFormat::Q5_K: {
        const bool five = f == BlockFormat::Q5_K;
        const std::size_t g = i / 32, qs = five ? 48 : 16;
        const std::uint8_t* s = b + 4;
        const int scale = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | s[g - 4] >> 6 << 4;
        const int least = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | s[g] >> 6 << 4;
        int q = nibble(qs + i / 64 * 32 + i % 32, i / 32 % 2 == 1);
        if (five) q |= (b[16 + i % 32] >> g & 1) << 4;
        y[i] = half(0) * scale * q - half(2) * least;
        break;
      }
      case BlockFormat::Q6_K: {
        const std::size_t h = i / 128, t = i % 128 / 32, l = i % 32;
        const int q = nibble(h * 64 + t % 2 * 32 + l, t >= 2) | (b[128 + h * 32 + l] >> 2 * t & 3) << 4;
        y[i] = half(208) * static_cast<std::int8_t>(b[192 + i / 16]) * (q - 32);
        break;
      }
    }
  }
}

inline Matrix randomMatrix(Random& random, BlockFormat f, std::size_t rows, std::size_t columns) {
  const heddle::BlockLayout layout = heddle::layoutOf(f);
  const std::size_t blocks = rows * columns / layout.elements;
  Matrix m{f, rows, columns, Bytes(blocks * layout.bytes), std::vector<double>(rows * columns)};
  for (auto& byte : m.blocks) byte = static_cast<std::uint8_t>(random.next() >> 11);
  for (std::size_t b = 0; b < blocks; ++b) {
    std::uint8_t* block = m.blocks.data() + b * layout.bytes;
    for (const std::size_t at : scalesOf(f)) {
      // Exponents of 2^-8 to 2^-5, either sign.
      const unsigned bits = (random.next() & 0x83ff) | (7 + random.next() % 4) << 10;
      block[at] = static_cast<std::uint8_t>(bits);
      block[at + 1] = static_cast<std::uint8_t>(bits >> 8);
    }
    decode(f, block, m.values.data() + b * layout.elements);
  }
  return m;
}

/// Panels by the rule of format.h.
inline Bytes panelsOf(const Matrix& m) {
  struct Field {
    std::size_t bytes, unit;
  };
  std::vector<Field> fields;
  switch (m.format) {
    case BlockFormat::Q4_0: fields = {{2, 2}, {16, 4}}; break;
    case BlockFormat::Q5_0: fields = {{2, 2}, {20, 4}}; break;
    case BlockFormat::Q8_0: fields = {{2, 2}, {32, 4}}; break;
    case BlockFormat::Q4_K: fields = {{4, 2}, {12, 1}, {128, 4}}; break;
    case BlockFormat::Q5_K: fields = {{4, 2}, {12, 1}, {160, 4}}; break;
    case BlockFormat::Q6_K: fields = {{192, 4}, {16, 1}, {2, 2}}; break;
  }
  const heddle::BlockLayout layout = heddle::layoutOf(m.format);
  const std::size_t rowBlocks = m.columns / layout.elements, panels = (m.rows + 15) / 16;
  Bytes out;
  for (std::size_t panel = 0; panel < panels; ++panel) {
    for (std::size_t b = 0; b < rowBlocks; ++b) {
      std::size_t at = 0;
      for (const Field& field : fields) {
        for (std::size_t word = 0; word < field.bytes; word += field.unit) {
          for (std::size_t r = 0; r < 16; ++r) {
            const std::size_t row = panel * 16 + r;
            std::uint8_t bytes[4] = {};
            if (row < m.rows) {
              std::memcpy(bytes, m.blocks.data() + (row * rowBlocks + b) * layout.bytes + at + word, field.unit);
            }
            if (m.format == BlockFormat::Q8_0 && at == 2) {
              for (auto& byte : bytes) byte ^= 0x80;
            }
            if (m.format == BlockFormat::Q5_0 && at == 2 && word == 0) {
              std::uint8_t sorted[4] = {};
              for (std::size_t i = 0; i < 32; ++i) sorted[i % 4] |= (bytes[i / 8] >> i % 8 & 1) << i / 4;
              std::memcpy(bytes, sorted, 4);
            }
            out.insert(out.end(), bytes, bytes + field.unit);
          }
        }
        at += field.bytes;
      }
    }
  }
  return out;
}

/// Activations as ggml rounds them, in double precision: what a product of blocks is exact for.
inline std::vector<double> rounded(BlockFormat f, const float* x, std::size_t n) {
  std::vector<double> y(n);
  const std::size_t block = heddle::layoutOf(f).elements;
  for (std::size_t b = 0; b < n; b += block) {
    float largest = 0;
    for (std::size_t i = 0; i < block; ++i) {
      if (std::fabs(x[b + i]) > std::fabs(largest)) largest = x[b + i];
    }
    if (largest == 0) continue;
    const float inverse = block == 256 ? -127.0F / largest : 127.0F / std::fabs(largest);
    double scale = block == 256 ? 1.0F / inverse : std::fabs(largest) / 127.0F;
    if (block == 32) {  // half precision: 11 significant bits
      int exponent;
      const double fraction = std::frexp(scale, &exponent);
      scale = std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
    }
    for (std::size_t i = 0; i < block; ++i) y[b + i] = scale * std::nearbyint(x[b + i] * inverse);
  }
  return y;
}

/// x [rows, columns] times the transposed matrix.
inline std::vector<double> product(const Matrix& m, const std::vector<double>& x, std::size_t rows) {
  std::vector<double> y(rows * m.rows);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < m.rows; ++j) {
      for (std::size_t p = 0; p < m.columns; ++p) y[i * m.rows + j] += x[i * m.columns + p] * m.values[j * m.columns + p];
    }
  }
  return y;
}

/// Every row of x as `rounded` gives it.
inline std::vector<double> roundedRows(const Matrix& m, const std::vector<float>& x) {
  std::vector<double> all;
  for (std::size_t at = 0; at < x.size(); at += m.columns) {
    const auto row = rounded(m.format, x.data() + at, m.columns);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

inline std::size_t columnsOf(BlockFormat f, std::size_t blocks) { return heddle::layoutOf(f).elements * blocks; }

}  // namespace testing
