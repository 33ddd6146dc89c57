// Products and perceptrons through the C interface, with weights in floats and in blocks, against plain loops.
#include "block_data.h"
#include "evaluate.h"
#include "small_graph.h"

using namespace testing;

namespace {

Doubles linear(const Doubles& x, const std::vector<float>& w, const std::vector<float>& b, std::size_t m, std::size_t n,
               std::size_t k) {
  Doubles y(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = b[j];
      for (std::size_t p = 0; p < k; ++p) sum += x[i * k + p] * w[j * k + p];
      y[i * n + j] = sum;
    }
  }
  return y;
}

/// Panels as a constant of the backend.
void panels(Host& h, const std::string& name, const Dims& dims, const Bytes& bytes) {
  if (h.add(name, TensorType::STATIC, DataType::UINT_8, dims, bytes.data(), bytes.size()) != qnn::kSuccess)
    fail(__FILE__, __LINE__, lastError());
}

/// GELU of and to half precision.
double geluInHalves(double x) {
  const auto toHalf = [](double v) {
    int exponent;
    std::frexp(v, &exponent);
    const double unit = std::ldexp(1.0, std::max(exponent - 11, -24));
    return std::nearbyint(v / unit) * unit;
  };
  if (std::fabs(x) >= 10) return x > 0 ? x : 0;
  const double h = toHalf(x);
  return toHalf(0.5 * h * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (h + 0.044715 * h * h * h))));
}

U number(BlockFormat f) { return static_cast<U>(f); }

}  // namespace

TEST(fully_connected_family) {
  Random random;
  for (const U m : {1, 2, 5, 8, 9, 30, 130}) {
    for (const bool half : {false, true}) {
      const U n = 1 + random.next() % 200, k = 1 + random.next() % 900;
      auto x = random.floats(m * k);
      auto w = random.floats(n * k), b = random.floats(n), residual = random.floats(m * n);
      Host plain(backend()), added(backend());
      for (Host* h : {&plain, &added}) {
        h->tensor("x", IN, {m, k});
        if (half) {
          h->constant("w", {n, k}, toHalf(w));
          h->constant("b", {n}, toHalf(b));
        } else {
          h->constant("w", {n, k}, w);
          h->constant("b", {n}, b);
        }
      }
      const Doubles expected = linear(Doubles(x.begin(), x.end()), w, b, m, n, k);
      const auto y =
          evaluate(plain, "FullyConnected", {Param::flag("keep_dims", true)}, {"x", "w", "b"}, {m, n}, {{"x", x}});
      CHECK_NEAR(y.data(), expected, 2e-5, "FullyConnected");
      added.tensor("r", IN, {m, n});
      const auto z =
          evaluate(added, "FullyConnectedAdd", {}, {"x", "w", "b", "r"}, {m, n}, {{"x", x}, {"r", residual}});
      Doubles sum = expected;
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += residual[i];
      CHECK_NEAR(z.data(), sum, 2e-5, "FullyConnectedAdd");
    }
  }
}

TEST(mlp) {
  Random random;
  for (const U m : {1, 3, 20}) {
    const U d = 24, f = 77;
    auto x = random.floats(m * d), residual = random.floats(m * d);
    auto w1 = random.floats(f * d), b1 = random.floats(f), w2 = random.floats(d * f, 0.3F), b2 = random.floats(d);
    Host h(backend());
    h.tensor("x", IN, {m, d});
    h.tensor("r", IN, {m, d});
    h.constant("w1", {f, d}, toHalf(w1));
    h.constant("b1", {f}, b1);
    h.constant("w2", {d, f}, w2);
    h.constant("b2", {d}, b2);
    Doubles hidden = linear(Doubles(x.begin(), x.end()), w1, b1, m, f, d);
    for (double& v : hidden) v = 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
    Doubles expected = linear(hidden, w2, b2, m, d, f);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += residual[i];
    const auto y = evaluate(h, "Mlp", {Param::u32("activation", 0)}, {"x", "w1", "b1", "w2", "b2", "r"}, {m, d},
                            {{"x", x}, {"r", residual}});
    CHECK_NEAR(y.data(), expected, 2e-5, "Mlp");
  }
}

