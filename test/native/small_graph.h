// A graph of five nodes with state, for tests of the interface rather than of numbers.
#pragma once

#include "evaluate.h"

namespace testing {

/// True when the last refusal was worded so.
inline bool says(const std::string& part) {
  if (lastError().find(part) != std::string::npos) return true;
  std::printf("  log says: %s\n", lastError().c_str());
  return false;
}

/// x [1, 8] -> FullyConnected -> GeluTanh -> LayerNorm -> out, with an APP_READWRITE cache beside it.
inline void buildSmall(Host& h, const std::vector<float>& w, const std::vector<float>& b) {
  h.tensor("x", IN, {1, 8});
  h.constant("w", {8, 8}, w);
  h.constant("b", {8}, b);
  h.tensor("cache", TensorType::APP_READWRITE, {1, 4, 8});
  h.tensor<std::int32_t>("position", IN, {1});
  h.tensor("t0", TensorType::NATIVE, {1, 8});
  h.tensor("t1", TensorType::NATIVE, {1, 8});
  h.tensor("row", TensorType::NATIVE, {1, 1, 8});
  h.tensor("out", OUT, {1, 8});
  h.node("FullyConnected", {}, {"x", "w", "b"}, {"t0"});
  h.node("GeluTanh", {}, {"t0"}, {"t1"});
  h.node("Reshape", {}, {"t1"}, {"row"});
  h.node("KvAppend", {Param::u32("axis", 1)}, {"cache", "row", "position"}, {"cache"});
  h.node("LayerNorm", {Param::f32("epsilon", 1e-5F), Param::list<U>("axes", {1})}, {"t1"}, {"out"});
  h.finalize();
}

struct SmallRun {
  std::vector<float> x, cache = std::vector<float>(32), out = std::vector<float>(8);
  std::vector<std::int32_t> position = {2};
  explicit SmallRun(Host& h, std::vector<float> input) : x(std::move(input)) {
    h.run({{"x", x}, {"cache", cache}, {"position", position}, {"out", out}});
  }
};

struct Weights {
  Random random{7};
  std::vector<float> w = random.floats(64), b = random.floats(8), x = random.floats(8);
};

}  // namespace testing
