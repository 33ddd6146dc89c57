// BlockFullyConnected: x w^T + bias + residual, weights [out, in] in a block format.
#include "block_linear.h"
#include "check.h"
#include "ops.h"

namespace heddle {
namespace block_fully_connected {
namespace {

constexpr ParamSpec kParams[] = {{"format", qnn::DataType::UINT_32, false, true}};

void validate(const Check& c) {
  using enum qnn::DataType;
  const TensorInfo &x = c.input(0), &w = c.input(1), &y = c.output();
  c.type(x, {FLOAT_32});
  c.type(y, {FLOAT_32});
  c.minimumRank(x, 1);
  c.minimumRank(y, 1);
  Dims expected = x.dims;
  expected.back() = y.dims.back();
  c.dims(y, expected);
  checkPanels(c, w, formatOf(c, "format"), y.dims.back(), x.dims.back());
  checkBias(c, 2, y.dims.back());
  if (c.node().hasInput(3)) {
    c.type(c.input(3), {FLOAT_32});
    c.dims(c.input(3), y.dims);
  }
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &y = node.output();
  const auto format = static_cast<BlockFormat>(node.scalar<std::uint32_t>("format", 0));
  const BlockLinear linear({x.count() / x.dims.back(), y.dims.back(), x.dims.back()}, format, Activation::NONE, planner);
  return [linear, x = planner.slot(x), w = planner.slot(node.input(1)), bias = floatOperand(node, 2, planner),
          residual = floatOperand(node, 3, planner), y = planner.slot(y)](const Execution& e) {
    linear.run(e, {e.at(x), e.at<std::byte>(w), bias.get(e), residual.get(e), e.at(y)});
  };
}

}  // namespace
}  // namespace block_fully_connected

constexpr OpDefinition kBlockFullyConnected = {
    qnn::reference::kPackage, "BlockFullyConnected", 2, 4, 1, 1, block_fully_connected::kParams,
    block_fully_connected::validate, block_fully_connected::plan};

}  // namespace heddle
