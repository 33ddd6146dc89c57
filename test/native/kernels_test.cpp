// Every kernel on every instruction set against plain loops in double precision, over ragged shapes.
#include "data.h"

#include <array>
#include <cstring>
#include <limits>

using namespace heddle;
using testing::Random;
using Doubles = std::vector<double>;

namespace {

const std::size_t kLengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 768};

std::string label(const Kernels& k, const char* what, std::initializer_list<std::size_t> shape) {
  std::string s = std::string(k.name) + " " + what;
  for (const std::size_t d : shape) s += " " + std::to_string(d);
  return s;
}

std::vector<Half> halves(const Kernels& k, std::vector<float>& values) {
  std::vector<Half> h(values.size());
  k.floatToHalf(values.data(), h.data(), h.size());
  k.halfToFloat(h.data(), values.data(), h.size());
  return h;
}

Doubles product(const std::vector<float>& a, const std::vector<float>& bRows, std::size_t m, std::size_t n, std::size_t k) {
  Doubles y(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t p = 0; p < k; ++p) y[i * n + j] += double{a[i * k + p]} * bRows[j * k + p];
    }
  }
  return y;
}

}  // namespace

TEST(dot_rows) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (std::size_t m = 1; m <= k->dotMaxRows; ++m) {
      for (const std::size_t depth : kLengths) {
        const std::size_t n = 1 + random.next() % 21;
        const auto x = random.floats(m * depth);
        auto w = random.floats(n * depth);
        std::vector<float> y(m * n);
        k->dotRowsF32({m, n, depth, x.data(), depth, w.data(), depth, y.data(), n});
        CHECK_NEAR(y.data(), product(x, w, m, n, depth), 1e-5, label(*k, "dot f32", {m, n, depth}));
        const auto h = halves(*k, w);
        k->dotRowsF16({m, n, depth, x.data(), depth, h.data(), depth, y.data(), n});
        CHECK_NEAR(y.data(), product(x, w, m, n, depth), 1e-5, label(*k, "dot f16", {m, n, depth}));
      }
    }
  }
}

TEST(gemm_packed) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (const std::size_t m : {1, 2, 3, 5, 6, 7, 11, 12, 13, 64}) {
      for (const std::size_t n : {1, 3, 8, 15, 16, 17, 33, 47, 63, 64, 65, 130}) {
        const std::size_t depth = 1 + random.next() % 40, panels = (n + k->gemmCols - 1) / k->gemmCols;
        const auto a = random.floats(m * depth);
        auto b = random.floats(n * depth);
        std::vector<float> packedA((m + k->gemmRows - 1) / k->gemmRows * k->gemmRows * depth);
        std::vector<float> packedB(panels * k->gemmCols * depth), c(m * n, 1.0F);
        k->packRows(a.data(), depth, m, depth, packedA.data());
        const GemmBlock g{m, n, depth, packedA.data(), k->gemmRows * depth, 1, k->gemmRows,
                          packedB.data(), k->gemmCols * depth, k->gemmCols, c.data(), n, true};
        k->packColsF32(b.data(), depth, n, depth, packedB.data());
        k->gemm(g);
        Doubles expected = product(a, b, m, n, depth);
        for (double& e : expected) e += 1.0;
        CHECK_NEAR(c.data(), expected, 1e-5, label(*k, "gemm f32", {m, n, depth}));
        const auto h = halves(*k, b);
        k->packColsF16(h.data(), depth, n, depth, packedB.data());
        GemmBlock fresh = g;
        fresh.accumulate = false;
        k->gemm(fresh);
        CHECK_NEAR(c.data(), product(a, b, m, n, depth), 1e-5, label(*k, "gemm f16", {m, n, depth}));
      }
    }
  }
}

TEST(gemm_plain_matrices) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (const std::size_t m : {1, 4, 7, 20}) {
      for (const std::size_t n : {1, 5, 16, 33, 64, 70}) {
        const std::size_t depth = 1 + random.next() % 30;
        const auto a = random.floats(m * depth), bRows = random.floats(n * depth);
        std::vector<float> at(m * depth), b(n * depth), c(m * n);
        for (std::size_t i = 0; i < m; ++i) {
          for (std::size_t p = 0; p < depth; ++p) at[p * m + i] = a[i * depth + p];
        }
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t p = 0; p < depth; ++p) b[p * n + j] = bRows[j * depth + p];
        }
        const Doubles expected = product(a, bRows, m, n, depth);
        k->gemm({m, n, depth, a.data(), k->gemmRows * depth, depth, 1, b.data(), k->gemmCols, n, c.data(), n, false});
        CHECK_NEAR(c.data(), expected, 1e-5, label(*k, "gemm plain", {m, n, depth}));
        k->gemm({m, n, depth, at.data(), k->gemmRows, 1, m, b.data(), k->gemmCols, n, c.data(), n, false});
        CHECK_NEAR(c.data(), expected, 1e-5, label(*k, "gemm transposed a", {m, n, depth}));
      }
    }
  }
}

