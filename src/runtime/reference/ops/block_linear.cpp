#include "block_linear.h"

#include <algorithm>

#include "../core/buffer.h"
#include "check.h"

namespace heddle {
namespace {

/// Weight bytes per task: long enough for the prefetcher, short enough to share evenly.
constexpr std::size_t kTaskBytes = 96 * 1024;

std::size_t divideUp(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

}  // namespace

BlockLinear::BlockLinear(const Linear::Shape& shape, BlockFormat format, Activation activation, Planner& planner)
    : s_(shape),
      format_(format),
      activation_(activation),
      kernels_(&blockKernels(planner.kernels().isa)),
      tileRows_(shape.m == 1 ? 1 : kernels_->tileRows) {
  const BlockLayout layout = layoutOf(format);
  panelBytes_ = s_.k / layout.elements * layout.bytes * kPanelRows;
  const std::size_t rows = divideUp(s_.m, tileRows_) * tileRows_;
  codes_ = planner.workspace(rows * s_.k);
  scales_ = planner.workspace(rows * (s_.k / layout.elements) * sizeof(float));
  sums_ = planner.workspace(rows * (s_.k / sumElements(format)) * sizeof(std::int32_t));
  if (s_.m == 1) return;
  perThread_ = alignUp(blockScratch(format, s_.k));
  decoded_ = planner.workspace(perThread_ * planner.threads());
}

QuantizedTile BlockLinear::tileAt(const Execution& e, std::size_t tile) const {
  const BlockLayout layout = layoutOf(format_);
  const std::size_t first = tile * tileRows_;
  return {tileRows_, e.scratch<std::int8_t>(codes_) + first * s_.k,
          e.scratch(scales_) + first * (s_.k / layout.elements),
          e.scratch<std::int32_t>(sums_) + first * (s_.k / sumElements(format_))};
}

void BlockLinear::quantize(const Execution& e, const float* x, std::size_t ldx) const {
  e.pool.forEach(divideUp(s_.m, tileRows_), [&](std::size_t tile, std::size_t) {
    const std::size_t first = tile * tileRows_, rows = std::min(tileRows_, s_.m - first);
    kernels_->quantize(format_, x + first * ldx, ldx, rows, s_.k, tileAt(e, tile));
  });
}

void BlockLinear::product(const Execution& e, std::size_t thread, const void* w, std::size_t panel, std::size_t count,
                          float* y, std::size_t ldy) const {
  const auto* panels = static_cast<const std::byte*>(w) + panel * panelBytes_;
  const std::size_t cols = std::min(count * kPanelRows, s_.n - panel * kPanelRows);
  std::byte* decoded = s_.m == 1 ? nullptr : e.scratch<std::byte>(decoded_ + thread * perThread_);
  kernels_->product(format_, {tileAt(e, 0), s_.k, panels, count, y, ldy, s_.m, cols, decoded});
}

std::size_t BlockLinear::panelsPerTask(const Execution& e, std::size_t panels) const {
  // Many rows: a panel is decoded once for all tiles. Few: tasks are long runs of memory.
  if (s_.m > tileRows_) return 1;
  return std::clamp<std::size_t>(kTaskBytes / panelBytes_, 1, divideUp(panels, 2 * e.pool.threads()));
}

void BlockLinear::run(const Execution& e, const Linear::Operands& o) const {
  quantize(e, o.x, s_.k);
  const std::size_t panels = divideUp(s_.n, kPanelRows), perTask = panelsPerTask(e, panels);
  e.pool.forEach(divideUp(panels, perTask), [&](std::size_t task, std::size_t thread) {
    const std::size_t panel = task * perTask, first = panel * kPanelRows;
    const std::size_t count = std::min(perTask, panels - panel), cols = std::min(count * kPanelRows, s_.n - first);
    product(e, thread, o.w, panel, count, o.y + first, s_.n);
    if (o.bias == nullptr && o.residual == nullptr && activation_ == Activation::NONE) return;
    for (std::size_t i = 0; i < s_.m; ++i) {
      e.kernels.finish(o.y + i * s_.n + first, cols, o.bias == nullptr ? nullptr : o.bias + first,
                       o.residual == nullptr ? nullptr : o.residual + i * s_.n + first, activation_);
    }
  });
}

BlockFormat formatOf(const Check& c, const char* param) {
  const auto number = c.node().scalar<std::uint32_t>(param, 0);
  std::string known;
  for (const BlockFormat f : kBlockFormats) {
    if (static_cast<std::uint32_t>(f) == number) return f;
    known += (known.empty() ? "" : ", ") + std::to_string(static_cast<std::uint32_t>(f)) + " (" + layoutOf(f).name + ")";
  }
  c.refuse("parameter '" + std::string(param) + "': expected one of " + known + ", got " + std::to_string(number));
}

void checkPanels(const Check& c, const TensorInfo& w, BlockFormat format, std::size_t n, std::size_t k) {
  const BlockLayout layout = layoutOf(format);
  c.type(w, {qnn::DataType::UINT_8});
  c.rank(w, 2);
  if (k % layout.elements != 0) {
    c.refuse(w, "rows of " + std::to_string(k) + " elements do not divide into blocks of " + layout.name + ", " +
                    std::to_string(layout.elements));
  }
  const std::size_t rows = divideUp(n, kPanelRows) * kPanelRows, bytes = k / layout.elements * layout.bytes;
  if (w.dims[0] != rows || w.dims[1] != bytes) {
    c.refuse(w, "expected [" + std::to_string(rows) + ", " + std::to_string(bytes) + "] bytes for " +
                    std::to_string(n) + " rows of " + std::to_string(k) + " elements in format " + layout.name);
  }
}

}  // namespace heddle
