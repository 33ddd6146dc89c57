// What the kernel benchmarks share: memory, a stand-in for a graph, best times of things that take turns.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "../../src/runtime/reference/core/buffer.h"
#include "../../src/runtime/reference/ops/op.h"

namespace heddle {

/// As aligned as the backend's own memory and mapped weights are.
template <class T>
class Aligned {
 public:
  explicit Aligned(std::size_t n) : memory_(n * sizeof(T)) {}
  T* data() const { return reinterpret_cast<T*>(memory_.data()); }

 private:
  AlignedBuffer memory_;
};

/// Stands in for a graph: hands out workspace of one op.
class BenchPlanner final : public Planner {
 public:
  BenchPlanner(const Kernels& kernels, std::size_t threads) : kernels_(kernels), threads_(threads) {}
  const Kernels& kernels() const override { return kernels_; }
  std::size_t threads() const override { return threads_; }
  Slot slot(const TensorInfo&) const override { return 0; }
  std::size_t workspace(std::size_t bytes) override {
    const std::size_t at = bytes_;
    bytes_ += alignUp(bytes);
    return at;
  }
  bool alias(const TensorInfo&, const TensorInfo&, std::size_t) override { return false; }
  float* keep(std::vector<float>) override { return nullptr; }
  std::size_t bytes() const { return bytes_; }

 private:
  const Kernels& kernels_;
  std::size_t threads_, bytes_ = 0;
};

inline double secondsOf(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Best times of functions that take turns; the first turn only warms up.
inline std::vector<double> bestSeconds(int repeats, const std::vector<std::function<void()>>& turns) {
  std::vector<double> best(turns.size(), 1e9);
  for (int i = 0; i <= repeats; ++i) {
    for (std::size_t t = 0; t < turns.size(); ++t) {
      const double seconds = secondsOf(turns[t]);
      if (i != 0) best[t] = std::min(best[t], seconds);
    }
  }
  return best;
}
inline double bestSeconds(int repeats, const std::function<void()>& f) { return bestSeconds(repeats, std::vector{f})[0]; }

/// Reads everything with all threads, as fast as plain vector loads go.
inline void readAll(ThreadPool& pool, const Kernels& k, const float* data, std::size_t count) {
  constexpr std::size_t kChunk = 24 * 1024;
  std::vector<float> sums(pool.threads() * 16);
  pool.forEach(count / kChunk,
               [&](std::size_t task, std::size_t thread) { sums[thread * 16] += k.sum(data + task * kChunk, kChunk); });
}

}  // namespace heddle
