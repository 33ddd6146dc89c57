// Matrix product by register tiles: 6 rows by kTileVectors vectors of c stay in registers while k runs.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kTileRows = 6;
constexpr std::size_t kTileCols = kTileVectors * kWidth;

/// `last` lanes of the last vector are real; the others are neither read nor written.
template <std::size_t R, std::size_t V, bool Partial>
HEDDLE_INLINE void tile(const GemmBlock& g, const float* a, const float* b, float* c, std::size_t last) {
  Vec acc[R][V];
  HEDDLE_UNROLL
  for (std::size_t r = 0; r < R; ++r) {
    HEDDLE_UNROLL
    for (std::size_t v = 0; v < V; ++v) {
      if (!g.accumulate) {
        acc[r][v] = broadcast(0.0F);
      } else if (Partial && v == V - 1) {
        acc[r][v] = loadPart(c + r * g.ldc + v * kWidth, last);
      } else {
        acc[r][v] = load(c + r * g.ldc + v * kWidth);
      }
    }
  }
  for (std::size_t i = 0; i < g.k; ++i) {
    Vec row[V];
    HEDDLE_UNROLL
    for (std::size_t v = 0; v < V; ++v) {
      row[v] = Partial && v == V - 1 ? loadPart(b + v * kWidth, last) : load(b + v * kWidth);
    }
    HEDDLE_UNROLL
    for (std::size_t r = 0; r < R; ++r) {
      const Vec x = broadcast(a[r * g.rowA]);
      HEDDLE_UNROLL
      for (std::size_t v = 0; v < V; ++v) acc[r][v] = fma(x, row[v], acc[r][v]);
    }
    a += g.colA;
    b += g.rowB;
  }
  HEDDLE_UNROLL
  for (std::size_t r = 0; r < R; ++r) {
    HEDDLE_UNROLL
    for (std::size_t v = 0; v < V; ++v) {
      if (Partial && v == V - 1) {
        storePart(c + r * g.ldc + v * kWidth, acc[r][v], last);
      } else {
        store(c + r * g.ldc + v * kWidth, acc[r][v]);
      }
    }
  }
}

/// All row groups of one column panel of `cols` columns.
template <std::size_t R, std::size_t V, bool Partial>
void rowGroup(const GemmBlock& g, const float* a, const float* b, float* c, std::size_t last) {
  tile<R, V, Partial>(g, a, b, c, last);
}

template <std::size_t V, bool Partial>
void columnPanel(const GemmBlock& g, const float* b, float* c, std::size_t last) {
  std::size_t i = 0;
  const float* panel = g.a;
  for (; i + kTileRows <= g.m; i += kTileRows, panel += g.panelA) {
    rowGroup<kTileRows, V, Partial>(g, panel, b, c + i * g.ldc, last);
  }
  std::size_t within = 0;
  if (g.m - i >= 4) {
    rowGroup<4, V, Partial>(g, panel, b, c + i * g.ldc, last);
    i += 4;
    within += 4;
  }
  if (g.m - i >= 2) {
    rowGroup<2, V, Partial>(g, panel + within * g.rowA, b, c + i * g.ldc, last);
    i += 2;
    within += 2;
  }
  if (g.m > i) rowGroup<1, V, Partial>(g, panel + within * g.rowA, b, c + i * g.ldc, last);
}

template <std::size_t V>
void lastPanel(const GemmBlock& g, const float* b, float* c, std::size_t cols) {
  if constexpr (V > 1) {
    if (cols <= (V - 1) * kWidth) return lastPanel<V - 1>(g, b, c, cols);
  }
  const std::size_t last = cols - (V - 1) * kWidth;
  if (last == kWidth) return columnPanel<V, false>(g, b, c, last);
  columnPanel<V, true>(g, b, c, last);
}

void gemm(const GemmBlock& g) {
  std::size_t j = 0;
  const float* b = g.b;
  for (; j + kTileCols <= g.n; j += kTileCols, b += g.panelB) columnPanel<kTileVectors, false>(g, b, g.c + j, kWidth);
  if (j < g.n) lastPanel<kTileVectors>(g, b, g.c + j, g.n - j);
}

void packRows(const float* a, std::size_t lda, std::size_t m, std::size_t k, float* packed) {
  for (std::size_t i = 0; i < m; i += kTileRows, packed += kTileRows * k) {
    const std::size_t rows = m - i < kTileRows ? m - i : kTileRows;
    for (std::size_t r = 0; r < kTileRows; ++r) {
      const float* row = a + (i + r) * lda;
      for (std::size_t j = 0; j < k; ++j) packed[j * kTileRows + r] = r < rows ? row[j] : 0.0F;
    }
  }
}

template <class W>
void packCols(const void* b, std::size_t ldb, std::size_t n, std::size_t k, float* packed) {
  const W* w = static_cast<const W*>(b);
  for (std::size_t j = 0; j < n; j += kWidth) {
    const std::size_t rows = n - j < kWidth ? n - j : kWidth;
    float* panel = packed + (j / kTileCols) * kTileCols * k + j % kTileCols;
    for (std::size_t i = 0; i < k; i += kWidth) {
      const std::size_t cols = k - i < kWidth ? k - i : kWidth;
      Vec block[kWidth];
      for (std::size_t r = 0; r < kWidth; ++r) {
        const W* at = w + (j + r) * ldb + i;
        block[r] = r >= rows ? broadcast(0.0F) : cols == kWidth ? load(at) : loadPart(at, cols);
      }
      transpose(block);
      for (std::size_t c = 0; c < cols; ++c) store(panel + (i + c) * kTileCols, block[c]);
    }
  }
}

}  // namespace heddle::HEDDLE_ISA
