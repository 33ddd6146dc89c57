// Attention of one query over a cache, a step of decoding: all of its scores exist at once. Sums run in the order of ggml's
// dot products on AVX-512, on every instruction set, so that what is computed from its files is the same to the bit: 64
// chains, of which chain c adds elements c, c + 64, c + 128 ... one by one, and then the chains by halves, c and c + 32
// first. Elements are dimensions of a key, or keys, counted from position 0.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kChains = 64, kFold = 16;

/// Sixteen sums added by halves.
HEDDLE_INLINE Vec folded(Vec* part, std::size_t stride = 1) {
  HEDDLE_UNROLL
  for (std::size_t half = kFold / 2; half > 0; half /= 2) {
    HEDDLE_UNROLL
    for (std::size_t i = 0; i < half; ++i) part[i * stride] = part[i * stride] + part[(i + half) * stride];
  }
  return part[0];
}

/// Calls chain(c, sums) for all chains, where it adds up V vectors, and stores their total.
template <std::size_t V, class Chain>
HEDDLE_INLINE void addChains(float* y, std::size_t last, Chain chain) {
  Vec part[kFold][V];
  for (std::size_t i = 0; i < kFold; ++i) {
    Vec c[kChains / kFold][V];
    HEDDLE_UNROLL
    for (std::size_t j = 0; j < kChains / kFold; ++j) {
      HEDDLE_UNROLL
      for (Vec& v : c[j]) v = broadcast(0.0F);
      chain(i + j * kFold, c[j]);
    }
    HEDDLE_UNROLL
    for (std::size_t v = 0; v < V; ++v) part[i][v] = (c[0][v] + c[2][v]) + (c[1][v] + c[3][v]);
  }
  HEDDLE_UNROLL
  for (std::size_t v = 0; v < V; ++v) {
    const Vec total = folded(&part[0][v], V);
    storeLanes(y + v * kWidth, total, v == V - 1 ? last : kWidth);
  }
}

/// Scores of V vectors of keys, of which the last has `last`: k [headDim, ...] with row distance ldk.
template <std::size_t V>
HEDDLE_INLINE void scoresOf(const float* q, const float* k, std::size_t ldk, std::size_t d, std::size_t last, float* y) {
  addChains<V>(y, last, [&](std::size_t c, Vec* sums) HEDDLE_INLINE_LAMBDA {
    for (std::size_t i = c; i < d; i += kChains) {
      const Vec x = broadcast(q[i]);
      HEDDLE_UNROLL
      for (std::size_t v = 0; v < V; ++v) {
        sums[v] = fma(x, loadLanes(k + i * ldk + v * kWidth, v == V - 1 ? last : kWidth), sums[v]);
      }
    }
  });
}

/// A run of keys that lie side by side.
HEDDLE_INLINE void scoreRun(const AttentionTile& t, std::size_t row, std::size_t count, float* y) {
  const float* k = t.k + row;
  std::size_t i = 0;
  for (; i + kTileCols <= count; i += kTileCols) {
    scoresOf<kTileVectors>(t.q, k + i, t.ldk, t.headDim, kWidth, y + i);
  }
  for (; i < count; i += kWidth) {
    scoresOf<1>(t.q, k + i, t.ldk, t.headDim, count - i < kWidth ? count - i : kWidth, y + i);
  }
}

/// Turns scores, n of them and a multiple of kFold, into weights. Sums of 16, by halves, are added in double.
HEDDLE_INLINE void weights(float* y, std::size_t n, float scale) {
  scaleRow(y, n, scale);
  const Vec top = broadcast(rowMaximum(y, n));
  double total = 0.0;
  for (std::size_t i = 0; i < n; i += kFold) {
    for (std::size_t j = i; j < i + kFold; j += kWidth) store(y + j, exp(load(y + j) - top));
    float part[kFold];
    for (std::size_t j = 0; j < kFold; ++j) part[j] = y[i + j];
    for (std::size_t half = kFold / 2; half > 0; half /= 2) {
      for (std::size_t j = 0; j < half; ++j) part[j] += part[j + half];
    }
    total += part[0];
  }
  scaleRow(y, n, total > 0.0 ? static_cast<float>(1.0 / total) : 0.0F);
}

/// V vectors of the weighted sum of values.
template <std::size_t V>
HEDDLE_INLINE void mixOf(const AttentionTile& t, const float* w, std::size_t base, std::size_t low, std::size_t n,
                         std::size_t at, std::size_t last) {
  const std::size_t ring = t.ring != 0 ? t.ring : t.keys;
  addChains<V>(t.out + at, last, [&](std::size_t c, Vec* sums) HEDDLE_INLINE_LAMBDA {
    std::size_t i = c < low ? c + kChains : c;
    for (std::size_t row = base + i; i < n; i += kChains, row += kChains) {
      if (row >= ring) row %= ring;
      const Vec x = broadcast(w[i]);
      const float* value = t.v + row * t.headDim + at;
      HEDDLE_UNROLL
      for (std::size_t v = 0; v < V; ++v) {
        sums[v] = fma(x, loadLanes(value + v * kWidth, v == V - 1 ? last : kWidth), sums[v]);
      }
    }
  });
}

/// Query 0 of the tile; keys must be transposed. The scratch holds attentionStepScratch(...) floats.
void attentionStep(const AttentionTile& t) {
  const std::size_t end = t.offset + 1 < t.keys ? t.offset + 1 : t.keys;
  const std::size_t first = t.window != 0 && t.offset + 1 > t.window ? t.offset + 1 - t.window : 0;
  if (first >= end) {
    for (std::size_t i = 0; i < t.headDim; ++i) t.out[i] = 0.0F;
    return;
  }
  const std::size_t base = first / kChains * kChains, low = first - base, n = end - base;
  const std::size_t padded = (n + kFold - 1) / kFold * kFold;
  float* w = t.scratch;
  for (std::size_t i = 0; i < low; ++i) w[i] = kMinusInfinity;
  for (std::size_t i = n; i < padded; ++i) w[i] = kMinusInfinity;
  for (std::size_t i = low, count = 0; i < n; i += count) {
    const std::size_t row = t.ring != 0 ? (base + i) % t.ring : base + i;
    count = t.ring != 0 && t.ring - row < n - i ? t.ring - row : n - i;
    scoreRun(t, row, count, w + i);
  }
  weights(w, padded, t.scale);
  std::size_t at = 0;
  for (; at + kTileCols <= t.headDim; at += kTileCols) mixOf<kTileVectors>(t, w, base, low, n, at, kWidth);
  for (; at < t.headDim; at += kWidth) {
    mixOf<1>(t, w, base, low, n, at, t.headDim - at < kWidth ? t.headDim - at : kWidth);
  }
}

}  // namespace heddle::HEDDLE_ISA
