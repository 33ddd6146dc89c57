// Attention of one position over a cache, a step of decoding: all of its scores exist at once, for heads that share keys side by
// side. Sums run in the order of ggml's dot products on AVX-512, on every instruction set, so that what is computed from its files
// is the same to the bit: 64 chains, of which chain c adds elements c, c + 64, c + 128 ... one by one, and then the chains by
// halves, c and c + 32 first. Elements are dimensions of a key, or keys, counted from position 0.
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

/// Calls chain(c, sums) for all chains, where it adds up V vectors of each of H heads, and stores their totals, `ldy` apart.
template <std::size_t H, std::size_t V, class Chain>
HEDDLE_INLINE void addChains(float* y, std::size_t ldy, std::size_t last, Chain chain) {
  Vec part[kFold][H][V];
  for (std::size_t i = 0; i < kFold; ++i) {
    Vec c[kChains / kFold][H][V];
    HEDDLE_UNROLL
    for (std::size_t j = 0; j < kChains / kFold; ++j) {
      HEDDLE_UNROLL
      for (auto& head : c[j]) {
        HEDDLE_UNROLL
        for (Vec& v : head) v = broadcast(0.0F);
      }
      chain(i + j * kFold, c[j]);
    }
    HEDDLE_UNROLL
    for (std::size_t h = 0; h < H; ++h) {
      HEDDLE_UNROLL
      for (std::size_t v = 0; v < V; ++v) part[i][h][v] = (c[0][h][v] + c[2][h][v]) + (c[1][h][v] + c[3][h][v]);
    }
  }
  for (std::size_t h = 0; h < H; ++h) {
    HEDDLE_UNROLL
    for (std::size_t v = 0; v < V; ++v) {
      const Vec total = folded(&part[0][h][v], H * V);
      storeLanes(y + h * ldy + v * kWidth, total, v == V - 1 ? last : kWidth);
    }
  }
}

/// sums[h] += x[h ldx] times V vectors, of which the last has `last` lanes.
template <std::size_t H, std::size_t V>
HEDDLE_INLINE void addScaled(const float* x, std::size_t ldx, const float* vectors, std::size_t last, Vec (*sums)[V]) {
  Vec row[V];
  HEDDLE_UNROLL
  for (std::size_t v = 0; v < V; ++v) row[v] = loadLanes(vectors + v * kWidth, v == V - 1 ? last : kWidth);
  HEDDLE_UNROLL
  for (std::size_t h = 0; h < H; ++h) {
    const Vec factor = broadcast(x[h * ldx]);
    HEDDLE_UNROLL
    for (std::size_t v = 0; v < V; ++v) sums[h][v] = fma(factor, row[v], sums[h][v]);
  }
}

/// Scores of V vectors of keys: k [headDim, ...] with row distance ldk.
template <std::size_t H, std::size_t V>
HEDDLE_INLINE void scoresOf(const AttentionTile& t, const float* q, const float* k, std::size_t last, float* y,
                            std::size_t ldy) {
  addChains<H, V>(y, ldy, last, [&](std::size_t c, Vec(*sums)[V]) HEDDLE_INLINE_LAMBDA {
    for (std::size_t i = c; i < t.headDim; i += kChains) {
      addScaled<H, V>(q + i, t.headStride, k + i * t.ldk, last, sums);
    }
  });
}

/// A run of keys that lie side by side.
template <std::size_t H>
HEDDLE_INLINE void scoreRun(const AttentionTile& t, const float* q, std::size_t row, std::size_t count, float* y,
                            std::size_t ldy) {
  const float* k = t.k + row;
  std::size_t i = 0;
  for (; i + kTileCols <= count; i += kTileCols) scoresOf<H, kTileVectors>(t, q, k + i, kWidth, y + i, ldy);
  for (; i < count; i += kWidth) scoresOf<H, 1>(t, q, k + i, count - i < kWidth ? count - i : kWidth, y + i, ldy);
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

/// The keys that a position sees, from a multiple of kChains on.
struct SeenKeys {
  std::size_t base, low, n;  ///< keys base + low to base + n
};

/// V vectors of the weighted sum of values.
template <std::size_t H, std::size_t V>
HEDDLE_INLINE void mixOf(const AttentionTile& t, const float* w, std::size_t ldw, const SeenKeys& keys, float* out,
                         std::size_t at, std::size_t last) {
  const std::size_t ring = t.ring != 0 ? t.ring : t.keys;
  addChains<H, V>(out + at, t.headStride, last, [&](std::size_t c, Vec(*sums)[V]) HEDDLE_INLINE_LAMBDA {
    std::size_t i = c < keys.low ? c + kChains : c;
    for (std::size_t row = keys.base + i; i < keys.n; i += kChains, row += kChains) {
      if (row >= ring) row %= ring;
      addScaled<H, V>(w + i, ldw, t.v + row * t.headDim + at, last, sums);
    }
  });
}

template <std::size_t H>
void stepOf(const AttentionTile& t, const float* q, const SeenKeys& keys, float* out) {
  const auto [base, low, n] = keys;
  const std::size_t padded = (n + kFold - 1) / kFold * kFold;
  float* w = t.scratch;
  for (std::size_t h = 0; h < H; ++h) {
    for (std::size_t i = 0; i < low; ++i) w[h * padded + i] = kMinusInfinity;
    for (std::size_t i = n; i < padded; ++i) w[h * padded + i] = kMinusInfinity;
  }
  for (std::size_t i = low, count = 0; i < n; i += count) {
    const std::size_t row = t.ring != 0 ? (base + i) % t.ring : base + i;
    count = t.ring != 0 && t.ring - row < n - i ? t.ring - row : n - i;
    scoreRun<H>(t, q, row, count, w + i, padded);
  }
  for (std::size_t h = 0; h < H; ++h) weights(w + h * padded, padded, t.scale);
  std::size_t at = 0;
  for (; at + kTileCols <= t.headDim; at += kTileCols) mixOf<H, kTileVectors>(t, w, padded, keys, out, at, kWidth);
  for (; at < t.headDim; at += kWidth) {
    mixOf<H, 1>(t, w, padded, keys, out, at, t.headDim - at < kWidth ? t.headDim - at : kWidth);
  }
}

/// Query 0 of the tile's heads; keys must be transposed.
void attentionStep(const AttentionTile& t) {
  const std::size_t end = t.offset + 1 < t.keys ? t.offset + 1 : t.keys;
  const std::size_t first = t.window != 0 && t.offset + 1 > t.window ? t.offset + 1 - t.window : 0;
  std::size_t h = 0;
  if (first >= end) {
    for (; h < t.heads; ++h) {
      for (std::size_t i = 0; i < t.headDim; ++i) t.out[h * t.headStride + i] = 0.0F;
    }
    return;
  }
  const std::size_t base = first / kChains * kChains;
  const SeenKeys keys{base, first - base, end - base};
  for (; h + 4 <= t.heads; h += 4) stepOf<4>(t, t.q + h * t.headStride, keys, t.out + h * t.headStride);
  for (; h + 2 <= t.heads; h += 2) stepOf<2>(t, t.q + h * t.headStride, keys, t.out + h * t.headStride);
  for (; h < t.heads; ++h) stepOf<1>(t, t.q + h * t.headStride, keys, t.out + h * t.headStride);
}

}  // namespace heddle::HEDDLE_ISA
