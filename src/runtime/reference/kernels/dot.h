// Few activation rows times many weight rows: bound by the memory that holds the weights, so each weight is read once
// and reused from a register for every activation row.
#pragma once

namespace heddle::HEDDLE_ISA {

constexpr std::size_t kDotMaxRows = 8;
constexpr std::size_t kCacheLine = 64;

/// M activation rows by R weight rows, U vectors per step: R * M * U accumulators. Memory serves one sequential stream
/// best, and its own prefetcher keeps up with a single row at a time. With more activation rows the loop is too slow
/// for it, and the next R rows are prefetched in address order, so that memory still sees one stream.
template <class W, std::size_t M, std::size_t R, std::size_t U>
HEDDLE_INLINE void dotBlock(const DotRows& d, const W* w, float* y) {
  Vec acc[U][R][M];
  for (auto& step : acc) {
    for (auto& row : step) {
      for (Vec& a : row) a = broadcast(0.0F);
    }
  }
  constexpr std::size_t kStep = U * kWidth;
  constexpr std::size_t kStepBytes = R * kStep * sizeof(W);
  const char* ahead = reinterpret_cast<const char*>(w + R * d.ldw);
  std::size_t i = 0;
  for (; i + kStep <= d.k; i += kStep, ahead += kStepBytes) {
    if constexpr (M > 2) {
      HEDDLE_UNROLL
      for (std::size_t b = 0; b < kStepBytes; b += kCacheLine) prefetch(ahead + b);
    }
    HEDDLE_UNROLL
    for (std::size_t u = 0; u < U; ++u) {
      Vec weight[R];
      HEDDLE_UNROLL
      for (std::size_t r = 0; r < R; ++r) weight[r] = load(w + r * d.ldw + i + u * kWidth);
      HEDDLE_UNROLL
      for (std::size_t m = 0; m < M; ++m) {
        Vec x = load(d.x + m * d.ldx + i + u * kWidth);
        keepInRegister(x);
        HEDDLE_UNROLL
        for (std::size_t r = 0; r < R; ++r) acc[u][r][m] = fma(x, weight[r], acc[u][r][m]);
      }
    }
  }
  for (; i < d.k; i += kWidth) {
    const std::size_t n = d.k - i < kWidth ? d.k - i : kWidth;
    for (std::size_t r = 0; r < R; ++r) {
      const Vec weight = loadPart(w + r * d.ldw + i, n);
      for (std::size_t m = 0; m < M; ++m) {
        acc[0][r][m] = fma(loadPart(d.x + m * d.ldx + i, n), weight, acc[0][r][m]);
      }
    }
  }
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t m = 0; m < M; ++m) {
      Vec total = acc[0][r][m];
      for (std::size_t u = 1; u < U; ++u) total = total + acc[u][r][m];
      y[m * d.ldy + r] = sum(total);
    }
  }
}

template <class W, std::size_t M>
void dotRowsOf(const DotRows& d) {
  // Up to two activation rows the weights alone set the pace; beyond, loads of x count and are shared by two weight
  // rows.
  constexpr std::size_t kRows = M > 2 && 2 * M <= kAccumulators ? 2 : 1;
  constexpr std::size_t kUnroll = 2 * kRows * M <= kAccumulators ? 2 : 1;
  const W* w = static_cast<const W*>(d.w);
  std::size_t j = 0;
  for (; j + kRows <= d.n; j += kRows) dotBlock<W, M, kRows, kUnroll>(d, w + j * d.ldw, d.y + j);
  for (; j < d.n; ++j) dotBlock<W, M, 1, kUnroll>(d, w + j * d.ldw, d.y + j);
}

template <class W>
void dotRows(const DotRows& d) {
  switch (d.m) {
    case 1: return dotRowsOf<W, 1>(d);
    case 2: return dotRowsOf<W, 2>(d);
    case 3: return dotRowsOf<W, 3>(d);
    case 4: return dotRowsOf<W, 4>(d);
    case 5: return dotRowsOf<W, 5>(d);
    case 6: return dotRowsOf<W, 6>(d);
    case 7: return dotRowsOf<W, 7>(d);
    default: return dotRowsOf<W, 8>(d);
  }
}

}  // namespace heddle::HEDDLE_ISA
