// Fixed-point arithmetic. Integer sums are exact, so every instruction set and every order gives the same bits; what is not a
// sum is done in double precision exactly as src/ir/evaluate/quantize.ts writes it down.
#pragma once

namespace heddle::HEDDLE_ISA {

/// Products of 16-bit activations and 8-bit weights are below 2^22, a pair of them below 2^23: a 32-bit lane holds 255
/// pairs.
constexpr std::size_t kExactSteps = 254;

template <class Q>
void widenFixed(const void* q, std::int16_t* y, std::size_t n) {
  constexpr int kMiddle = sizeof(Q) == 2 ? 32768 : 0;
  const Q* from = static_cast<const Q*>(q);
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<std::int16_t>(static_cast<int>(from[i]) - kMiddle);
}

static_assert(kBlockUnit % kIntWidth == 0);

/// M activation rows by R weight rows, whose blocks have scales where Blocks.
template <std::size_t M, std::size_t R, bool Blocks>
HEDDLE_INLINE void dotFixedBlock(const FixedRows& d, const std::int16_t* x, std::size_t j, std::int64_t* y) {
  const std::int8_t* w = d.w + j * d.k;
  std::int64_t total[M][R] = {};
  const std::size_t whole = d.k / kIntWidth * kIntWidth;
  for (std::size_t begin = 0; begin < whole; begin += kExactSteps * kIntWidth) {
    const std::size_t end = whole - begin < kExactSteps * kIntWidth ? whole : begin + kExactSteps * kIntWidth;
    IntVec acc[M][R];
    for (auto& row : acc) {
      for (IntVec& a : row) a = zeroInt();
    }
    for (std::size_t i = begin; i < end;) {
      std::size_t stop = end;
      IntVec scale[R];
      if constexpr (Blocks) {
        const std::size_t block = i / d.blockSize, blocks = d.k / d.blockSize;
        if ((block + 1) * d.blockSize < end) stop = (block + 1) * d.blockSize;
        for (std::size_t r = 0; r < R; ++r) scale[r] = splatInt(d.blockScales[(j + r) * blocks + block]);
      }
      for (; i < stop; i += kIntWidth) {
        IntVec weight[R];
        HEDDLE_UNROLL
        for (std::size_t r = 0; r < R; ++r) {
          weight[r] = loadInt(w + r * d.k + i);
          if constexpr (Blocks) weight[r] = multiplyInt(weight[r], scale[r]);
        }
        HEDDLE_UNROLL
        for (std::size_t m = 0; m < M; ++m) {
          const IntVec v = loadInt(x + m * d.k + i);
          HEDDLE_UNROLL
          for (std::size_t r = 0; r < R; ++r) acc[m][r] = multiplyAddPairs(v, weight[r], acc[m][r]);
        }
      }
    }
    for (std::size_t m = 0; m < M; ++m) {
      for (std::size_t r = 0; r < R; ++r) total[m][r] += sumInt(acc[m][r]);
    }
  }
  for (std::size_t m = 0; m < M; ++m) {
    for (std::size_t r = 0; r < R; ++r) {
      std::int64_t t = total[m][r];
      for (std::size_t i = whole; i < d.k; ++i) t += std::int64_t{x[m * d.k + i]} * w[r * d.k + i];
      y[m * d.ldy + r] = t;
    }
  }
}

template <std::size_t M, bool Blocks>
void dotFixedRowsOf(const FixedRows& d, const std::int16_t* x, std::int64_t* y) {
  // Accumulators and weights in registers; a single row is bound by memory, which serves one stream of weights best.
  constexpr std::size_t kRows = kIntAccumulators / M;
  std::size_t j = 0;
  for (; j + kRows <= d.n; j += kRows) dotFixedBlock<M, kRows, Blocks>(d, x, j, y + j);
  for (; j < d.n; ++j) dotFixedBlock<M, 1, Blocks>(d, x, j, y + j);
}

template <bool Blocks>
void dotFixedOf(const FixedRows& d) {
  std::size_t i = 0;
  for (; i + 4 <= d.m; i += 4) dotFixedRowsOf<4, Blocks>(d, d.x + i * d.k, d.y + i * d.ldy);
  for (; i + 2 <= d.m; i += 2) dotFixedRowsOf<2, Blocks>(d, d.x + i * d.k, d.y + i * d.ldy);
  if (i < d.m) dotFixedRowsOf<1, Blocks>(d, d.x + i * d.k, d.y + i * d.ldy);
}

void dotFixed(const FixedRows& d) {
  if (d.blockScales == nullptr) return dotFixedOf<false>(d);
  dotFixedOf<true>(d);
}

/// The nearest integer, halves to even, between the bounds; NaN counts as 0. A function of its own, so that no compiler
/// joins a product and a sum into one rounding.
HEDDLE_INLINE double roundTo(double x, double least, double most) {
  const double r = nearbyint(x == x ? x : 0.0);
  return r < least ? least : r > most ? most : r;
}

template <class Q>
void quantizeFixed(const float* x, void* q, std::size_t n, const FixedEncoding& e) {
  constexpr double kLeast = std::numeric_limits<Q>::min(), kMost = std::numeric_limits<Q>::max();
  Q* to = static_cast<Q*>(q);
  const double scale = e.scale, offset = e.offset, least = kLeast + offset, most = kMost + offset;
  for (std::size_t i = 0; i < n; ++i) {
    to[i] = static_cast<Q>(static_cast<int>(roundTo(static_cast<double>(x[i]) / scale, least, most) - offset));
  }
}

template <class Q>
void dequantizeFixed(const void* q, float* y, std::size_t n, const FixedEncoding& e) {
  const Q* from = static_cast<const Q*>(q);
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<float>(static_cast<int>(from[i]) + e.offset) * e.scale;
}

template <class Q>
void finishFixed(const FixedFinish& f, void* q, std::size_t n) {
  constexpr double kLeast = std::numeric_limits<Q>::min(), kMost = std::numeric_limits<Q>::max();
  Q* to = static_cast<Q*>(q);
  const double offset = f.offset, least = kLeast + offset, most = kMost + offset;
  for (std::size_t i = 0; i < n; ++i) {
    const double exact = static_cast<double>(f.sums[i] + f.bias[i]);
    to[i] = static_cast<Q>(static_cast<int>(roundTo(exact * f.factors[i], least, most) - offset));
  }
}

/// Kept apart from any sum that follows: see roundTo.
inline void finishScaled(const ScaledFinish& f, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<float>(f.sums[i] + f.bias[i]) * f.factors[i];
}

}  // namespace heddle::HEDDLE_ISA
