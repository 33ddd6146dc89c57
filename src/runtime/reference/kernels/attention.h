// Attention by online softmax (FlashAttention, Dao et al. 2022): scores exist one tile at a time, and a running maximum
// and sum per query rescale what has been accumulated. Tiles that the mask hides entirely are never read.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// Keys of the tile [first, first + count) that query i may see, as lanes [low, high) of the tile.
struct Visible {
  std::size_t low, high;
};
HEDDLE_INLINE Visible visible(const AttentionTile& t, std::size_t query, std::size_t first, std::size_t count) {
  Visible r{0, count};
  const std::size_t end = t.offset + query + 1;  // one past the query's own position
  if (t.causal) r.high = end <= first ? 0 : (end - first < count ? end - first : count);
  if (t.window != 0 && end > t.window && end - t.window > first) r.low = end - t.window - first;
  return r;
}

/// Turns one row of scores into weights, updating the row's maximum and sum. Returns the factor for what came before.
HEDDLE_INLINE float weigh(float* row, std::size_t count, Visible seen, float scale, float& top, float& total) {
  if (seen.low >= seen.high) {
    for (std::size_t j = 0; j < count; ++j) row[j] = 0.0F;
    return 1.0F;
  }
  float highest = rowMaximum(row + seen.low, seen.high - seen.low) * scale;
  highest = highest > top ? highest : top;
  const float sumOfTile = expSum(row + seen.low, row + seen.low, seen.high - seen.low, scale, highest);
  for (std::size_t j = 0; j < seen.low; ++j) row[j] = 0.0F;
  for (std::size_t j = seen.high; j < count; ++j) row[j] = 0.0F;
  const float factor = top == kMinusInfinity ? 0.0F : maximum(exp(broadcast(top - highest)));
  top = highest;
  total = total * factor + sumOfTile;
  return factor;
}

void attention(const AttentionTile& t) {
  const std::size_t rows = t.end - t.begin, d = t.headDim;
  float* scores = t.scratch;
  float* acc = scores + rows * t.blockK;
  float* top = acc + rows * d;
  float* total = top + rows;
  float* packed = total + rows;
  for (std::size_t i = 0; i < rows * d; ++i) acc[i] = 0.0F;
  for (std::size_t i = 0; i < rows; ++i) {
    top[i] = kMinusInfinity;
    total[i] = 0.0F;
  }
  const std::size_t end = t.causal && t.offset + t.end < t.keys ? t.offset + t.end : t.keys;
  const std::size_t oldest = t.offset + t.begin + 1;
  const std::size_t start = t.window != 0 && oldest > t.window ? (oldest - t.window) / t.blockK * t.blockK : 0;
  for (std::size_t first = start, count = 0; first < end; first += count) {
    // Where the keys of the tile lie; a tile does not go round.
    const std::size_t row = t.ring != 0 ? first % t.ring : first;
    count = end - first < t.blockK ? end - first : t.blockK;
    if (t.ring != 0 && t.ring - row < count) count = t.ring - row;
    GemmBlock qk{rows, count, d, t.q + t.begin * d, kTileRows * d, d, 1, nullptr, 0, 0, scores, t.blockK, false};
    if (t.keysTransposed) {
      qk.b = t.k + row;
      qk.panelB = kTileCols;
      qk.rowB = t.ldk;
    } else if (rows == 1) {
      dotRowsOf<float, 1>({1, count, d, t.q + t.begin * d, d, t.k + row * d, d, scores, t.blockK});
    } else {
      packCols<float>(t.k + row * d, d, count, d, packed);
      qk.b = packed;
      qk.panelB = kTileCols * d;
      qk.rowB = kTileCols;
    }
    if (qk.b != nullptr) gemm(qk);
    for (std::size_t i = 0; i < rows; ++i) {
      const Visible seen = visible(t, t.begin + i, first, count);
      const float factor = weigh(scores + i * t.blockK, count, seen, t.scale, top[i], total[i]);
      if (factor != 1.0F) scaleRow(acc + i * d, d, factor);
    }
    gemm({rows, d, count, scores, kTileRows * t.blockK, t.blockK, 1, t.v + row * d, kTileCols, d, acc, d, true});
  }
  for (std::size_t i = 0; i < rows; ++i) {
    scaleRow(acc + i * d, d, total[i] > 0.0F ? 1.0F / total[i] : 0.0F);
    float* out = t.out + (t.begin + i) * d;
    for (std::size_t j = 0; j < d; ++j) out[j] = acc[i * d + j];
  }
}

}  // namespace heddle::HEDDLE_ISA
