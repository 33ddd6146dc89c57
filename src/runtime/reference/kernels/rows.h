// Kernels that sweep one row: reductions, norms, softmax, epilogues.
#pragma once

namespace heddle::HEDDLE_ISA {

/// Calls body(i, lanes) for each vector of a row; only the last may have fewer lanes than kWidth.
template <class Body>
HEDDLE_INLINE void eachVector(std::size_t n, Body body) {
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) body(i, kWidth);
  if (i < n) body(i, n - i);
}
HEDDLE_INLINE Vec loadLanes(const float* p, std::size_t lanes) {
  return lanes == kWidth ? load(p) : loadPart(p, lanes);
}
HEDDLE_INLINE void storeLanes(float* p, Vec a, std::size_t lanes) {
  if (lanes == kWidth) {
    store(p, a);
  } else {
    storePart(p, a, lanes);
  }
}

float rowSum(const float* x, std::size_t n) {
  Vec total = broadcast(0.0F);
  eachVector(n, [&](std::size_t i, std::size_t lanes) { total = total + loadLanes(x + i, lanes); });
  return sum(total);
}

float rowMaximum(const float* x, std::size_t n) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  Vec vector = broadcast(kLowest);
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) vector = max(vector, load(x + i));
  float result = maximum(vector);
  for (; i < n; ++i) result = result > x[i] ? result : x[i];
  return result;
}

/// Writes (x - mean) * scale, then gamma and beta.
HEDDLE_INLINE void affine(const float* x, const float* gamma, const float* beta, float* y, std::size_t n, float mean,
                          float scale) {
  const Vec m = broadcast(mean), s = broadcast(scale);
  eachVector(n, [&](std::size_t i, std::size_t lanes) {
    Vec v = (loadLanes(x + i, lanes) - m) * s;
    if (gamma != nullptr) v = v * loadLanes(gamma + i, lanes);
    if (beta != nullptr) v = v + loadLanes(beta + i, lanes);
    storeLanes(y + i, v, lanes);
  });
}

HEDDLE_INLINE float inverseRoot(float meanSquare, float epsilon) {
  return sum(broadcast(1.0F) / sqrt(broadcast(meanSquare + epsilon))) / static_cast<float>(kWidth);
}

/// Two passes for the statistics: the variance of the centred row does not cancel.
void layerNorm(const float* x, const float* gamma, const float* beta, float* y, std::size_t n, float epsilon) {
  const float mean = rowSum(x, n) / static_cast<float>(n);
  Vec squares = broadcast(0.0F);
  const Vec m = broadcast(mean);
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const Vec d = load(x + i) - m;
    squares = fma(d, d, squares);
  }
  float total = sum(squares);
  for (; i < n; ++i) total += (x[i] - mean) * (x[i] - mean);
  affine(x, gamma, beta, y, n, mean, inverseRoot(total / static_cast<float>(n), epsilon));
}

/// Squares are added in double precision, where their order makes no difference that a float could hold.
void rmsNorm(const float* x, const float* gamma, const float* beta, float* y, std::size_t n, float epsilon) {
  double squares[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t j = 0; j < 8; ++j) {
      const float square = x[i + j] * x[i + j];
      squares[j] += square;
    }
  }
  for (; i < n; ++i) {
    const float square = x[i] * x[i];
    squares[0] += square;
  }
  for (std::size_t j = 1; j < 8; ++j) squares[0] += squares[j];
  affine(x, gamma, beta, y, n, 0.0F, inverseRoot(static_cast<float>(squares[0] / static_cast<double>(n)), epsilon));
}

/// y = exp(x * scale - shift), returning the sum.
HEDDLE_INLINE float expSum(const float* x, float* y, std::size_t n, float scale, float shift) {
  const Vec s = broadcast(scale), d = broadcast(-shift);
  Vec total = broadcast(0.0F);
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const Vec e = exp(fma(load(x + i), s, d));
    total = total + e;
    store(y + i, e);
  }
  float result = sum(total);
  if (i < n) {
    storePart(y + i, exp(fma(loadPart(x + i, n - i), s, d)), n - i);
    for (; i < n; ++i) result += y[i];
  }
  return result;
}

HEDDLE_INLINE void scaleRow(float* y, std::size_t n, float factor) {
  const Vec f = broadcast(factor);
  eachVector(n, [&](std::size_t i, std::size_t lanes) { storeLanes(y + i, loadLanes(y + i, lanes) * f, lanes); });
}

/// softmax(beta x). A row of only -infinity gives zeros, as a fully masked attention row should.
void softmax(const float* x, float* y, std::size_t n, float beta) {
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  float top = kLowest;
  if (beta >= 0.0F) {
    top = rowMaximum(x, n) * beta;
  } else {
    for (std::size_t i = 0; i < n; ++i) top = top > x[i] * beta ? top : x[i] * beta;
  }
  if (top == kLowest) {
    for (std::size_t i = 0; i < n; ++i) y[i] = 0.0F;
    return;
  }
  scaleRow(y, n, 1.0F / expSum(x, y, n, beta, top));
}

template <Activation A>
void finishAs(float* y, std::size_t n, const float* bias, const float* residual) {
  eachVector(n, [&](std::size_t i, std::size_t lanes) {
    Vec v = loadLanes(y + i, lanes);
    if (bias != nullptr) v = v + loadLanes(bias + i, lanes);
    v = activate<A>(v);
    if (residual != nullptr) v = v + loadLanes(residual + i, lanes);
    storeLanes(y + i, v, lanes);
  });
}

void finish(float* y, std::size_t n, const float* bias, const float* residual, Activation activation) {
  switch (activation) {
    case Activation::GELU_TANH: return finishAs<Activation::GELU_TANH>(y, n, bias, residual);
    case Activation::GELU_ERF: return finishAs<Activation::GELU_ERF>(y, n, bias, residual);
    case Activation::SILU: return finishAs<Activation::SILU>(y, n, bias, residual);
    case Activation::NONE: return finishAs<Activation::NONE>(y, n, bias, residual);
  }
}

void rope(const float* x, const float* cos, const float* sin, float* y, std::size_t half) {
  eachVector(half, [&](std::size_t i, std::size_t lanes) {
    const Vec a = loadLanes(x + i, lanes), b = loadLanes(x + half + i, lanes);
    const Vec c = loadLanes(cos + i, lanes), s = loadLanes(sin + i, lanes);
    // Which products are rounded is said, not left to the compiler.
    storeLanes(y + i, fma(a, c, broadcast(0.0F) - b * s), lanes);
    storeLanes(y + half + i, fma(a, s, b * c), lanes);
  });
}

}  // namespace heddle::HEDDLE_ISA
