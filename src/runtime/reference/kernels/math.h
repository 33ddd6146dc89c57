// Elementary functions on vectors, accurate to about 2 units in the last place. Polynomials: Arm's Optimized Routines for exp,
// in the form that ggml has it in, so that softmax is the same to the bit; Cephes (Moshier) for tanh and the centre of erf;
// Abramowitz & Stegun 7.1.26 (absolute error 1.5e-7) for its tails.
#pragma once

namespace heddle::HEDDLE_ISA {

/// Coefficients from the highest power down.
template <std::size_t N>
HEDDLE_INLINE Vec polynomial(Vec x, const float (&coefficients)[N]) {
  Vec r = broadcast(coefficients[0]);
  for (std::size_t i = 1; i < N; ++i) r = fma(r, x, broadcast(coefficients[i]));
  return r;
}

/// e^x: 0 below -86.6, infinity above 88.7, NaN for NaN.
HEDDLE_INLINE Vec exp(Vec x) {
  constexpr float kLowest = -86.6F;
  // The operand order of min and max lets NaN through.
  const Vec t = min(broadcast(89.0F), max(broadcast(kLowest), x));
  const Vec shift = broadcast(0x1.8p23F);  // sums with it have no room for a fraction: they are rounded to integers
  const Vec n = fma(t, broadcast(0x1.715476p+0F), shift) - shift;
  Vec r = fma(n, broadcast(-0x1.62e4p-1F), t);  // ln 2 in two parts, so that the remainder is exact
  r = fma(n, broadcast(-0x1.7f7d1cp-20F), r);
  const Vec square = r * r;
  const Vec high = fma(broadcast(0x1.0e4020p-7F), r, broadcast(0x1.573e2ep-5F));
  const Vec middle = fma(broadcast(0x1.555e66p-3F), r, broadcast(0x1.fffdb6p-2F));
  const Vec low = fma(broadcast(0x1.ffffecp-1F), r, broadcast(1.0F));
  const Vec e = fma(fma(high, square, middle), square, low);
  return select(x < broadcast(kLowest), broadcast(0.0F), scaleByPower(e, n));
}

HEDDLE_INLINE Vec sigmoid(Vec x) { return broadcast(1.0F) / (broadcast(1.0F) + exp(broadcast(0.0F) - x)); }

HEDDLE_INLINE Vec tanh(Vec x) {
  constexpr float kCentre[] = {-5.70498872745e-3F, 2.06390887954e-2F, -5.37397155531e-2F, 1.33314422036e-1F,
                               -3.33332819422e-1F};
  const Vec magnitude = abs(x);
  const Vec square = x * x;
  const Vec centre = fma(polynomial(square, kCentre) * square, x, x);
  const Vec one = broadcast(1.0F);
  const Vec tail = one - broadcast(2.0F) / (exp(magnitude + magnitude) + one);
  return select(magnitude < broadcast(0.625F), centre, copySign(tail, x));
}

HEDDLE_INLINE Vec erf(Vec x) {
  constexpr float kCentre[] = {7.853861353153693e-5F,  -8.010193625184903e-4F, 5.188327685732524e-3F,
                               -2.685381193529856e-2F, 1.128358514861418e-1F,  -3.761262582423300e-1F,
                               1.128379165726710F};
  constexpr float kTail[] = {1.061405429F, -1.453152027F, 1.421413741F, -0.284496736F, 0.254829592F};
  const Vec magnitude = abs(x);
  const Vec square = x * x;
  const Vec one = broadcast(1.0F);
  const Vec t = one / fma(broadcast(0.3275911F), magnitude, one);
  const Vec tail = one - polynomial(t, kTail) * t * exp(broadcast(0.0F) - square);
  return select(magnitude < one, x * polynomial(square, kCentre), copySign(tail, x));
}

HEDDLE_INLINE Vec geluErf(Vec x) { return broadcast(0.5F) * x * (broadcast(1.0F) + erf(x * broadcast(0.70710678F))); }

/// 0.5 x (1 + tanh(u)) = x sigmoid(2u), which has no cancellation for negative x.
HEDDLE_INLINE Vec geluTanh(Vec x) {
  constexpr float kSlope = 1.5957691216F;  // 2 sqrt(2 / pi)
  const Vec u = fma(x * x * x, broadcast(0.044715F * kSlope), x * broadcast(kSlope));
  return x * sigmoid(u);
}

HEDDLE_INLINE Vec silu(Vec x) { return x * sigmoid(x); }

template <Activation A>
HEDDLE_INLINE Vec activate(Vec x) {
  if constexpr (A == Activation::GELU_TANH) return geluTanh(x);
  if constexpr (A == Activation::GELU_ERF) return geluErf(x);
  if constexpr (A == Activation::SILU) return silu(x);
  return x;
}

}  // namespace heddle::HEDDLE_ISA
