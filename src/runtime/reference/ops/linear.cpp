#include "linear.h"

#include <algorithm>

#include "../core/buffer.h"

namespace heddle {
namespace {

/// Depth of a packed block: a column panel of it stays in the second-level cache, a row panel in the first.
constexpr std::size_t kBlockK = 384;
/// Weight bytes per task when streaming: long enough for the prefetcher, short enough to share evenly.
constexpr std::size_t kStreamBytes = 96 * 1024;

std::size_t divideUp(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

Linear::Linear(const Shape& shape, qnn::DataType weights, Activation activation, Planner& planner)
    : s_(shape),
      activation_(activation),
      half_(weights == qnn::DataType::FLOAT_16),
      gemm_(shape.m > planner.kernels().dotMaxRows) {
  if (!gemm_) return;
  const Kernels& k = planner.kernels();
  blockK_ = divideUp(s_.k, divideUp(s_.k, kBlockK));
  packedA_ = planner.workspace(divideUp(s_.m, k.gemmRows) * k.gemmRows * blockK_ * sizeof(float));
  perThreadB_ = alignUp(k.gemmCols * blockK_ * sizeof(float));
  packedB_ = planner.workspace(perThreadB_ * planner.threads());
}

void Linear::run(const Execution& e, const Operands& o) const {
  if (gemm_) {
    runGemm(e, o);
  } else {
    runDots(e, o);
  }
}

void Linear::runDots(const Execution& e, const Operands& o) const {
  const std::size_t element = half_ ? sizeof(Half) : sizeof(float);
  const std::size_t rows = std::max<std::size_t>(16, kStreamBytes / (s_.k * element) / 16 * 16);
  const auto kernel = half_ ? e.kernels.dotRowsF16 : e.kernels.dotRowsF32;
  e.pool.forEach(divideUp(s_.n, rows), [&](std::size_t task, std::size_t) {
    const std::size_t first = task * rows, count = std::min(rows, s_.n - first);
    const auto* w = static_cast<const std::byte*>(o.w) + first * s_.k * element;
    kernel({s_.m, count, s_.k, o.x, s_.k, w, s_.k, o.y + first, s_.n});
    for (std::size_t i = 0; i < s_.m; ++i) {
      e.kernels.finish(o.y + i * s_.n + first, count, o.bias == nullptr ? nullptr : o.bias + first,
                       o.residual == nullptr ? nullptr : o.residual + i * s_.n + first, activation_);
    }
  });
}

void Linear::runGemm(const Execution& e, const Operands& o) const {
  const Kernels& k = e.kernels;
  const std::size_t element = half_ ? sizeof(Half) : sizeof(float);
  const auto packCols = half_ ? k.packColsF16 : k.packColsF32;
  float* packedA = e.scratch(packedA_);
  for (std::size_t depth = 0; depth < s_.k; depth += blockK_) {
    const std::size_t kc = std::min(blockK_, s_.k - depth);
    e.pool.forEach(divideUp(s_.m, k.gemmRows), [&](std::size_t panel, std::size_t) {
      const std::size_t first = panel * k.gemmRows;
      k.packRows(o.x + first * s_.k + depth, s_.k, std::min(k.gemmRows, s_.m - first), kc, packedA + first * kc);
    });
    e.pool.forEach(divideUp(s_.n, k.gemmCols), [&](std::size_t panel, std::size_t thread) {
      const std::size_t first = panel * k.gemmCols, cols = std::min(k.gemmCols, s_.n - first);
      float* packedB = e.scratch(packedB_ + thread * perThreadB_);
      packCols(static_cast<const std::byte*>(o.w) + (first * s_.k + depth) * element, s_.k, cols, kc, packedB);
      k.gemm({s_.m, cols, kc, packedA, k.gemmRows * kc, 1, k.gemmRows, packedB, 0, k.gemmCols, o.y + first, s_.n,
              depth != 0});
      if (depth + kc < s_.k) return;
      for (std::size_t i = 0; i < s_.m; ++i) {
        k.finish(o.y + i * s_.n + first, cols, o.bias == nullptr ? nullptr : o.bias + first,
                 o.residual == nullptr ? nullptr : o.residual + i * s_.n + first, activation_);
      }
    });
  }
}

}  // namespace heddle