TEST(elementary_functions) {
  std::vector<float> x;
  for (float v = -100.0F; v <= 100.0F; v += 0.0371F) x.push_back(v);
  for (float v = -1.0F; v <= 1.0F; v += 0.00093F) x.push_back(v);
  for (const float v : {0.0F, -0.0F, 1e-30F, -1e-30F, 88.7F, 88.8F, -86.5F, -87.0F, 1e30F, -1e30F, 0.624F, 0.626F}) x.push_back(v);
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
      {Unary::GELU_ERF, "gelu erf", [](double v) { return v == -INFINITY ? double{NAN} : 0.5 * v * std::erfc(-v / std::sqrt(2.0)); }, 5e-7, 1.2e-6},
      {Unary::GELU_TANH, "gelu tanh",
       [](double v) {
         const double u = std::sqrt(2.0 / M_PI) * (v + 0.044715 * v * v * v);
         return std::isinf(v) && v < 0 ? double{NAN} : v / (1.0 + std::exp(-2.0 * u));
       }, 1e-5, 1e-30},  // far from zero the error of the exponent shows
  };
  for (const Kernels* k : testing::everyIsa()) {
    for (const Case& c : cases) {
      std::vector<float> y(x.size());
      k->unary[static_cast<int>(c.unary)](x.data(), y.data(), x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = c.oracle(x[i]), error = std::fabs(y[i] - expected);
        if (static_cast<float>(expected) == y[i] || error <= c.relative * std::fabs(expected) + c.absolute) continue;
        if (std::isnan(expected) && (std::isnan(y[i]) || y[i] == 0.0F)) continue;
        testing::fail(__FILE__, __LINE__, std::string(k->name) + " " + c.name + "(" + std::to_string(x[i]) + ") is " +
                                              std::to_string(y[i]) + ", expected " + std::to_string(expected) + ", error " + std::to_string(error * 1e9) + "e-9");
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
      const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24)
                               : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN)
                                                : std::ldexp(1024.0 + mantissa, exponent - 25);
      const double expected = bits & 0x8000U ? -magnitude : magnitude;
      CHECK(value == expected || (std::isnan(value) && std::isnan(expected)));
      Half back;
      k->floatToHalf(&value, &back, 1);
      CHECK(back.bits == h.bits || std::isnan(value));
    }
    // Ties go to even, overflow to infinity.
    const std::array<std::pair<float, int>, 6> cases = {{{1.00048828125F, 0x3c00}, {1.00146484375F, 0x3c02}, {65519.0F, 0x7bff},
                                                         {65520.0F, 0x7c00}, {2.98e-8F, 0x0000}, {2.99e-8F, 0x0001}}};
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

TEST(attention) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (int round = 0; round < 120; ++round) {
      const std::size_t d = 1 + random.next() % 70, queries = 1 + random.next() % 20, offset = random.next() % 90;
      const bool causal = round % 4 != 0, transposed = round % 2 != 0;
      const std::size_t live = causal ? offset + queries : 1 + random.next() % 90, capacity = live + random.next() % 5;
      const std::size_t window = causal && round % 3 == 0 ? 1 + random.next() % 40 : 0, blockK = 1 + random.next() % 65;
      const auto q = random.floats(queries * d, 2.0F), keys = random.floats(live * d, 2.0F), values = random.floats(live * d);
      // What lies beyond the live keys must not be read: it would poison the result.
      std::vector<float> kc(capacity * d, NAN), vc(capacity * d, NAN), out(queries * d, NAN);
      for (std::size_t j = 0; j < live; ++j) {
        for (std::size_t i = 0; i < d; ++i) {
          kc[transposed ? i * capacity + j : j * d + i] = keys[j * d + i];
          vc[j * d + i] = values[j * d + i];
        }
      }
      Doubles expected(queries * d);
      for (std::size_t i = 0; i < queries; ++i) {
        Doubles weight(live);
        double total = 0;
        for (std::size_t j = 0; j < live; ++j) {
          double score = 0;
          for (std::size_t p = 0; p < d; ++p) score += double{q[i * d + p]} * keys[j * d + p];
          const bool seen = !causal || (j <= offset + i && (window == 0 || j + window > offset + i));
          total += weight[j] = seen ? std::exp(0.3 * score) : 0.0;
        }
        for (std::size_t j = 0; j < live; ++j) {
          for (std::size_t p = 0; p < d; ++p) expected[i * d + p] += weight[j] / total * values[j * d + p];
        }
      }
      const std::size_t half = queries / 2;
      std::vector<float> scratch(attentionScratch(queries, d, blockK, k->gemmCols));
      for (const auto& [begin, end] : {std::pair{std::size_t{0}, half}, std::pair{half, queries}}) {
        if (begin == end) continue;
        k->attention({begin, end, d, live, causal ? offset : 0, causal, window, blockK, 0.3F, q.data(), kc.data(), transposed, capacity,
                      vc.data(), out.data(), scratch.data()});
      }
      CHECK_NEAR(out.data(), expected, 2e-5, label(*k, "attention", {d, queries, offset, live, window, blockK, transposed}));
    }
  }
}

int main() { return testing::main(); }
