// Elementary functions, conversions and row kernels on every instruction set, against the C library in double
// precision.
#include <array>
#include <cstring>
#include <limits>

#include "data.h"

using namespace heddle;
using testing::kLengths;
using testing::label;
using testing::Random;
using Doubles = std::vector<double>;

TEST(elementary_functions) {
  std::vector<float> x;
  for (float v = -100.0F; v <= 100.0F; v += 0.0371F) x.push_back(v);
  for (float v = -1.0F; v <= 1.0F; v += 0.00093F) x.push_back(v);
  for (const float v : {0.0F, -0.0F, 1e-30F, -1e-30F, 88.7F, 88.8F, -86.5F, -87.0F, 1e30F, -1e30F, 0.624F, 0.626F})
    x.push_back(v);
  const float infinity = std::numeric_limits<float>::infinity();
  x.push_back(infinity);
  x.push_back(-infinity);
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  struct Case {
    Unary unary;
    const char* name;
    double (*oracle)(double);
    double relative, absolute;
  };
  const Case cases[] = {
      {Unary::EXP, "exp", [](double v) { return v > 88.73 ? double{INFINITY} : std::exp(v); }, 3e-7, 3e-38},
      {Unary::SQRT, "sqrt", [](double v) { return std::sqrt(v); }, 2e-7, 0},
      {Unary::RSQRT, "rsqrt", [](double v) { return 1.0 / std::sqrt(v); }, 3e-7, 0},
      {Unary::NEG, "neg", [](double v) { return -v; }, 0, 0},
      {Unary::ABS, "abs", [](double v) { return std::fabs(v); }, 0, 0},
      {Unary::TANH, "tanh", [](double v) { return std::tanh(v); }, 4e-7, 0},
      {Unary::SIGMOID, "sigmoid", [](double v) { return 1.0 / (1.0 + std::exp(-v)); }, 5e-7, 1e-37},
      {Unary::GELU_ERF, "gelu erf",
       [](double v) { return v == -INFINITY ? double{NAN} : 0.5 * v * std::erfc(-v / std::sqrt(2.0)); }, 5e-7, 1.2e-6},
      {Unary::GELU_TANH, "gelu tanh",
       [](double v) {
         const double u = std::sqrt(2.0 / M_PI) * (v + 0.044715 * v * v * v);
         return std::isinf(v) && v < 0 ? double{NAN} : v / (1.0 + std::exp(-2.0 * u));
       },
       1e-5, 1e-30},  // far from zero the error of the exponent shows
  };
  for (const Kernels* k : testing::everyIsa()) {
    for (const Case& c : cases) {
      std::vector<float> y(x.size());
      k->unary[static_cast<int>(c.unary)](x.data(), y.data(), x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = c.oracle(x[i]), error = std::fabs(y[i] - expected);
        if (static_cast<float>(expected) == y[i] || error <= c.relative * std::fabs(expected) + c.absolute) continue;
        if (std::isnan(expected) && (std::isnan(y[i]) || y[i] == 0.0F)) continue;
        testing::fail(__FILE__, __LINE__,
                      std::string(k->name) + " " + c.name + "(" + std::to_string(x[i]) + ") is " +
                          std::to_string(y[i]) + ", expected " + std::to_string(expected) + ", error " +
                          std::to_string(error * 1e9) + "e-9");
      }
    }
  }
}

TEST(half_conversion) {
  for (const Kernels* k : testing::everyIsa()) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
      const Half h{static_cast<std::uint16_t>(bits)};
      float value;
      k->halfToFloat(&h, &value, 1);
      const int exponent = static_cast<int>(bits >> 10 & 31);
      const double mantissa = bits & 1023;
      const double magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                               : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN)
                                                : std::ldexp(1024.0 + mantissa, exponent - 25);
      const double expected = bits & 0x8000U ? -magnitude : magnitude;
      CHECK(value == expected || (std::isnan(value) && std::isnan(expected)));
      Half back;
      k->floatToHalf(&value, &back, 1);
      CHECK(back.bits == h.bits || std::isnan(value));
    }
    // Ties go to even, overflow to infinity.
    const std::array<std::pair<float, int>, 6> cases = {{{1.00048828125F, 0x3c00},
                                                         {1.00146484375F, 0x3c02},
                                                         {65519.0F, 0x7bff},
                                                         {65520.0F, 0x7c00},
                                                         {2.98e-8F, 0x0000},
                                                         {2.99e-8F, 0x0001}}};
    for (const auto& [value, bits] : cases) {
      Half h;
      k->floatToHalf(&value, &h, 1);
      CHECK_EQUAL(static_cast<int>(h.bits), bits);
    }
  }
}

