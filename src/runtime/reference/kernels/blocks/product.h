// Products of panels with 8-bit activations: integer sums within a block, scaled and added in float, lane = weight row.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kParts = kPanelRows / kWidth;

/// Sixteen floats, one per row of a panel.
struct Lanes {
  Vec v[kParts];
};
HEDDLE_INLINE Lanes halves(const std::uint8_t* p) {
  Lanes r;
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) r.v[i] = load(reinterpret_cast<const Half*>(p) + i * kWidth);
  return r;
}
HEDDLE_INLINE Lanes scaled(Lanes a, float factor) {
  const Vec f = broadcast(factor);
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) a.v[i] = a.v[i] * f;
  return a;
}
HEDDLE_INLINE Lanes fma(Lanes a, Lanes b, Lanes c) {
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) c.v[i] = fma(a.v[i], b.v[i], c.v[i]);
  return c;
}
HEDDLE_INLINE Lanes lanesOf(float x) {
  Lanes r;
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) r.v[i] = broadcast(x);
  return r;
}
HEDDLE_INLINE Lanes floatsOf(Sums s) {
  Lanes r;
  toFloat(s, r.v);
  return r;
}

/// Stores a vector of columns from `at` on, of which `cols` exist.
HEDDLE_INLINE void storeReal(float* y, Vec v, std::size_t cols, std::size_t at) {
  if (at + kWidth <= cols) {
    store(y, v);
  } else if (at < cols) {
    storePart(y, v, cols - at);
  }
}

/// sums[m] = codes of one group of a block times the activations, from `start[m]` on.
template <BlockFormat F, std::size_t M, std::size_t Group>
HEDDLE_INLINE void groupSums(const std::uint8_t* block, const std::int8_t* x, const std::int32_t* start, Sums* sums) {
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) sums[m] = broadcastSum(start == nullptr ? 0 : start[m]);
  eachIndex<layoutOf(F).group / 4>([&](auto word) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kWord = decltype(word)::value;
    const Codes w = Unpack<F>::template codes<Group, kWord>(block);
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) sums[m] = dot<Unpack<F>::kWide>(sums[m], w, x + (kWord * M + m) * 4);
  });
}

template <BlockFormat F, std::size_t M>
HEDDLE_INLINE void plainBlock(const std::uint8_t* block, const std::int8_t* x, const float* scales,
                              const std::int32_t* sums, Lanes* total) {
  Sums acc[M];
  groupSums<F, M, 0>(block, x, Unpack<F>::kZero == 0 ? nullptr : sums, acc);
  const Lanes d = halves(block + Unpack<F>::kScale);
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) total[m] = fma(floatsOf(acc[m]), scaled(d, scales[m]), total[m]);
}

template <BlockFormat F, std::size_t M>
HEDDLE_INLINE void scaledBlock(const std::uint8_t* block, const std::int8_t* x, const float* scales,
                               const std::int32_t* sums, Lanes* total) {
  using U = Unpack<F>;
  constexpr std::size_t kGroup = layoutOf(F).group, kGroups = layoutOf(F).elements / kGroup;
  std::uint8_t small[U::kMinimum ? 2 * kGroups * kPanelRows : 1];
  if constexpr (U::kMinimum) unpackScales(block + U::kGroupScales, small);
  Lanes part[M];
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) part[m] = lanesOf(0.0F);
  eachIndex<kGroups>([&](auto group) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kIndex = decltype(group)::value;
    Sums acc[M];
    groupSums<F, M, kIndex>(block, x + kIndex * kGroup * M, U::kMinimum ? nullptr : sums + kIndex * M, acc);
    Lanes scale;
    if constexpr (U::kMinimum) {
      unsignedToFloat(small + kIndex * kPanelRows, scale.v);
    } else {
      signedToFloat(block + U::kGroupScales + kIndex * kPanelRows, scale.v);
    }
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) part[m] = fma(floatsOf(acc[m]), scale, part[m]);
  });
  const Lanes d = halves(block + U::kScale);
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) total[m] = fma(part[m], scaled(d, scales[m]), total[m]);
  if constexpr (U::kMinimum) {
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) part[m] = lanesOf(0.0F);
    for (std::size_t g = 0; g < kGroups; ++g) {
      Lanes minimum;
      unsignedToFloat(small + (kGroups + g) * kPanelRows, minimum.v);
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) {
        part[m] = fma(minimum, lanesOf(static_cast<float>(sums[g * M + m])), part[m]);
      }
    }
    const Lanes least = halves(block + U::kLeast);
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) total[m] = fma(part[m], scaled(least, -scales[m]), total[m]);
  }
}

template <BlockFormat F, std::size_t M>
void panelProduct(const BlockProduct& p) {
  constexpr BlockLayout kLayout = layoutOf(F);
  constexpr bool kScaledGroups = kLayout.group != kLayout.elements;
  constexpr std::size_t kBytes = kLayout.bytes * kPanelRows;
  const std::size_t blocks = p.k / kLayout.elements;
  const auto* block = reinterpret_cast<const std::uint8_t*>(p.panels);
  for (std::size_t j = 0; j < p.count * kPanelRows; j += kPanelRows) {
    const std::int8_t* x = p.x.codes;
    const float* scales = p.x.scales;
    const std::int32_t* sums = p.x.sums;
    Lanes total[M];
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) total[m] = lanesOf(0.0F);
    for (std::size_t b = 0; b < blocks; ++b, block += kBytes) {
      if constexpr (kScaledGroups) {
        scaledBlock<F, M>(block, x, scales, sums, total);
      } else {
        plainBlock<F, M>(block, x, scales, sums, total);
      }
      x += kLayout.elements * M;
      scales += M;
      sums += kLayout.elements / kLayout.group * M;
    }
    for (std::size_t m = 0; m < p.rows; ++m) {
      float* y = p.y + m * p.ldy + j;
      for (std::size_t i = 0; i < kParts; ++i) storeReal(y + i * kWidth, total[m].v[i], p.cols, j + i * kWidth);
    }
  }
}

template <BlockFormat F>
void productOf(const BlockProduct& p) {
  if constexpr (kBlockTileRows >= 8) {
    if (p.x.rows == 8) return panelProduct<F, 8>(p);
  }
  if constexpr (kBlockTileRows >= 4) {
    if (p.x.rows == 4) return panelProduct<F, 4>(p);
    if (p.x.rows == 2) return panelProduct<F, 2>(p);
  }
  panelProduct<F, 1>(p);
}

void blockProduct(BlockFormat format, const BlockProduct& p) {
  switch (format) {
    case BlockFormat::Q4_0: return productOf<BlockFormat::Q4_0>(p);
    case BlockFormat::Q5_0: return productOf<BlockFormat::Q5_0>(p);
    case BlockFormat::Q8_0: return productOf<BlockFormat::Q8_0>(p);
    case BlockFormat::Q4_K: return productOf<BlockFormat::Q4_K>(p);
    case BlockFormat::Q5_K: return productOf<BlockFormat::Q5_K>(p);
    case BlockFormat::Q6_K: return productOf<BlockFormat::Q6_K>(p);
  }
}

}  // namespace heddle::HEDDLE_ISA
