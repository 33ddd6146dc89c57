// Products, perceptrons and attention through the C interface, against plain loops.
#include "evaluate.h"

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

TEST(cache_append_and_cached_attention) {
  Random random;
  const U g = 2, d = 6, capacity = 20, heads = 4;
  for (const auto& [t, stepwise] : {std::pair{1U, false}, {7U, false}, {7U, true}}) {
    Host h(backend());
    h.tensor("k_cache", TensorType::APP_READWRITE, {g, d, capacity});
    h.tensor("v_cache", TensorType::APP_READWRITE, {g, capacity, d});
    h.tensor("k", IN, {g, d, t});
    h.tensor("v", IN, {g, t, d});
    h.tensor("q", IN, {heads, t, d});
    h.tensor<std::int32_t>("position", IN, {1});
    h.tensor("out", OUT, {heads, t, d});
    h.node("KvAppend", {Param::u32("axis", 2)}, {"k_cache", "k", "position"}, {"k_cache"});
    h.node("KvAppend", {Param::u32("axis", 1)}, {"v_cache", "v", "position"}, {"v_cache"});
    h.node("FlashCachedAttention",
           {Param::f32("scale", 0.5F), Param::u32("window", 0), Param::u32("block_q", 3), Param::u32("block_k", 4),
            Param::flag("stepwise", stepwise)},
           {"q", "k_cache", "v_cache", "position"}, {"out"});
    h.finalize();
    std::vector<float> kCache(g * d * capacity, NAN), vCache(g * d * capacity, NAN);
    std::vector<std::vector<float>> keys, values;  // by position: [g * d]
    for (U at = 0; at < capacity; at += t) {
      const U real = std::min(t, capacity - at);  // the last append overhangs the cache
      auto k = random.floats(g * d * t), v = random.floats(g * t * d), q = random.floats(heads * t * d);
      for (U i = 0; i < real; ++i) {
        std::vector<float> key, value;
        for (U c = 0; c < g * d; ++c) {
          key.push_back(k[c * t + i]);
          value.push_back(v[(c / d * t + i) * d + c % d]);
        }
        keys.push_back(key);
        values.push_back(value);
      }
      std::vector<std::int32_t> position = {static_cast<std::int32_t>(at)};
      std::vector<float> out(heads * t * d, NAN);
      h.run({{"k_cache", kCache},
             {"v_cache", vCache},
             {"k", k},
             {"v", v},
             {"q", q},
             {"position", position},
             {"out", out}});
      for (U head = 0; head < heads; ++head) {
        for (U i = 0; i < real; ++i) {
          Doubles expected(d);
          double total = 0;
          for (U j = 0; j <= at + i; ++j) {
            double score = 0;
            for (U c = 0; c < d; ++c) score += 0.5 * q[(head * t + i) * d + c] * keys[j][head / 2 * d + c];
            total += std::exp(score);
            for (U c = 0; c < d; ++c) expected[c] += std::exp(score) * values[j][head / 2 * d + c];
          }
          for (double& e : expected) e /= total;
          CHECK_NEAR(&out[(head * t + i) * d], expected, 1e-5, "cached attention");
        }
      }
    }
  }
}

