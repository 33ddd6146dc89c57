// Products of panels with many rows of activations, which arithmetic paces: a panel is decoded once, to codes of a byte and scales
// as wide as they are used, and stays near the core while all tiles of rows pass over it. Sums run in the order of one row, chain
// by chain: as many chains at once as the registers have sums for, then the next ones.
#pragma once

namespace heddle::HEDDLE_ISA {

/// Chains at once, a power of two.
template <BlockFormat F, std::size_t M>
constexpr std::size_t passChains() {
  std::size_t chains = chainsOf(F);
  while (chains > 1 && chains * M * kParts > kBlockSums) chains /= 2;
  return chains;
}

/// The order in which passes take chains: each ends with some that are added to each other.
inline constexpr std::size_t kChainOrder[] = {0, 4, 2, 6, 1, 5, 3, 7};

/// Where the parts of a decoded block lie: scale, minimum scale, scales of groups, factors of pairs of sums, codes.
template <BlockFormat F>
struct Decoded {
  static constexpr std::size_t kVector = kPanelRows * 4;
  static constexpr std::size_t kGroups = hasGroups(F) ? layoutOf(F).elements / layoutOf(F).group : 0;
  static constexpr std::size_t kWords = layoutOf(F).elements / 4;
  static constexpr std::size_t kScale = 0, kLeast = kVector, kGroupScales = 2 * kVector;
  static constexpr std::size_t kPairs = kGroupScales + kGroups * kVector;
  static constexpr std::size_t kCodes = kPairs + kGroups / 2 * kVector;
  static constexpr std::size_t kBytes = kCodes + kWords * kVector;
  static_assert(kBytes == decodedBlockBytes(F));
};

HEDDLE_INLINE void storeLanesOf(std::uint8_t* p, Lanes a) {
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) store(reinterpret_cast<float*>(p) + i * kWidth, a.v[i]);
}
HEDDLE_INLINE Lanes loadLanesOf(const std::uint8_t* p) {
  Lanes r;
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) r.v[i] = load(reinterpret_cast<const float*>(p) + i * kWidth);
  return r;
}

template <BlockFormat F>
HEDDLE_INLINE void decodeBlock(const std::uint8_t* block, std::uint8_t* to) {
  using U = Unpack<F>;
  using D = Decoded<F>;
  storeLanesOf(to + D::kScale, halves(block + U::kScale));
  if constexpr (hasGroups(F)) {
    if constexpr (U::kMinimum) storeLanesOf(to + D::kLeast, halves(block + U::kLeast));
    const GroupScales<F> groups(block);
    for (std::size_t g = 0; g < D::kGroups; ++g) storeSums(to + D::kGroupScales + g * D::kVector, groups.factor(g));
    for (std::size_t g = 0; g < D::kGroups / 2; ++g) storeSums(to + D::kPairs + g * D::kVector, groups.ofSums(g));
  }
  constexpr std::size_t kGroupWords = layoutOf(F).group / 4;
  eachIndex<D::kWords>([&](auto word) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kWord = decltype(word)::value;
    storeCodes(to + D::kCodes + kWord * D::kVector,
               U::template codes<kWord / kGroupWords, kWord % kGroupWords>(block));
  });
}

/// A tile and where one of its blocks begins.
struct TileBlock {
  const std::int8_t* x;
  const float* scales;
  const std::int32_t* sums;
};

/// Eight words of codes times those of M rows of activations.
template <std::size_t M>
HEDDLE_INLINE void decodedRuns(const std::uint8_t* codes, const std::int8_t* x, Run (&runs)[M]) {
  HEDDLE_UNROLL
  for (Run& run : runs) run = zeroRun();
  eachIndex<8>([&](auto word) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kWord = decltype(word)::value;
    const Codes w = loadCodes(codes + kWord * sizeof(Codes));
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) runs[m] = addToRun(runs[m], w, x + (kWord * M + m) * 4);
  });
}

