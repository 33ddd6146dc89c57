// BlockGatedMlp: GatedMlp with weights in block formats. A task computes columns of the gate and those that they gate, so
// that the hidden layer passes through the cache once.
#include <algorithm>
#include <cmath>
#include <vector>

#include "block_linear.h"
#include "check.h"
#include "ops.h"

namespace heddle {
namespace block_gated_mlp {
namespace {

constexpr ParamSpec kParams[] = {{"activation", qnn::DataType::UINT_32, false, true},
                                 {"format", qnn::DataType::UINT_32, false, true},
                                 {"down_format", qnn::DataType::UINT_32, false, true},
                                 {"hidden", qnn::DataType::UINT_32, false, true}};

void validate(const Check& c) {
  using enum qnn::DataType;
  const TensorInfo &x = c.input(0), &y = c.output();
  c.type(x, {FLOAT_32});
  c.type(y, {FLOAT_32});
  c.minimumRank(x, 1);
  c.minimumRank(y, 1);
  Dims expected = x.dims;
  expected.back() = y.dims.back();
  c.dims(y, expected);
  const auto hidden = c.node().scalar<std::uint32_t>("hidden", 0);
  if (hidden == 0 || hidden % kPanelRows != 0) {
    c.refuse("parameter 'hidden': expected a multiple of " + std::to_string(kPanelRows) + ", got " +
             std::to_string(hidden));
  }
  checkPanels(c, c.input(1), formatOf(c, "format"), std::size_t{2} * hidden, x.dims.back());
  checkPanels(c, c.input(2), formatOf(c, "down_format"), y.dims.back(), hidden);
  checkActivation(c);
}

/// GELU of every half precision number, in half precision, by ggml's formula: in floats, where 1 + tanh cancels.
std::vector<Half> geluOfHalves(const Kernels& kernels) {
  std::vector<Half> table(1U << 16);
  std::vector<float> values(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) table[i].bits = static_cast<std::uint16_t>(i);
  kernels.halfToFloat(table.data(), values.data(), values.size());
  for (float& x : values) {
    const float slope = 0.79788456F * x * std::fma(0.044715F * x, x, 1.0F);
    x = 0.5F * x * (1.0F + static_cast<float>(std::tanh(static_cast<double>(slope))));
  }
  kernels.floatToHalf(values.data(), table.data(), values.size());
  return table;
}

/// GELU in place as ggml's CPU backend computes it: of x rounded to half precision, by a table, and from 10 on in magnitude 0
/// or x itself. Weights in blocks come from its files and activations are rounded to 8 bits by its rule, which any other
/// difference in their values would turn over.
void geluInHalves(const Kernels& kernels, float* x, std::size_t n) {
  static const std::vector<Half> table = geluOfHalves(kernels);
  constexpr std::size_t kAtOnce = 256;
  Half halves[kAtOnce];
  float gelu[kAtOnce];
  for (std::size_t i = 0; i < n; i += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, n - i);
    kernels.floatToHalf(x + i, halves, count);
    for (std::size_t j = 0; j < count; ++j) halves[j] = table[halves[j].bits];
    kernels.halfToFloat(halves, gelu, count);
    for (std::size_t j = 0; j < count; ++j) {
      float& at = x[i + j];
      at = at <= -10.0F ? 0.0F : at >= 10.0F ? at : gelu[j];
    }
  }
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &y = node.output();
  const auto format = [&](const char* name) { return static_cast<BlockFormat>(node.scalar<std::uint32_t>(name, 0)); };
  const std::size_t width = x.dims.back(), rows = x.count() / width;
  const std::size_t hidden = node.scalar<std::uint32_t>("hidden", 0);
  const auto activation = static_cast<Activation>(node.scalar<std::uint32_t>("activation", 0));
  const std::size_t both = planner.workspace(rows * 2 * hidden * sizeof(float));
  const BlockLinear in({rows, 2 * hidden, width}, format("format"), Activation::NONE, planner);
  const BlockLinear out({rows, y.dims.back(), hidden}, format("down_format"), Activation::NONE, planner);
  return [=, x = planner.slot(x), w1 = planner.slot(node.input(1)), w2 = planner.slot(node.input(2)),
          y = planner.slot(y), n = y.dims.back()](const Execution& e) {
    in.quantize(e, e.at(x), width);
    const auto multiply = e.kernels.binary[static_cast<int>(Binary::MULTIPLY)];
    const std::size_t panels = hidden / kPanelRows, perTask = in.panelsPerTask(e, panels);
    e.pool.forEach((panels + perTask - 1) / perTask, [&](std::size_t task, std::size_t thread) {
      const std::size_t panel = task * perTask, count = std::min(perTask, panels - panel);
      float* gate = e.scratch(both) + panel * kPanelRows;
      in.product(e, thread, e.at<std::byte>(w1), panel, count, gate, 2 * hidden);
      in.product(e, thread, e.at<std::byte>(w1), panels + panel, count, gate + hidden, 2 * hidden);
      for (std::size_t i = 0; i < rows; ++i, gate += 2 * hidden) {
        if (activation == Activation::GELU_TANH) {
          geluInHalves(e.kernels, gate, count * kPanelRows);
        } else {
          e.kernels.finish(gate, count * kPanelRows, nullptr, nullptr, activation);
        }
        multiply(gate, 1, gate + hidden, 1, gate, count * kPanelRows);
      }
    });
    out.quantize(e, e.scratch(both), 2 * hidden);
    const std::size_t outPanels = (n + kPanelRows - 1) / kPanelRows, outPerTask = out.panelsPerTask(e, outPanels);
    e.pool.forEach((outPanels + outPerTask - 1) / outPerTask, [&](std::size_t task, std::size_t thread) {
      const std::size_t panel = task * outPerTask;
      out.product(e, thread, e.at<std::byte>(w2), panel, std::min(outPerTask, outPanels - panel),
                  e.at(y) + panel * kPanelRows, n);
    });
  };
}

}  // namespace
}  // namespace block_gated_mlp

constexpr OpDefinition kBlockGatedMlp = {
    qnn::reference::kPackage, "BlockGatedMlp", 3, 3, 1, 1, block_gated_mlp::kParams,
    block_gated_mlp::validate, block_gated_mlp::plan};

}  // namespace heddle
