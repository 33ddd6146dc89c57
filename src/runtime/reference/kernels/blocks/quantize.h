// Rounds activations to 8 bits per block, to the same values as ggml does, so that results can be compared with its:
// blocks of 32 with a half precision scale (its q8_0), blocks of 256 scaled so that the largest becomes -127 (its q8_K).
#pragma once

namespace heddle::HEDDLE_ISA {

/// Largest magnitude with its sign, and a sum that is 0, or NaN when anything is not finite.
struct Extent {
  float largest, poison;
};
HEDDLE_INLINE Extent extentOf(const float* x, std::size_t n) {
  Vec high = broadcast(0.0F), low = broadcast(0.0F), poison = broadcast(0.0F);
  for (std::size_t i = 0; i < n; i += kWidth) {
    const Vec v = load(x + i);
    high = max(v, high);
    low = max(broadcast(0.0F) - v, low);
    poison = fma(v, broadcast(0.0F), poison);
  }
  const float h = maximum(high), l = maximum(low);
  return {h >= l ? h : -l, sum(poison)};
}

HEDDLE_INLINE float roundedToHalf(float x) {
  if (!(x <= 65504.0F)) return x;
  Half h[kWidth];
  storeHalf(h, broadcast(x));
  float r[kWidth];
  store(r, load(h));
  return r[0];
}

/// Of the codes of one row of a tile.
HEDDLE_INLINE std::int32_t sumOf(const std::int8_t* codes, std::size_t n, std::size_t rows) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < n; i += 4) {
    const std::int8_t* four = codes + i * rows;
    sum += four[0] + four[1] + four[2] + four[3];
  }
  return sum;
}

void quantizeRows(BlockFormat format, const float* x, std::size_t ldx, std::size_t rows, std::size_t k,
                  const QuantizedTile& t) {
  const BlockLayout layout = layoutOf(format);
  const bool large = layout.elements == 256;
  const std::size_t perSum = sumElements(format);
  const int zero = format == BlockFormat::Q8_0   ? (kWideCodesAreSigned ? 0 : 128)
                   : format == BlockFormat::Q4_0 ? 8
                                                 : 16;  // q5_0; formats with groups want the plain sums
  for (std::size_t r = 0; r < t.rows; ++r) {
    for (std::size_t b = 0; b < k / layout.elements; ++b) {
      const float* from = x + r * ldx + b * layout.elements;
      std::int8_t* codes = t.codes + (b * layout.elements * t.rows + r * 4);
      std::int32_t* sums = t.sums + b * (layout.elements / perSum) * t.rows + r;
      if (r >= rows) {
        t.scales[b * t.rows + r] = 0.0F;
        for (std::size_t i = 0; i < layout.elements; i += 4) std::memset(codes + i * t.rows, 0, 4);
        for (std::size_t g = 0; g < layout.elements / perSum; ++g) sums[g * t.rows] = 0;
        continue;
      }
      const Extent e = extentOf(from, layout.elements);
      const float magnitude = e.largest < 0 ? -e.largest : e.largest;
      const bool usable = magnitude > 0 && magnitude <= std::numeric_limits<float>::max();
      const float inverse = !usable ? 0.0F : large ? -127.0F / e.largest : 127.0F / magnitude;
      const float scale = !usable ? 0.0F : large ? 1.0F / inverse : roundedToHalf(magnitude / 127.0F);
      t.scales[b * t.rows + r] = scale + e.poison;
      for (std::size_t i = 0; i < layout.elements; i += kWidth) {
        Vec rounded = min(round(load(from + i) * broadcast(inverse)), broadcast(127.0F));
        if (!usable) rounded = broadcast(0.0F);
        std::int8_t bytes[kWidth];
        storeBytes(rounded, bytes);
        for (std::size_t j = 0; j < kWidth; j += 4) std::memcpy(codes + (i + j) * t.rows, bytes + j, 4);
      }
      for (std::size_t i = 0; i < layout.elements; i += perSum) {
        std::int32_t& sum = sums[i / perSum * t.rows];
        if (hasGroups(format)) {
          const std::int32_t low = sumOf(codes + i * t.rows, layout.group, t.rows);
          const std::int32_t high = sumOf(codes + (i + layout.group) * t.rows, layout.group, t.rows);
          sum = (low & 0xffff) | high * 0x10000;
        } else {
          sum = -zero * sumOf(codes + i * t.rows, perSum, t.rows);
        }
      }
    }
  }
}

}  // namespace heddle::HEDDLE_ISA
