// Attention over caches, and what turns its queries and keys, through the C interface, against plain loops.
#include "evaluate.h"

using namespace testing;

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