/// total[c][m] += the block's chain kChainOrder[Pass * C + c], for formats whose blocks have no groups.
template <BlockFormat F, std::size_t M, std::size_t Pass, std::size_t C>
HEDDLE_INLINE void plainChains(const std::uint8_t* block, const TileBlock& t, Lanes (*total)[M]) {
  using D = Decoded<F>;
  const Lanes d = loadLanesOf(block + D::kScale);
  Lanes scale[M];
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) scale[m] = scaled(d, t.scales[m]);
  eachIndex<C>([&](auto index) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kIndex = decltype(index)::value, kChain = kChainOrder[Pass * C + kIndex];
    Sums sum[M];
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) sum[m] = broadcastSum(Unpack<F>::kZero == 0 ? 0 : t.sums[kChain * M + m]);
    if constexpr (kRun<F> == 1) {
      const Codes w = loadCodes(block + D::kCodes + kChain * D::kVector);
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) sum[m] = dot<Unpack<F>::kWide>(sum[m], w, t.x + (kChain * M + m) * 4);
    } else {
      Run run[M];
      decodedRuns(block + D::kCodes, t.x, run);
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) sum[m] = addRun(sum[m], run[m]);
    }
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) total[kIndex][m] = fma(floatsOf(sum[m]), scale[m], total[kIndex][m]);
  });
}

/// As plainChains, for formats with groups; with the first pass comes what minima take away.
template <BlockFormat F, std::size_t M, std::size_t Pass, std::size_t C>
HEDDLE_INLINE void groupedChains(const std::uint8_t* block, const TileBlock& t, Lanes (*total)[M], Lanes* least) {
  using D = Decoded<F>;
  constexpr std::size_t kGroupWords = layoutOf(F).group / 4;
  const Lanes d = loadLanesOf(block + D::kScale);
  eachIndex<C>([&](auto index) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kIndex = decltype(index)::value, kChain = kChainOrder[Pass * C + kIndex];
    Sums part[M];
    HEDDLE_UNROLL
    for (Sums& p : part) p = broadcastSum(0);
    if constexpr (chainsOf(F) == 1) {
      for (std::size_t g = 0; g < D::kGroups; ++g) {
        const Sums factor = loadSums(block + D::kGroupScales + g * D::kVector);
        Run run[M];
        decodedRuns(block + D::kCodes + g * kGroupWords * D::kVector, t.x + g * kGroupWords * 4 * M, run);
        HEDDLE_UNROLL
        for (std::size_t m = 0; m < M; ++m) part[m] = addRun(part[m], run[m], factor);
      }
    } else {
      for (std::size_t word = kChain; word < D::kWords; word += 8) {
        const Codes w = loadCodes(block + D::kCodes + word * D::kVector);
        const Sums factor = loadSums(block + D::kGroupScales + word / kGroupWords * D::kVector);
        HEDDLE_UNROLL
        for (std::size_t m = 0; m < M; ++m) part[m] = addFactored(part[m], w, t.x + (word * M + m) * 4, factor);
      }
      if constexpr (!Unpack<F>::kMinimum) {  // ggml takes the zero points of two groups from one of the sums
        const Sums pair = loadSums(block + D::kPairs + kChain * D::kVector);
        HEDDLE_UNROLL
        for (std::size_t m = 0; m < M; ++m) part[m] = addPair(part[m], pair, t.sums[kChain * M + m]);
      }
    }
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) {
      total[kIndex][m] = fma(floatsOf(part[m]), scaled(d, t.scales[m]), total[kIndex][m]);
    }
  });
  if constexpr (Unpack<F>::kMinimum && Pass == 0) {
    Sums taken[M];
    HEDDLE_UNROLL
    for (Sums& s : taken) s = broadcastSum(0);
    for (std::size_t g = 0; g < D::kGroups / 2; ++g) {
      const Sums pair = loadSums(block + D::kPairs + g * D::kVector);
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) taken[m] = addPair(taken[m], pair, t.sums[g * M + m]);
    }
    const Lanes dmin = loadLanesOf(block + D::kLeast);
    HEDDLE_UNROLL
    for (std::size_t m = 0; m < M; ++m) least[m] = fma(floatsOf(taken[m]), scaled(dmin, t.scales[m]), least[m]);
  }
}