TEST(gated_mlp) {
  Random random;
  for (const U m : {1, 3, 20}) {
    for (const bool half : {false, true}) {
      const U d = 24, f = m == 3 ? 2100 : 77;
      auto x = random.floats(m * d), w1 = random.floats(2 * f * d), w2 = random.floats(d * f, 0.3F);
      Host h(backend());
      h.tensor("x", IN, {m, d});
      if (half) {
        h.constant("w1", {2 * f, d}, toHalf(w1));
        h.constant("w2", {d, f}, toHalf(w2));
      } else {
        h.constant("w1", {2 * f, d}, w1);
        h.constant("w2", {d, f}, w2);
      }
      const Doubles both =
          linear(Doubles(x.begin(), x.end()), w1, std::vector<float>(2 * f), m, 2 * f, d);
      Doubles hidden;
      for (U i = 0; i < m; ++i) {
        for (U j = 0; j < f; ++j) {
          const double g = both[i * 2 * f + j];
          hidden.push_back(g / (1 + std::exp(-g)) * both[i * 2 * f + f + j]);
        }
      }
      const Doubles expected = linear(hidden, w2, std::vector<float>(d), m, d, f);
      const auto y =
          evaluate(h, "GatedMlp", {Param::u32("activation", 2)}, {"x", "w1", "w2"}, {m, d}, {{"x", x}});
      CHECK_NEAR(y.data(), expected, 2e-5, "GatedMlp");
    }
  }
}

TEST(matmul) {
  Random random;
  for (int round = 0; round < 40; ++round) {
    const bool ta = round & 1, tb = round & 2, shared = round & 4;
    const U batch = 1 + random.next() % 4, m = 1 + random.next() % 40, n = 1 + random.next() % 90,
            k = 1 + random.next() % 50;
    auto a = random.floats(batch * m * k), b = random.floats((shared ? 1 : batch) * k * n);
    Host h(backend());
    h.tensor("a", IN, ta ? Dims{1, batch, k, m} : Dims{1, batch, m, k});
    h.tensor("b", IN, shared ? (tb ? Dims{n, k} : Dims{k, n}) : (tb ? Dims{batch, n, k} : Dims{batch, k, n}));
    Doubles expected(batch * m * n);
    for (U s = 0; s < batch; ++s) {
      for (U i = 0; i < m; ++i) {
        for (U j = 0; j < n; ++j) {
          double sum = 0;
          for (U p = 0; p < k; ++p) {
            sum += double{a[s * m * k + (ta ? p * m + i : i * k + p)]} *
                   b[(shared ? 0 : s * k * n) + (tb ? j * k + p : p * n + j)];
          }
          expected[(s * m + i) * n + j] = sum;
        }
      }
    }
    const auto y = evaluate(h, "MatMul", {Param::flag("transpose_in0", ta), Param::flag("transpose_in1", tb)},
                            {"a", "b"}, {1, batch, m, n}, {{"a", a}, {"b", b}});
    CHECK_NEAR(y.data(), expected, 1e-5, "MatMul");
  }
}

TEST(block_fully_connected) {
  Random random;
  for (const BlockFormat f : heddle::kBlockFormats) {
    for (const U rows : {1, 3, 20}) {
      const U n = 1 + random.next() % 70, k = static_cast<U>(columnsOf(f, f == BlockFormat::Q8_0 ? 9 : 1));
      const Matrix m = randomMatrix(random, f, n, k);
      auto x = random.floats(rows * k), b = random.floats(n), r = random.floats(rows * n);
      Host h(backend());
      h.tensor("x", IN, {rows, k});
      h.tensor("r", IN, {rows, n});
      const Bytes bytes = panelsOf(m);
      const U padded = (n + 15) / 16 * 16;
      panels(h, "w", {padded, static_cast<U>(bytes.size() / padded)}, bytes);
      h.constant("b", {n}, b);
      Doubles expected = product(m, roundedRows(m, x), rows);
      for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += b[i % n] + r[i];
      const auto y = evaluate(h, "BlockFullyConnected", {Param::u32("format", number(f))}, {"x", "w", "b", "r"},
                              {rows, n}, {{"x", x}, {"r", r}});
      CHECK_NEAR(y.data(), expected, 5e-5, heddle::layoutOf(f).name);
    }
  }
}

TEST(block_gated_mlp) {
  for (const auto& [activation, rows] : {std::pair<U, U>{0, 1}, {0, 9}, {2, 1}, {2, 3}, {2, 9}}) {
    Random random;
    const U d = 64, f = 256;
    const Matrix in = randomMatrix(random, BlockFormat::Q5_0, 2 * f, d), out = randomMatrix(random, BlockFormat::Q6_K, d, f);
    auto x = random.floats(rows * d);
    Host h(backend());
    h.tensor("x", IN, {rows, d});
    panels(h, "w1", {2 * f, 44}, panelsOf(in));
    panels(h, "w2", {d, 210}, panelsOf(out));
    const Doubles both = product(in, roundedRows(in, x), rows);
    std::vector<float> hidden(rows * f);
    for (U i = 0; i < rows * f; ++i) {
      const double g = both[i / f * 2 * f + i % f], u = both[i / f * 2 * f + f + i % f];
      hidden[i] = static_cast<float>((activation == 0 ? geluInHalves(g) : g / (1 + std::exp(-g))) * u);
    }
    const auto y = evaluate(h, "BlockGatedMlp",
                            {Param::u32("activation", activation), Param::u32("format", 6), Param::u32("down_format", 14),
                             Param::u32("hidden", f)},
                            {"x", "w1", "w2"}, {rows, d}, {{"x", x}});
    // Hidden values near the middle of two codes may round to the other one, and so may arguments of GELU near that of two halves.
    const Doubles expected = product(out, roundedRows(out, hidden), rows);
    double largest = 0;
    for (const double e : expected) largest = std::max(largest, std::fabs(e));
    CHECK_NEAR(y.data(), expected, 1e-3 * largest, "BlockGatedMlp");
  }
}

