// Elementwise kernels and conversions.
#pragma once

namespace heddle::HEDDLE_ISA {

template <Unary U>
HEDDLE_INLINE Vec applyUnary(Vec x) {
  if constexpr (U == Unary::EXP) return exp(x);
  if constexpr (U == Unary::SQRT) return sqrt(x);
  if constexpr (U == Unary::RSQRT) return broadcast(1.0F) / sqrt(x);
  if constexpr (U == Unary::NEG) return broadcast(0.0F) - x;
  if constexpr (U == Unary::ABS) return abs(x);
  if constexpr (U == Unary::TANH) return tanh(x);
  if constexpr (U == Unary::SIGMOID) return sigmoid(x);
  if constexpr (U == Unary::GELU_ERF) return geluErf(x);
  if constexpr (U == Unary::GELU_TANH) return geluTanh(x);
}

template <Binary B>
HEDDLE_INLINE Vec applyBinary(Vec a, Vec b) {
  if constexpr (B == Binary::ADD) return a + b;
  if constexpr (B == Binary::SUBTRACT) return a - b;
  if constexpr (B == Binary::MULTIPLY) return a * b;
  if constexpr (B == Binary::DIVIDE) return a / b;
  if constexpr (B == Binary::MAXIMUM) return max(a, b);
  if constexpr (B == Binary::MINIMUM) return min(a, b);
}

template <Unary U>
void unary(const float* x, float* y, std::size_t n) {
  eachVector(
      n, [&](std::size_t i, std::size_t lanes) { storeLanes(y + i, applyUnary<U>(loadLanes(x + i, lanes)), lanes); });
}

template <Binary B>
void binary(const float* a, std::size_t stepA, const float* b, std::size_t stepB, float* y, std::size_t n) {
  const Vec a0 = broadcast(*a), b0 = broadcast(*b);
  if (stepA != 0 && stepB != 0) {
    eachVector(n, [&](std::size_t i, std::size_t lanes) {
      storeLanes(y + i, applyBinary<B>(loadLanes(a + i, lanes), loadLanes(b + i, lanes)), lanes);
    });
  } else if (stepA != 0) {
    eachVector(n, [&](std::size_t i, std::size_t lanes) {
      storeLanes(y + i, applyBinary<B>(loadLanes(a + i, lanes), b0), lanes);
    });
  } else {
    eachVector(n, [&](std::size_t i, std::size_t lanes) {
      storeLanes(y + i, applyBinary<B>(a0, stepB != 0 ? loadLanes(b + i, lanes) : b0), lanes);
    });
  }
}

void halfToFloat(const Half* x, float* y, std::size_t n) {
  eachVector(n, [&](std::size_t i, std::size_t lanes) {
    storeLanes(y + i, lanes == kWidth ? load(x + i) : loadPart(x + i, lanes), lanes);
  });
}

void floatToHalf(const float* x, Half* y, std::size_t n) {
  eachVector(n, [&](std::size_t i, std::size_t lanes) {
    Half lane[kWidth];
    storeHalf(lane, loadLanes(x + i, lanes));
    for (std::size_t j = 0; j < lanes; ++j) y[i + j] = lane[j];
  });
}

}  // namespace heddle::HEDDLE_ISA
