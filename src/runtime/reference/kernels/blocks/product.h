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
HEDDLE_INLINE Lanes floatsOf(Lanes x) { return x; }
/// With floats as the sum, which are faster and exact below 2^24.
HEDDLE_INLINE Lanes multiplyAdd(Sums a, Sums b, Lanes c) { return fma(floatsOf(a), floatsOf(b), c); }

template <class T>
HEDDLE_INLINE T zero() {
  if constexpr (std::is_same_v<T, Sums>) {
    return broadcastSum(0);
  } else {
    return lanesOf(0.0F);
  }
}

/// Stores a vector of columns from `at` on, of which `cols` exist.
HEDDLE_INLINE void storeReal(float* y, Vec v, std::size_t cols, std::size_t at) {
  if (at + kWidth <= cols) {
    store(y, v);
  } else if (at < cols) {
    storePart(y, v, cols - at);
  }
}

/// Words of four elements that follow each other in one chain.
template <BlockFormat F, std::size_t M>
inline constexpr std::size_t kRun = 8 / chainsOf(F, M);

/// sums[m] += codes of N words from `Word` of a group on, times the activations.
template <BlockFormat F, std::size_t M, std::size_t Group, std::size_t Word, std::size_t N>
HEDDLE_INLINE void addWords(const std::uint8_t* block, const std::int8_t* x, Sums* sums) {
  eachIndex<N>([&](auto word) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kWord = Word + decltype(word)::value;
    const Codes w = Unpack<F>::template codes<Group, kWord>(block);
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) sums[m] = dot<Unpack<F>::kWide>(sums[m], w, x + (kWord * M + m) * 4);
  });
}

/// What panelProduct adds up, per chain and row of activations; what minima take away stands apart.
template <BlockFormat F, std::size_t M>
struct Totals {
  Lanes chains[chainsOf(F, M)][M];
  Lanes least[Unpack<F>::kMinimum ? M : 1];
};

template <BlockFormat F, std::size_t M>
HEDDLE_INLINE void plainBlock(const std::uint8_t* block, const std::int8_t* x, const float* scales,
                              const std::int32_t* sums, Totals<F, M>& total) {
  const Lanes d = halves(block + Unpack<F>::kScale);
  Lanes scale[M];
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) scale[m] = scaled(d, scales[m]);
  eachIndex<chainsOf(F, M)>([&](auto chain) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kChain = decltype(chain)::value;
    Sums acc[M];
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) acc[m] = broadcastSum(Unpack<F>::kZero == 0 ? 0 : sums[kChain * M + m]);
    addWords<F, M, 0, kChain * kRun<F, M>, kRun<F, M>>(block, x, acc);
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) {
      total.chains[kChain][m] = fma(floatsOf(acc[m]), scale[m], total.chains[kChain][m]);
    }
  });
}

