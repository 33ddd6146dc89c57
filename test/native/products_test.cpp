// Dot products, matrix products and attention on every instruction set, against plain loops in double precision.
#include <functional>

#include "data.h"

using namespace heddle;
using testing::kLengths;
using testing::label;
using testing::Random;
using Doubles = std::vector<double>;

namespace {

std::vector<Half> halves(const Kernels& k, std::vector<float>& values) {
  std::vector<Half> h(values.size());
  k.floatToHalf(values.data(), h.data(), h.size());
  k.halfToFloat(h.data(), values.data(), h.size());
  return h;
}

Doubles product(const std::vector<float>& a, const std::vector<float>& bRows, std::size_t m, std::size_t n,
                std::size_t k) {
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
        const GemmBlock g{m,
                          n,
                          depth,
                          packedA.data(),
                          k->gemmRows * depth,
                          1,
                          k->gemmRows,
                          packedB.data(),
                          k->gemmCols * depth,
                          k->gemmCols,
                          c.data(),
                          n,
                          true};
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

TEST(attention) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (int round = 0; round < 120; ++round) {
      const std::size_t d = 1 + random.next() % 70, queries = 1 + random.next() % 20, offset = random.next() % 90;
      const bool causal = round % 4 != 0, transposed = round % 2 != 0;
      const std::size_t live = causal ? offset + queries : 1 + random.next() % 90, capacity = live + random.next() % 5;
      const std::size_t window = causal && round % 3 == 0 ? 1 + random.next() % 40 : 0, blockK = 1 + random.next() % 65;
      const auto q = random.floats(queries * d, 2.0F), keys = random.floats(live * d, 2.0F),
                 values = random.floats(live * d);
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
        k->attention({begin, end, d, live, causal ? offset : 0, causal, window, blockK, 0.3F, q.data(), kc.data(),
                      transposed, capacity, vc.data(), out.data(), scratch.data()});
      }
      CHECK_NEAR(out.data(), expected, 2e-5,
                 label(*k, "attention", {d, queries, offset, live, window, blockK, transposed}));
    }
  }
}

namespace {

/// x_i y_i in 64 chains, added by halves: ggml's dot product of floats on AVX-512.
float chained(std::size_t n, const std::function<float(std::size_t)>& x, const std::function<float(std::size_t)>& y) {
  float chains[64] = {};
  for (std::size_t i = 0; i < n; ++i) chains[i % 64] = std::fma(x(i), y(i), chains[i % 64]);
  for (std::size_t half = 32; half > 0; half /= 2) {
    for (std::size_t c = 0; c < half; ++c) chains[c] += chains[c + half];
  }
  return chains[0];
}

}  // namespace

// Where multiply and add are one instruction, results are the same to the bit on every instruction set.
TEST(attention_step_adds_in_the_order_of_ggml) {
  Random random;
  for (const Kernels* k : testing::everyIsa()) {
    for (int round = 0; round < 100; ++round) {
      const std::size_t d = round % 5 == 0 ? 256 : 1 + random.next() % 150, position = random.next() % 300;
      const std::size_t window = round % 2 != 0 ? 1 + random.next() % 90 : 0;
      const std::size_t ring = window != 0 && round % 3 != 0 ? window + random.next() % 70 : 0;
      const std::size_t places = ring != 0 ? ring : position + 1 + random.next() % 5;
      const std::size_t end = position + 1, first = window != 0 && end > window ? end - window : 0;
      const std::size_t heads = 1 + round % 7;
      const auto qs = random.floats(heads * d, 2.0F), keys = random.floats(end * d, 2.0F), values = random.floats(end * d);
      std::vector<float> kc(places * d, NAN), vc(places * d, NAN), out(heads * d, NAN);
      for (std::size_t j = first; j < end; ++j) {
        for (std::size_t i = 0; i < d; ++i) {
          kc[i * places + j % places] = keys[j * d + i];
          vc[j % places * d + i] = values[j * d + i];
        }
      }
      std::vector<float> scratch(attentionStepScratch(heads, places));
      AttentionTile t{};
      t.end = 1;
      t.headDim = d;
      t.keys = ring != 0 ? end : std::min(end, places);
      t.offset = position;
      t.causal = t.keysTransposed = true;
      t.window = window;
      t.scale = 0.25F;
      t.heads = heads;
      t.headStride = d;
      t.q = qs.data();
      t.k = kc.data();
      t.ldk = places;
      t.v = vc.data();
      t.out = out.data();
      t.scratch = scratch.data();
      t.ring = ring;
      k->attentionStep(t);

      for (std::size_t head = 0; head < heads; ++head) {
        const float* q = &qs[head * d];
        std::vector<float> weights((end + 15) / 16 * 16, -INFINITY);
        float top = -INFINITY;
        for (std::size_t j = first; j < end; ++j) {
          weights[j] = 0.25F * chained(d, [&](std::size_t i) { return q[i]; }, [&](std::size_t i) { return keys[j * d + i]; });
          top = std::max(top, weights[j]);
        }
        for (float& w : weights) w -= top;
        k->unary[static_cast<int>(Unary::EXP)](weights.data(), weights.data(), weights.size());
        double total = 0;
        for (std::size_t j = 0; j < weights.size(); j += 16) {
          std::vector<float> sums(&weights[j], &weights[j] + 16);
          for (std::size_t half = 8; half > 0; half /= 2) {
            for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
          }
          total += sums[0];
        }
        const auto factor = static_cast<float>(1.0 / total);
        Doubles expected(d);
        for (std::size_t i = 0; i < d; ++i) {
          expected[i] = chained(end, [&](std::size_t j) { return weights[j] * factor; },
                                [&](std::size_t j) { return j < first ? 0.0F : values[j * d + i]; });
        }
        CHECK_NEAR(&out[head * d], expected, k->isa == Isa::PORTABLE ? 2e-5 : 0.0,
                   label(*k, "attention step", {d, position, window, ring, places, head}));
      }
    }
  }
}

int main() { return testing::main(); }
