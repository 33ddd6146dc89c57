// Attention over caches, and what turns its queries and keys, through the C interface, against plain loops.
#include "evaluate.h"

using namespace testing;

/// A cache of keys and values, two heads of queries for each of its own.
struct Cached {
  U g, d, capacity, t, window, blockK;
  double scale;
  bool stepwise;
};

/// Appends t keys and values at a time up to `end` and attends, against loops over all that was appended.
/// `realOf(at, step)`: how many of the t there are really; the next run overwrites the others.
template <typename RealOf>
void checkCachedAttention(const Cached& c, U end, const RealOf& realOf, Random& random, const char* what) {
  const U g = c.g, d = c.d, t = c.t, capacity = c.capacity, heads = 2 * g;
  Host h(backend());
  h.tensor("k_cache", TensorType::APP_READWRITE, {g, d, capacity});
  h.tensor("v_cache", TensorType::APP_READWRITE, {g, capacity, d});
  h.tensor("k", IN, {g, d, t});
  h.tensor("v", IN, {g, t, d});
  h.tensor("q", IN, {heads, t, d});
  h.tensor<std::int32_t>("position", IN, {1});
  h.tensor("out", OUT, {heads, t, d});
  const auto append = [&](const char* cache, const char* from, U axis) {
    std::vector<Param> params = {Param::u32("axis", axis)};
    if (c.window > 0) params.push_back(Param::u32("window", c.window));
    h.node("KvAppend", params, {cache, from, "position"}, {cache});
  };
  append("k_cache", "k", 2);
  append("v_cache", "v", 1);
  h.node("FlashCachedAttention",
         {Param::f32("scale", static_cast<float>(c.scale)), Param::u32("window", c.window), Param::u32("block_q", 3),
          Param::u32("block_k", c.blockK), Param::flag("stepwise", c.stepwise)},
         {"q", "k_cache", "v_cache", "position"}, {"out"});
  h.finalize();
  std::vector<float> kCache(g * d * capacity, NAN), vCache(g * d * capacity, NAN);
  std::vector<std::vector<float>> keys, values;  // by position: [g * d]
  U at = 0;
  for (U step = 0; at < end; ++step) {
    const U real = realOf(at, step);
    auto k = random.floats(g * d * t), v = random.floats(g * t * d), q = random.floats(heads * t * d);
    for (U i = 0; i < real; ++i) {
      std::vector<float> key, value;
      for (U e = 0; e < g * d; ++e) {
        key.push_back(k[e * t + i]);
        value.push_back(v[(e / d * t + i) * d + e % d]);
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
        const U seen = at + i + 1;
        for (U j = c.window > 0 && seen > c.window ? seen - c.window : 0; j < seen; ++j) {
          double score = 0;
          for (U e = 0; e < d; ++e) score += c.scale * q[(head * t + i) * d + e] * keys[j][head / 2 * d + e];
          total += std::exp(score);
          for (U e = 0; e < d; ++e) expected[e] += std::exp(score) * values[j][head / 2 * d + e];
        }
        for (double& e : expected) e /= total;
        CHECK_NEAR(&out[(head * t + i) * d], expected, 1e-5, what);
      }
    }
    at += real;
  }
}

constexpr std::pair<U, bool> kSteps[] = {{1, false}, {7, false}, {7, true}};

TEST(cache_append_and_cached_attention) {
  Random random;
  const U capacity = 20;
  for (const auto& [t, stepwise] : kSteps) {
    // The last append overhangs the cache.
    const auto real = [&, most = t](U at, U) { return std::min(most, capacity - at); };
    const Cached c = {.g = 2, .d = 6, .capacity = capacity, .t = t, .window = 0, .blockK = 4, .scale = 0.5,
                      .stepwise = stepwise};
    checkCachedAttention(c, capacity, real, random, "cached attention");
  }
}

// A sequence several times as long as the cache: what is read is the window of each query, wherever that lies.
TEST(ring_append_and_cached_attention) {
  Random random;
  const U window = 9;
  for (const auto& [t, stepwise] : kSteps) {
    // Some runs end in padding, which the next run overwrites.
    const auto real = [most = t](U, U step) { return most > 2 && step % 3 == 1 ? most - 2 : most; };
    for (const U capacity : {window + t - 1, 24U}) {
      const Cached c = {.g = 1, .d = 20, .capacity = capacity, .t = t, .window = window, .blockK = 8, .scale = 0.3,
                        .stepwise = stepwise};
      checkCachedAttention(c, 3 * capacity, real, random, "attention over a ring");
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