TEST(block_gather) {
  Random random;
  const Matrix m = randomMatrix(random, BlockFormat::Q5_0, 18, 64);
  Host h(backend());
  panels(h, "table", {32, 44}, panelsOf(m));
  h.tensor<std::int32_t>("index", IN, {3});
  h.tensor("rows", OUT, {3, 64});
  h.node("BlockGather", {Param::u32("format", 6), Param::u32("rows", 18)}, {"table", "index"}, {"rows"});
  h.finalize();
  std::vector<std::int32_t> index = {17, 0, 5};
  std::vector<float> rows(3 * 64);
  h.run({{"index", index}, {"rows", rows}});
  Doubles expected;
  for (const std::int32_t i : index) expected.insert(expected.end(), &m.values[i * 64], &m.values[i * 64] + 64);
  CHECK_NEAR(rows.data(), expected, 1e-6, "rows");
  for (const std::int32_t bad : {18, 31, -1}) {
    index[1] = bad;
    CHECK(h.tryRun({{"index", index}, {"rows", rows}}) == 6004 && says("at 1 is outside 0 to 17"));
  }
}

TEST(blocks_that_do_not_fit_are_refused) {
  Host h(backend());
  h.tensor("x", IN, {2, 64});
  h.tensor("odd", IN, {2, 48});
  h.tensor("y", OUT, {2, 20});
  h.tensor<std::int32_t>("index", IN, {2});
  h.tensor("picked", OUT, {2, 64});
  panels(h, "w", {32, 68}, Bytes(32 * 68));
  panels(h, "short", {16, 68}, Bytes(16 * 68));
  h.constant("floats", {20, 64}, std::vector<float>(20 * 64));
  const auto refuses = [&](const char* x, const char* w, U format, const char* words) {
    return h.tryNode("heddle", "BlockFullyConnected", {Param::u32("format", format)}, {x, w}, {"y"}) == 6005 &&
           says(words);
  };
  CHECK(refuses("x", "w", 7, "expected one of 2 (q4_0), 6 (q5_0), 8 (q8_0), 12 (q4_k), 13 (q5_k), 14 (q6_k), got 7"));
  CHECK(refuses("x", "short", 8, "expected [32, 68] bytes for 20 rows of 64 elements in format q8_0"));
  CHECK(refuses("x", "w", 6, "expected [32, 44] bytes"));
  CHECK(refuses("x", "w", 12, "rows of 64 elements do not divide into blocks of q4_k, 256"));
  CHECK(refuses("odd", "w", 8, "rows of 48 elements do not divide into blocks of q8_0, 32"));
  CHECK(refuses("x", "floats", 8, "expected UINT_8, got FLOAT_32"));
  CHECK(h.tryNode("heddle", "BlockFullyConnected", {}, {"x", "w"}, {"y"}) == 6005 && says("lacks its parameter 'format'"));
  const auto gates = [&](U hidden, const char* words) {
    return h.tryNode("heddle", "BlockGatedMlp",
                     {Param::u32("activation", 0), Param::u32("format", 8), Param::u32("down_format", 8),
                      Param::u32("hidden", hidden)},
                     {"x", "w", "w"}, {"y"}) == 6005 && says(words);
  };
  CHECK(gates(24, "expected a multiple of 16, got 24"));
  CHECK(gates(0, "expected a multiple of 16, got 0"));
  CHECK(gates(0xfffffff0U, "expected [8589934560, 68] bytes"));
  const auto gathers = [&](U rows, const char* words) {
    return h.tryNode("heddle", "BlockGather", {Param::u32("format", 8), Param::u32("rows", rows)}, {"w", "index"},
                     {"picked"}) == 6005 && says(words);
  };
  CHECK(gathers(33, "expected [48, 68] bytes for 33 rows"));
  CHECK(gathers(0, "expected 1 or more, got 0"));
  CHECK(gathers(0xffffffffU, "bytes for 4294967295 rows"));
}

int main() { return testing::main(); }
