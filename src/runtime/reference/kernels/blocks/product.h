// Products of panels with 8-bit activations: integer sums within a block, scaled and added in float, lane = weight row. Here is
// what one row and several share, and one row of activations, which memory paces: codes are unpacked on the way.
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
HEDDLE_INLINE Lanes operator+(Lanes a, Lanes b) {
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) a.v[i] = a.v[i] + b.v[i];
  return a;
}
HEDDLE_INLINE Lanes operator-(Lanes a, Lanes b) {
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i) a.v[i] = a.v[i] - b.v[i];
  return a;
}
HEDDLE_INLINE Lanes zeroLanes() {
  Lanes r;
  HEDDLE_UNROLL
  for (Vec& v : r.v) v = broadcast(0.0F);
  return r;
}
HEDDLE_INLINE Lanes floatsOf(Sums s) {
  Lanes r;
  toFloat(s, r.v);
  return r;
}

/// Stores columns from `at` on of a row, of which `cols` exist.
HEDDLE_INLINE void storeReal(float* y, Lanes lanes, std::size_t cols, std::size_t at) {
  HEDDLE_UNROLL
  for (std::size_t i = 0; i < kParts; ++i, at += kWidth) {
    if (at + kWidth <= cols) {
      store(y + at, lanes.v[i]);
    } else if (at < cols) {
      storePart(y + at, lanes.v[i], cols - at);
    }
  }
}

/// Words of four elements that follow each other in one chain.
template <BlockFormat F>
inline constexpr std::size_t kRun = 8 / chainsOf(F);

/// Eight words of codes, which are all of a group, times the activations.
template <BlockFormat F, std::size_t Group>
HEDDLE_INLINE Run runOf(const std::uint8_t* block, const std::int8_t* x) {
  Run run = zeroRun();
  eachIndex<8>([&](auto word) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kWord = decltype(word)::value;
    run = addToRun(run, Unpack<F>::template codes<Group, kWord>(block), x + kWord * 4);
  });
  return run;
}

/// acc + codes of the words of a chain of a block, or of a group, times the activations, unscaled.
template <BlockFormat F, std::size_t Group, std::size_t Word>
HEDDLE_INLINE Sums dotWords(const std::uint8_t* block, const std::int8_t* x, Sums acc) {
  using U = Unpack<F>;
  if constexpr (kRun<F> == 1) {
    return dot<U::kWide>(acc, U::template codes<Group, Word>(block), x + Word * 4);
  } else {
    return addRun(acc, runOf<F, Group>(block, x));
  }
}

template <BlockFormat F>
HEDDLE_INLINE void plainBlock(const std::uint8_t* block, const std::int8_t* x, float scale, const std::int32_t* sums,
                              Lanes* chains) {
  const Lanes d = scaled(halves(block + Unpack<F>::kScale), scale);
  eachIndex<chainsOf(F)>([&](auto chain) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kChain = decltype(chain)::value;
    const Sums zero = broadcastSum(Unpack<F>::kZero == 0 ? 0 : sums[kChain]);
    chains[kChain] = fma(floatsOf(dotWords<F, 0, kChain * kRun<F>>(block, x, zero)), d, chains[kChain]);
  });
}

/// The scales and minima of a block's groups as bytes, wherever the format has them.
template <BlockFormat F>
struct GroupScales {
  static constexpr std::size_t kGroups = layoutOf(F).elements / layoutOf(F).group;
  std::uint8_t small[Unpack<F>::kMinimum ? 2 * kGroups * kPanelRows : 1];
  const std::uint8_t* scales;

  GroupScales(const GroupScales&) = delete;  // may point into itself
  HEDDLE_INLINE explicit GroupScales(const std::uint8_t* block) {
    if constexpr (Unpack<F>::kMinimum) {
      unpackScales(block + Unpack<F>::kGroupScales, small);
      scales = small;
    } else {
      scales = block + Unpack<F>::kGroupScales;
    }
  }
  /// As addFactored wants it, or addRun.
  HEDDLE_INLINE Sums factor(std::size_t group) const {
    const std::uint8_t* at = scales + group * kPanelRows;
    if constexpr (chainsOf(F) == 1) return unsignedRunFactor(at);
    else if constexpr (Unpack<F>::kMinimum) return unsignedFactor(at);
    else return signedFactor(at);
  }
  /// What the sums of codes of groups 2 i and 2 i + 1 are multiplied with: minima, or the zero point in units of their scales.
  HEDDLE_INLINE Sums ofSums(std::size_t i) const {
    if constexpr (Unpack<F>::kMinimum) {
      const std::uint8_t* at = small + (kGroups + 2 * i) * kPanelRows;
      return unsignedPair(at, at + kPanelRows);
    } else {
      const std::uint8_t* at = scales + 2 * i * kPanelRows;
      return timesPair(signedPair(at, at + kPanelRows), -Unpack<F>::kZero);
    }
  }
};