/// sums[m] = the chains of a pass, added by halves.
template <BlockFormat F, std::size_t M, std::size_t Pass, std::size_t C>
HEDDLE_NOINLINE void chainsOfPass(const std::uint8_t* block, std::size_t blocks, TileBlock t, Lanes* sums, Lanes* least) {
  Lanes total[C][M];
  HEDDLE_UNROLL
  for (auto& chain : total) {
    HEDDLE_UNROLL
    for (Lanes& a : chain) a = zeroLanes();
  }
  for (std::size_t b = 0; b < blocks; ++b, block += Decoded<F>::kBytes) {
    if constexpr (hasGroups(F)) {
      groupedChains<F, M, Pass, C>(block, t, total, least);
    } else {
      plainChains<F, M, Pass, C>(block, t, total);
    }
    t.x += layoutOf(F).elements * M;
    t.scales += M;
    t.sums += layoutOf(F).elements / sumElements(F) * M;
  }
  HEDDLE_UNROLL
  for (std::size_t m = 0; m < M; ++m) {
    // In kChainOrder neighbours are halves of each other.
    HEDDLE_UNROLL
    for (std::size_t step = 1; step < C; step *= 2) {
      HEDDLE_UNROLL
      for (std::size_t c = 0; c < C; c += 2 * step) total[c][m] = total[c][m] + total[c + step][m];
    }
    sums[m] = total[0][m];
  }
}

/// Tiles of M rows.
template <BlockFormat F, std::size_t M>
void tilesProduct(const BlockProduct& p) {
  constexpr std::size_t kChains = passChains<F, M>(), kPasses = chainsOf(F) / kChains;
  const std::size_t blocks = p.k / layoutOf(F).elements;
  const auto* block = reinterpret_cast<const std::uint8_t*>(p.panels);
  auto* decoded = reinterpret_cast<std::uint8_t*>(p.decoded);
  for (std::size_t j = 0; j < p.count * kPanelRows; j += kPanelRows) {
    for (std::size_t b = 0; b < blocks; ++b, block += layoutOf(F).bytes * kPanelRows) {
      decodeBlock<F>(block, decoded + b * Decoded<F>::kBytes);
    }
    TileBlock t{p.x.codes, p.x.scales, p.x.sums};
    for (std::size_t first = 0; first < p.rows; first += M) {
      Lanes sums[kPasses][M], least[M];
      HEDDLE_UNROLL
      for (Lanes& l : least) l = zeroLanes();
      eachIndex<kPasses>([&](auto pass) HEDDLE_INLINE_LAMBDA {
        constexpr std::size_t kPass = decltype(pass)::value;
        chainsOfPass<F, M, kPass, kChains>(decoded, blocks, t, sums[kPass], least);
      });
      for (std::size_t m = 0; m < M && first + m < p.rows; ++m) {
        for (std::size_t step = 1; step < kPasses; step *= 2) {
          for (std::size_t s = 0; s < kPasses; s += 2 * step) sums[s][m] = sums[s][m] + sums[s + step][m];
        }
        storeReal(p.y + (first + m) * p.ldy, Unpack<F>::kMinimum ? sums[0][m] - least[m] : sums[0][m], p.cols, j);
      }
      t.x += p.k * M;
      t.scales += p.k / layoutOf(F).elements * M;
      t.sums += p.k / sumElements(F) * M;
    }
  }
}

template <BlockFormat F>
void productOf(const BlockProduct& p) {
  if (p.x.rows == 1) return rowProduct<F>(p);
  tilesProduct<F, kBlockTileRows>(p);
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