template <BlockFormat F, std::size_t M>
HEDDLE_INLINE void scaledBlock(const std::uint8_t* block, const std::int8_t* x, const float* scales,
                               const std::int32_t* sums, Totals<F, M>& total) {
  using U = Unpack<F>;
  constexpr std::size_t kGroup = layoutOf(F).group, kGroups = layoutOf(F).elements / kGroup, kWords = kGroup / 4;
  constexpr std::size_t kChains = chainsOf(F, M), kLength = kRun<F, M> < kWords ? kRun<F, M> : kWords;
  std::uint8_t small[U::kMinimum ? 2 * kGroups * kPanelRows : 1];
  if constexpr (U::kMinimum) unpackScales(block + U::kGroupScales, small);
  using Part = std::conditional_t<U::kMinimum || kChains == 8, Sums, Lanes>;
  Part part[kChains][M];
  HEDDLE_UNROLL
  for (auto& chain : part) {
    HEDDLE_UNROLL
    for (Part& p : chain) p = zero<Part>();
  }
  eachIndex<kGroups>([&](auto group) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kIndex = decltype(group)::value;
    const Sums scale = U::kMinimum ? loadUnsigned(small + kIndex * kPanelRows)
                                   : loadSigned(block + U::kGroupScales + kIndex * kPanelRows);
    eachIndex<kWords / kLength>([&](auto run) HEDDLE_INLINE_LAMBDA {
      constexpr std::size_t kWord = decltype(run)::value * kLength;
      constexpr std::size_t kChain = (kIndex * kWords + kWord) % 8 / kRun<F, M>;
      Sums acc[M];
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) acc[m] = broadcastSum(!U::kMinimum && kChains == 1 ? sums[kIndex * M + m] : 0);
      addWords<F, M, kIndex, kWord, kLength>(block, x + kIndex * kGroup * M, acc);
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) part[kChain][m] = multiplyAdd(acc[m], scale, part[kChain][m]);
    });
    if constexpr (!U::kMinimum && kChains == 8) {  // ggml takes the zero points of two groups from one of the sums
      part[kIndex / 2][0] = multiplyAdd(broadcastSum(sums[kIndex]), scale, part[kIndex / 2][0]);
    }
  });
  const Lanes d = halves(block + U::kScale);
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) {
    const Lanes scale = scaled(d, scales[m]);
    HEDDLE_UNROLL
    for (std::size_t c = 0; c < kChains; ++c) {
      total.chains[c][m] = fma(floatsOf(part[c][m]), scale, total.chains[c][m]);
    }
  }
  if constexpr (U::kMinimum) {
    Sums taken[M];
    HEDDLE_UNROLL
    for (Sums& t : taken) t = broadcastSum(0);
    for (std::size_t g = 0; g < kGroups; ++g) {
      const Sums minimum = loadUnsigned(small + (kGroups + g) * kPanelRows);
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) taken[m] = multiplyAdd(minimum, broadcastSum(sums[g * M + m]), taken[m]);
    }
    const Lanes least = halves(block + U::kLeast);
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) {
      total.least[m] = fma(floatsOf(taken[m]), scaled(least, scales[m]), total.least[m]);
    }
  }
}

/// The chains of a row added by halves, less what its minima take away.
template <BlockFormat F, std::size_t M>
HEDDLE_INLINE Lanes added(const Totals<F, M>& total, std::size_t m) {
  constexpr std::size_t kChains = chainsOf(F, M);
  Lanes sum[kChains];
  HEDDLE_UNROLL
  for (std::size_t c = 0; c < kChains; ++c) sum[c] = total.chains[c][m];
  for (std::size_t half = kChains / 2; half > 0; half /= 2) {
    for (std::size_t c = 0; c < half; ++c) {
      for (std::size_t i = 0; i < kParts; ++i) sum[c].v[i] = sum[c].v[i] + sum[c + half].v[i];
    }
  }
  if constexpr (Unpack<F>::kMinimum) {
    for (std::size_t i = 0; i < kParts; ++i) sum[0].v[i] = sum[0].v[i] - total.least[m].v[i];
  }
  return sum[0];
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
    Totals<F, M> total;
    HEDDLE_UNROLL
    for (auto& chain : total.chains) {
      HEDDLE_UNROLL
      for (Lanes& t : chain) t = lanesOf(0.0F);
    }
    HEDDLE_UNROLL
    for (Lanes& t : total.least) t = lanesOf(0.0F);
    for (std::size_t b = 0; b < blocks; ++b, block += kBytes) {
      if constexpr (kScaledGroups) {
        scaledBlock<F, M>(block, x, scales, sums, total);
      } else {
        plainBlock<F, M>(block, x, scales, sums, total);
      }
      x += kLayout.elements * M;
      scales += M;
      sums += kLayout.elements / sumElements(F, M) * M;
    }
    for (std::size_t m = 0; m < p.rows; ++m) {
      const Lanes sum = added<F, M>(total, m);
      float* y = p.y + m * p.ldy + j;
      for (std::size_t i = 0; i < kParts; ++i) storeReal(y + i * kWidth, sum.v[i], p.cols, j + i * kWidth);
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