template <BlockFormat F>
HEDDLE_INLINE void groupedBlock(const std::uint8_t* block, const std::int8_t* x, float scale, const std::int32_t* sums,
                                Lanes* chains, Lanes& least) {
  using U = Unpack<F>;
  constexpr std::size_t kGroup = layoutOf(F).group, kGroups = layoutOf(F).elements / kGroup, kWords = kGroup / 4;
  const GroupScales<F> groups(block);
  const Lanes d = scaled(halves(block + U::kScale), scale);
  if constexpr (chainsOf(F) == 1) {
    Sums part = broadcastSum(0);
    eachIndex<kGroups>([&](auto group) HEDDLE_INLINE_LAMBDA {
      constexpr std::size_t kIndex = decltype(group)::value;
      part = addRun(part, runOf<F, kIndex>(block, x + kIndex * kGroup), groups.factor(kIndex));
    });
    chains[0] = fma(floatsOf(part), d, chains[0]);
  } else {
    // A chain at a time, whose sums stay in registers: the factors that it reads again are fewer than the sums of all.
    Sums factors[kGroups];
    HEDDLE_UNROLL
    for (std::size_t g = 0; g < kGroups; ++g) factors[g] = groups.factor(g);
    eachIndex<chainsOf(F)>([&](auto chain) HEDDLE_INLINE_LAMBDA {
      constexpr std::size_t kChain = decltype(chain)::value;
      Sums part = broadcastSum(0);  // ggml takes the zero points of two groups from one of the chains
      if constexpr (!U::kMinimum) part = addPair(part, groups.ofSums(kChain), sums[kChain]);
      eachIndex<kGroups * kWords / 8>([&](auto index) HEDDLE_INLINE_LAMBDA {
        constexpr std::size_t kWord = decltype(index)::value * 8 + kChain, kIndex = kWord / kWords;
        part = addFactored(part, U::template codes<kIndex, kWord % kWords>(block), x + kWord * 4, factors[kIndex]);
      });
      chains[kChain] = fma(floatsOf(part), d, chains[kChain]);
    });
  }
  if constexpr (U::kMinimum) {
    Sums taken = broadcastSum(0);
    HEDDLE_UNROLL
    for (std::size_t g = 0; g < kGroups / 2; ++g) taken = addPair(taken, groups.ofSums(g), sums[g]);
    least = fma(floatsOf(taken), scaled(halves(block + U::kLeast), scale), least);
  }
}

/// Ahead of a row's product weights are asked for by so many bytes: processors fetch ahead of plain loads only within a page,
/// and too late beside the work that a block takes. The end of a panel asks for the beginning of the next.
constexpr std::size_t kBytesAhead = 2048, kCacheLine = 64;

/// One row of activations.
template <BlockFormat F>
void rowProduct(const BlockProduct& p) {
  constexpr BlockLayout kLayout = layoutOf(F);
  constexpr std::size_t kChains = chainsOf(F);
  const auto* block = reinterpret_cast<const std::uint8_t*>(p.panels);
  for (std::size_t j = 0; j < p.count * kPanelRows; j += kPanelRows) {
    const std::int8_t* x = p.x.codes;
    const std::int32_t* sums = p.x.sums;
    Lanes chains[kChains], least = zeroLanes();
    HEDDLE_UNROLL
    for (Lanes& c : chains) c = zeroLanes();
    for (std::size_t b = 0; b < p.k / kLayout.elements; ++b) {
      for (std::size_t at = 0; at < kLayout.bytes * kPanelRows; at += kCacheLine) prefetch(block + kBytesAhead + at);
      if constexpr (hasGroups(F)) {
        groupedBlock<F>(block, x, p.x.scales[b], sums, chains, least);
      } else {
        plainBlock<F>(block, x, p.x.scales[b], sums, chains);
      }
      block += kLayout.bytes * kPanelRows;
      x += kLayout.elements;
      sums += kLayout.elements / sumElements(F);
    }
    HEDDLE_UNROLL
    for (std::size_t half = kChains / 2; half > 0; half /= 2) {
      HEDDLE_UNROLL
      for (std::size_t c = 0; c < half; ++c) chains[c] = chains[c] + chains[c + half];
    }
    storeReal(p.y, Unpack<F>::kMinimum ? chains[0] - least : chains[0], p.cols, j);
  }
}

}  // namespace heddle::HEDDLE_ISA
