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

/// Codes of N words from `Word` of a group on, times the activations.
template <BlockFormat F, std::size_t Group, std::size_t Word, std::size_t N>
HEDDLE_INLINE Sums dotWords(const std::uint8_t* block, const std::int8_t* x, Sums sum) {
  eachIndex<N>([&](auto word) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kWord = Word + decltype(word)::value;
    sum = dot<Unpack<F>::kWide>(sum, Unpack<F>::template codes<Group, kWord>(block), x + kWord * 4);
  });
  return sum;
}

template <BlockFormat F>
HEDDLE_INLINE void plainBlock(const std::uint8_t* block, const std::int8_t* x, float scale, const std::int32_t* sums,
                              Lanes* chains) {
  const Lanes d = scaled(halves(block + Unpack<F>::kScale), scale);
  eachIndex<chainsOf(F)>([&](auto chain) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kChain = decltype(chain)::value;
    const Sums zero = broadcastSum(Unpack<F>::kZero == 0 ? 0 : sums[kChain]);
    chains[kChain] = fma(floatsOf(dotWords<F, 0, kChain * kRun<F>, kRun<F>>(block, x, zero)), d, chains[kChain]);
  });
}

/// Of two groups.
HEDDLE_INLINE std::int32_t sumOfGroup(const std::int32_t* sums, std::size_t group) {
  return group % 2 == 0 ? static_cast<std::int16_t>(sums[group / 2] & 0xffff) : sums[group / 2] >> 16;
}

template <BlockFormat F>
HEDDLE_INLINE void groupedBlock(const std::uint8_t* block, const std::int8_t* x, float scale, const std::int32_t* sums,
                                Lanes* chains, Lanes& least) {
  using U = Unpack<F>;
  constexpr std::size_t kGroup = layoutOf(F).group, kGroups = layoutOf(F).elements / kGroup, kWords = kGroup / 4;
  constexpr std::size_t kChains = chainsOf(F), kLength = kRun<F> < kWords ? kRun<F> : kWords;
  std::uint8_t small[U::kMinimum ? 2 * kGroups * kPanelRows : 1];
  if constexpr (U::kMinimum) unpackScales(block + U::kGroupScales, small);
  Sums part[kChains];
  HEDDLE_UNROLL
  for (Sums& p : part) p = broadcastSum(0);
  eachIndex<kGroups>([&](auto group) HEDDLE_INLINE_LAMBDA {
    constexpr std::size_t kIndex = decltype(group)::value;
    const Sums factor = U::kMinimum ? loadUnsigned(small + kIndex * kPanelRows)
                                    : loadSigned(block + U::kGroupScales + kIndex * kPanelRows);
    eachIndex<kWords / kLength>([&](auto run) HEDDLE_INLINE_LAMBDA {
      constexpr std::size_t kWord = decltype(run)::value * kLength;
      constexpr std::size_t kChain = (kIndex * kWords + kWord) % 8 / kRun<F>;
      const Sums sum = dotWords<F, kIndex, kWord, kLength>(block, x + kIndex * kGroup, broadcastSum(0));
      part[kChain] = multiplyAdd(sum, factor, part[kChain]);
    });
    if constexpr (!U::kMinimum) {  // ggml takes the zero points of two groups from one of the sums
      part[kIndex / 2] = multiplyAdd(broadcastSum(-U::kZero * sumOfGroup(sums, kIndex)), factor, part[kIndex / 2]);
    }
  });
  const Lanes d = scaled(halves(block + U::kScale), scale);
  HEDDLE_UNROLL
  for (std::size_t c = 0; c < kChains; ++c) chains[c] = fma(floatsOf(part[c]), d, chains[c]);
  if constexpr (U::kMinimum) {
    Sums taken = broadcastSum(0);
    for (std::size_t g = 0; g < kGroups; ++g) {
      taken = multiplyAdd(loadUnsigned(small + (kGroups + g) * kPanelRows), broadcastSum(sumOfGroup(sums, g)), taken);
    }
    least = fma(floatsOf(taken), scaled(halves(block + U::kLeast), scale), least);
  }
}

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
