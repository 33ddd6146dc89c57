#include "fixed_linear.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "fixed_point.h"

namespace heddle {
namespace {

using enum qnn::DataType;

/// Weight bytes per task: long enough for the prefetcher, short enough to share evenly and to stay in the first cache while
/// many activation rows pass.
constexpr std::size_t kTaskBytes = 24 * 1024;

/// What of a layer is known before it runs.
struct Constants {
  std::vector<std::int64_t> bias;  ///< with what the offset of the activations adds
  std::vector<double> factors;     ///< from the unit of a sum to that of a result in fixed point
  std::vector<float> scales;       ///< or to a float
  std::vector<std::uint8_t> blockScales;
};

struct Layer {
  std::size_t m, n, k;
  Fixed in;
  std::optional<Fixed> out;  ///< none: floats
  std::size_t inBytes, outBytes;
  std::int32_t outOffset;
  Slot x, w, y;
  std::size_t wide, sums;  ///< workspace
  std::size_t rows;        ///< weight rows per task
  std::size_t blocks;      ///< of a weight row that have scales of their own; else 0
  std::shared_ptr<const Constants> constants;
};

std::shared_ptr<const Constants> constantsOf(const Node& node) {
  const TensorInfo &x = node.input(0), &w = node.input(1);
  const FixedEncoding from = encodingOf(x);
  const bool floats = node.output().dataType == FLOAT_32;
  const float unit = floats ? 1.0F : encodingOf(node.output()).scale;
  const std::size_t n = w.dims[0], k = w.dims[1];
  const std::int64_t shift = std::int64_t{from.offset} + (x.dataType == UFIXED_POINT_16 ? 32768 : 0);
  const Quantization& q = w.quantization;
  const std::size_t blocks = q.blockScales.empty() ? 1 : q.blockScales.size() / n;
  auto r = std::make_shared<Constants>();
  r->blockScales = q.blockScales;
  r->bias.resize(n);
  r->factors.resize(n);
  r->scales.resize(n);
  const auto* weights = reinterpret_cast<const std::int8_t*>(w.data);
  const auto* bias = node.hasInput(2) ? reinterpret_cast<const std::int32_t*>(node.input(2).data) : nullptr;
  for (std::size_t j = 0; j < n; ++j) {
    std::int64_t sum = 0;
    for (std::size_t b = 0; b < blocks; ++b) {
      std::int64_t inner = 0;
      for (std::size_t i = 0; i < k / blocks; ++i) inner += weights[j * k + b * (k / blocks) + i];
      sum += inner * (q.blockScales.empty() ? 1 : q.blockScales[j * blocks + b]);
    }
    r->bias[j] = shift * sum + (bias == nullptr ? 0 : bias[j]);
    r->factors[j] =
        static_cast<double>(from.scale) * static_cast<double>(w.quantization.scales[j]) / static_cast<double>(unit);
    r->scales[j] = from.scale * w.quantization.scales[j];
  }
  return r;
}

void run(const Layer& l, const Execution& e) {
  auto* x = e.scratch<std::int16_t>(l.wide);
  auto* sums = e.scratch<std::int64_t>(l.sums);
  const int in = static_cast<int>(l.in);
  e.pool.forEach(l.m, [&](std::size_t i, std::size_t) {
    e.kernels.widenFixed[in](e.at<std::byte>(l.x) + i * l.k * l.inBytes, x + i * l.k, l.k);
  });
  e.pool.forEach((l.n + l.rows - 1) / l.rows, [&](std::size_t task, std::size_t) {
    const std::size_t first = task * l.rows, count = std::min(l.rows, l.n - first);
    const std::uint8_t* scales = l.blocks == 0 ? nullptr : l.constants->blockScales.data() + first * l.blocks;
    const std::size_t blockSize = l.blocks == 0 ? 0 : l.k / l.blocks;
    e.kernels.dotFixed(
        {l.m, count, l.k, x, e.at<std::int8_t>(l.w) + first * l.k, sums + first, l.n, scales, blockSize});
    const auto* bias = l.constants->bias.data() + first;
    for (std::size_t i = 0; i < l.m; ++i) {
      const std::int64_t* row = sums + i * l.n + first;
      std::byte* y = e.at<std::byte>(l.y) + (i * l.n + first) * l.outBytes;
      if (l.out) {
        e.kernels.finishFixed[static_cast<int>(*l.out)]({row, bias, l.constants->factors.data() + first, l.outOffset},
                                                        y, count);
      } else {
        e.kernels.finishScaled({row, bias, l.constants->scales.data() + first}, reinterpret_cast<float*>(y), count);
      }
    }
  });
}

/// Weights times the scales of their blocks must fit 8 bits, as the kernels sum them.
void checkBlocks(const Check& c, const TensorInfo& w) {
  const std::vector<std::uint8_t>& scales = w.quantization.blockScales;
  const std::size_t blockSize = scales.empty() ? 0 : w.count() / scales.size();
  if (w.rank() != 2 || scales.size() % w.dims[0] != 0 || scales.size() * blockSize != w.count() || blockSize == 0 ||
      blockSize % kBlockUnit != 0) {
    c.refuse(w, "blocks must be of " + std::to_string(kBlockUnit) + " inputs or a multiple, not " +
                    std::to_string(blockSize));
  }
  const auto* weights = reinterpret_cast<const std::int8_t*>(w.data);
  for (std::size_t i = 0; weights != nullptr && i < w.count(); ++i) {
    const int expanded = weights[i] * scales[i / blockSize];
    if (expanded < -128 || expanded > 127) {
      c.refuse(w, "value " + std::to_string(i) + " times the scale of its block is " + std::to_string(expanded) +
                      ", more than 8 bits hold");
    }
  }
}

}  // namespace

void checkFixedLinear(const Check& c) {
  const TensorInfo &x = c.input(0), &w = c.input(1);
  checkFixed(c, x);
  if (c.output().dataType != FLOAT_32) checkFixed(c, c.output());
  c.type(w, {SFIXED_POINT_8});
  if (!w.isStatic()) c.refuse(w, "fixed-point weights must be constant");
  const Quantization& q = w.quantization;
  const bool inBlocks = q.encoding == qnn::Encoding::BLOCKWISE_EXPANSION;
  const bool perAxis =
      q.definition == qnn::Definition::DEFINED && (q.encoding == qnn::Encoding::AXIS_SCALE_OFFSET ||
                                                   q.encoding == qnn::Encoding::BW_AXIS_SCALE_OFFSET || inBlocks);
  if (!perAxis || q.axis != 0 || w.dims.empty() || q.scales.size() != w.dims[0]) {
    c.refuse(w, "expected one scale for each row (AXIS_SCALE_OFFSET, BW_AXIS_SCALE_OFFSET or BLOCKWISE_EXPANSION along axis 0)");
  }
  for (std::size_t i = 0; i < q.scales.size(); ++i) {
    if (!std::isfinite(q.scales[i]) || q.scales[i] <= 0.0F || q.offsets[i] != 0) {
      c.refuse(w, "the scale of row " + std::to_string(i) + " must be positive and finite, its offset 0");
    }
  }
  if (inBlocks) checkBlocks(c, w);
  if (w.rank() == 2 && w.dims[1] > kFixedDepth) {
    c.refuse(w, "rows longer than " + std::to_string(kFixedDepth) + " could overflow their sum");
  }
  if (!c.node().hasInput(2)) return;
  const TensorInfo& bias = c.input(2);
  c.type(bias, {SFIXED_POINT_32, INT_32});
  if (!bias.isStatic()) c.refuse(bias, "a fixed-point bias must be constant");
  c.dims(bias, {w.dims[0]});
}

Executable planFixedLinear(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &w = node.input(1), &y = node.output();
  Layer l{};
  l.n = w.dims[0];
  l.k = w.dims[1];
  l.m = x.count() / l.k;
  l.in = fixedOf(x.dataType);
  if (y.dataType != FLOAT_32) l.out = fixedOf(y.dataType);
  l.inBytes = sizeOf(x.dataType);
  l.outBytes = sizeOf(y.dataType);
  l.outOffset = l.out ? encodingOf(y).offset : 0;
  l.x = planner.slot(x);
  l.w = planner.slot(w);
  l.y = planner.slot(y);
  l.wide = planner.workspace(l.m * l.k * sizeof(std::int16_t));
  l.sums = planner.workspace(l.m * l.n * sizeof(std::int64_t));
  l.rows = std::max<std::size_t>(16, kTaskBytes / l.k / 16 * 16);
  l.blocks = w.quantization.blockScales.size() / l.n;
  l.constants = constantsOf(node);
  return [l](const Execution& e) { run(l, e); };
}

}  // namespace heddle
