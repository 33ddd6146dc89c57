// Loops over several tensors at once: broadcasting and strided copies, with dimensions merged so that rows are long.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/thread_pool.h"

namespace heddle {

/// A nest of loops over N tensors; strides count elements. The last loop is the row.
template <std::size_t N>
struct LoopNest {
  struct Loop {
    std::size_t extent;
    std::array<std::ptrdiff_t, N> strides;
  };
  std::vector<Loop> loops;  // never empty

  void add(std::size_t extent, const std::array<std::ptrdiff_t, N>& strides) {
    if (extent == 1) return;
    if (!loops.empty()) {
      bool merges = true;  // the outer stride is a whole inner loop for every tensor
      for (std::size_t i = 0; i < N; ++i) {
        merges = merges && loops.back().strides[i] == strides[i] * static_cast<std::ptrdiff_t>(extent);
      }
      if (merges) {
        loops.back() = {loops.back().extent * extent, strides};
        return;
      }
    }
    loops.push_back({extent, strides});
  }
  void finish() {
    if (loops.empty()) loops.push_back({1, {}});
  }

  std::size_t rows() const {
    std::size_t n = 1;
    for (std::size_t i = 0; i + 1 < loops.size(); ++i) n *= loops[i].extent;
    return n;
  }
  const Loop& row() const { return loops.back(); }

  std::array<std::ptrdiff_t, N> offsets(std::size_t row) const {
    std::array<std::ptrdiff_t, N> r{};
    for (std::size_t i = loops.size() - 1; i-- > 0;) {
      const auto at = static_cast<std::ptrdiff_t>(row % loops[i].extent);
      row /= loops[i].extent;
      for (std::size_t t = 0; t < N; ++t) r[t] += at * loops[i].strides[t];
    }
    return r;
  }

  /// Calls f(offsets, n) for pieces of rows, in parallel when there is enough to do.
  template <class F>
  void run(ThreadPool& pool, const F& f) const {
    constexpr std::size_t kElementsPerTask = 16384;
    const std::size_t n = row().extent, count = rows();
    if (count == 1 && n > kElementsPerTask) {
      pool.forEach((n + kElementsPerTask - 1) / kElementsPerTask, [&](std::size_t task, std::size_t) {
        const std::size_t first = task * kElementsPerTask;
        std::array<std::ptrdiff_t, N> at{};
        for (std::size_t t = 0; t < N; ++t) at[t] = static_cast<std::ptrdiff_t>(first) * row().strides[t];
        f(at, n - first < kElementsPerTask ? n - first : kElementsPerTask);
      });
      return;
    }
    const std::size_t perTask = n >= kElementsPerTask ? 1 : kElementsPerTask / n;
    pool.forEach((count + perTask - 1) / perTask, [&](std::size_t task, std::size_t) {
      for (std::size_t i = task * perTask; i < count && i < (task + 1) * perTask; ++i) f(offsets(i), n);
    });
  }
};

/// Row-major strides, in elements.
std::vector<std::ptrdiff_t> stridesOf(const std::vector<std::uint32_t>& dims);

/// Tensor 0 is the output of shape `out`; the others broadcast to it.
template <std::size_t N>
LoopNest<N> broadcastLoops(const std::vector<std::uint32_t>& out,
                           const std::array<const std::vector<std::uint32_t>*, N - 1>& inputs) {
  LoopNest<N> nest;
  const std::vector<std::ptrdiff_t> outStrides = stridesOf(out);
  std::array<std::vector<std::ptrdiff_t>, N - 1> inStrides;
  for (std::size_t t = 0; t < N - 1; ++t) inStrides[t] = stridesOf(*inputs[t]);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::array<std::ptrdiff_t, N> strides{outStrides[i]};
    for (std::size_t t = 0; t < N - 1; ++t) {
      const std::size_t missing = out.size() - inputs[t]->size();
      strides[t + 1] = i < missing || (*inputs[t])[i - missing] == 1 ? 0 : inStrides[t][i - missing];
    }
    nest.add(out[i], strides);
  }
  nest.finish();
  return nest;
}

/// A copy between two strided arrays of elements of 1, 2, 4 or 8 bytes.
class StridedCopy {
 public:
  /// Strides of destination and source in elements.
  StridedCopy(const std::vector<std::uint32_t>& dims, const std::vector<std::ptrdiff_t>& to,
              const std::vector<std::ptrdiff_t>& from, std::size_t elementBytes);
  void run(ThreadPool&, std::byte* to, const std::byte* from) const;

 private:
  LoopNest<2> nest_;
  std::size_t elementBytes_;
};

}  // namespace heddle