TEST(rows) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (const std::size_t n : kLengths) {
      auto x = random.floats(n, 3.0F);
      for (float& v : x) v += 10.0F;  // a mean that a naive variance would lose digits to
      const auto gamma = random.floats(n), beta = random.floats(n);
      double sum = 0, squares = 0, top = -INFINITY;
      for (const float v : x) {
        sum += v;
        squares += double{v} * v;
        top = std::max(top, double{v});
      }
      const double mean = sum / double(n);
      double variance = 0, expTotal = 0;
      for (const float v : x) {
        variance += (v - mean) * (v - mean) / double(n);
        expTotal += std::exp(0.5 * (v - top));
      }
      Doubles norm(n), rms(n), soft(n);
      for (std::size_t i = 0; i < n; ++i) {
        norm[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * gamma[i] + beta[i];
        rms[i] = x[i] / std::sqrt(squares / double(n) + 1e-5) * gamma[i];
        soft[i] = std::exp(0.5 * (x[i] - top)) / expTotal;
      }
      std::vector<float> y(n);
      CHECK(std::fabs(k->sum(x.data(), n) - sum) <= 1e-5 * (1 + std::fabs(sum)));
      CHECK(k->maximum(x.data(), n) == top);
      k->layerNorm(x.data(), gamma.data(), beta.data(), y.data(), n, 1e-5F);
      CHECK_NEAR(y.data(), norm, 2e-5, label(*k, "layer norm", {n}));
      k->rmsNorm(x.data(), gamma.data(), nullptr, y.data(), n, 1e-5F);
      CHECK_NEAR(y.data(), rms, 1e-5, label(*k, "rms norm", {n}));
      k->softmax(x.data(), y.data(), n, 0.5F);
      CHECK_NEAR(y.data(), soft, 1e-6, label(*k, "softmax", {n}));
    }
    std::vector<float> masked(20, -INFINITY), y(20);
    k->softmax(masked.data(), y.data(), 20, 1.0F);
    CHECK(std::ranges::all_of(y, [](float v) { return v == 0.0F; }));
    masked[7] = 1000.0F;
    k->softmax(masked.data(), y.data(), 20, 1.0F);
    CHECK(y[7] == 1.0F && y[6] == 0.0F);
  }
}

TEST(elementwise_and_rope) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (const std::size_t n : kLengths) {
      const auto a = random.floats(n), b = random.floats(n), bias = random.floats(n);
      std::vector<float> y(n);
      for (int step = 0; step < 3; ++step) {
        const std::size_t stepA = step == 1 ? 0 : 1, stepB = step == 2 ? 0 : 1;
        for (int op = 0; op < static_cast<int>(Binary::COUNT); ++op) {
          Doubles e(n);
          for (std::size_t i = 0; i < n; ++i) {
            const double p = a[i * stepA], q = b[i * stepB];
            const double values[] = {p + q, p - q, p * q, p / q, std::max(p, q), std::min(p, q)};
            e[i] = values[op];
          }
          k->binary[op](a.data(), stepA, b.data(), stepB, y.data(), n);
          CHECK_NEAR(y.data(), e, 1e-6, label(*k, "binary", {std::size_t(op), n}));
        }
      }
      Doubles e(n);
      for (std::size_t i = 0; i < n; ++i) {
        const double v = double{a[i]} + bias[i];
        e[i] = v / (1.0 + std::exp(-v)) + b[i];
      }
      y = a;
      k->finish(y.data(), n, bias.data(), b.data(), Activation::SILU);
      CHECK_NEAR(y.data(), e, 1e-6, label(*k, "finish", {n}));
      const auto x = random.floats(2 * n);
      std::vector<float> turned(2 * n);
      Doubles r(2 * n);
      for (std::size_t i = 0; i < n; ++i) {
        r[i] = double{x[i]} * a[i] - double{x[n + i]} * b[i];
        r[n + i] = double{x[n + i]} * a[i] + double{x[i]} * b[i];
      }
      k->rope(x.data(), a.data(), b.data(), turned.data(), n);
      CHECK_NEAR(turned.data(), r, 1e-6, label(*k, "rope", {n}));
    }
  }
}

int main() { return testing::main(); }