// A sequence several times as long as the cache: what is read is the window of each query, wherever that lies.
TEST(ring_append_and_cached_attention) {
  Random random;
  const U g = 1, d = 20, heads = 2, window = 9;
  for (const auto& [t, stepwise] : {std::pair{1U, false}, {7U, false}, {7U, true}}) {
    for (const U capacity : {window + t - 1, 24U}) {
      Host h(backend());
      h.tensor("k_cache", TensorType::APP_READWRITE, {g, d, capacity});
      h.tensor("v_cache", TensorType::APP_READWRITE, {g, capacity, d});
      h.tensor("k", IN, {g, d, t});
      h.tensor("v", IN, {g, t, d});
      h.tensor("q", IN, {heads, t, d});
      h.tensor<std::int32_t>("position", IN, {1});
      h.tensor("out", OUT, {heads, t, d});
      const Param seen = Param::u32("window", window);
      h.node("KvAppend", {Param::u32("axis", 2), seen}, {"k_cache", "k", "position"}, {"k_cache"});
      h.node("KvAppend", {Param::u32("axis", 1), seen}, {"v_cache", "v", "position"}, {"v_cache"});
      h.node("FlashCachedAttention",
             {Param::f32("scale", 0.3F), seen, Param::u32("block_q", 3), Param::u32("block_k", 8),
              Param::flag("stepwise", stepwise)},
             {"q", "k_cache", "v_cache", "position"}, {"out"});
      h.finalize();
      std::vector<float> kCache(d * capacity, NAN), vCache(d * capacity, NAN);
      std::vector<std::vector<float>> keys, values;  // by position
      U at = 0;
      for (U step = 0; at < 3 * capacity; ++step) {
        // Some runs end in padding, which the next run overwrites.
        const U real = t > 2 && step % 3 == 1 ? t - 2 : t;
        auto k = random.floats(d * t), v = random.floats(t * d), q = random.floats(heads * t * d);
        for (U i = 0; i < real; ++i) {
          std::vector<float> key, value;
          for (U c = 0; c < d; ++c) {
            key.push_back(k[c * t + i]);
            value.push_back(v[i * d + c]);
          }
          keys.push_back(key);
          values.push_back(value);
        }
        std::vector<std::int32_t> position = {static_cast<std::int32_t>(at)};
        std::vector<float> out(heads * t * d, NAN);
        h.run({{"k_cache", kCache},
               {"v_cache", vCache},
               {"k", k},
               {"v", v},
               {"q", q},
               {"position", position},
               {"out", out}});
        for (U head = 0; head < heads; ++head) {
          for (U i = 0; i < real; ++i) {
            Doubles expected(d);
            double total = 0;
            for (U j = at + i + 1 > window ? at + i + 1 - window : 0; j <= at + i; ++j) {
              double score = 0;
              for (U c = 0; c < d; ++c) score += 0.3 * q[(head * t + i) * d + c] * keys[j][c];
              total += std::exp(score);
              for (U c = 0; c < d; ++c) expected[c] += std::exp(score) * values[j][c];
            }
            for (double& e : expected) e /= total;
            CHECK_NEAR(&out[(head * t + i) * d], expected, 1e-5, "attention over a ring");
          }
        }
        at += real;
      }
    }
  }
}

// What queries give does not depend on how many there are, or on rows behind them.
TEST(stepwise_attention_gives_what_each_query_gives_alone) {
  Random random;
  const U d = 68, most = 130;
  for (const auto& [heads, g] : {std::pair{2U, 2U}, {4U, 1U}, {14U, 2U}}) {
    for (const U window : {0U, 70U}) {
      const U capacity = window == 0 ? 3 * most : window + most + 1;
      const auto k = random.floats(g * d * capacity), v = random.floats(g * capacity * d);
      const auto q = random.floats(heads * most * d);
      const auto attend = [&](U at, U t) {
        Host h(backend());
        h.tensor("k", TensorType::APP_READWRITE, {g, d, capacity});
        h.tensor("v", TensorType::APP_READWRITE, {g, capacity, d});
        h.tensor("q", IN, {heads, t, d});
        h.tensor<std::int32_t>("position", IN, {1});
        std::vector<std::int32_t> position = {static_cast<std::int32_t>(150 + at)};
        auto keys = k, values = v;
        std::vector<float> some;
        for (U head = 0; head < heads; ++head) {
          const float* from = &q[(head * most + at) * d];
          some.insert(some.end(), from, from + t * d);
        }
        return evaluate(h, "FlashCachedAttention",
                        {Param::f32("scale", 0.3F), Param::u32("window", window), Param::u32("block_q", 64),
                         Param::u32("block_k", 64), Param::flag("stepwise", true)},
                        {"q", "k", "v", "position"}, {heads, t, d},
                        {{"k", keys}, {"v", values}, {"q", some}, {"position", position}});
      };
      const auto whole = attend(0, most);
      for (const auto& [at, t] : {std::pair{0U, 1U}, {57U, 1U}, {129U, 1U}, {1U, 5U}, {64U, 66U}}) {
        const auto part = attend(at, t);
        for (U head = 0; head < heads; ++head) {
          const float* same = &whole[(head * most + at) * d];
          CHECK_NEAR(&part[head * t * d], Doubles(same, same + t * d), 0, "stepwise attention");
        }
      }
    }
  }
}

TEST(rope_rotates_halves) {
  Host h(backend());
  std::vector<float> x = {1, 0, 0, 1};
  h.tensor("x", IN, {1, 2, 2});
  h.constant<float>("c", {2, 1}, {0.6F, 1});
  h.constant<float>("s", {2, 1}, {0.8F, 0});
  const auto y = evaluate(h, "Rope", {}, {"x", "c", "s"}, {1, 2, 2}, {{"x", x}});
  CHECK((y == std::vector<float>{0.6F, 0.8F, 0, 1}));
}

int main() { return testing::main(); }
