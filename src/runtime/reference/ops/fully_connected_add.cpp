// FullyConnectedAdd: x w^T + bias + residual in one sweep over the weights.
#include "check.h"
#include "linear.h"
#include "ops.h"

namespace heddle {
namespace fully_connected_add {
namespace {

void validate(const Check& c) {
  using enum qnn::DataType;
  const TensorInfo &x = c.input(0), &w = c.input(1), &residual = c.input(3), &y = c.output();
  c.type(x, {FLOAT_32});
  c.type(w, {FLOAT_32, FLOAT_16});
  c.type(residual, {FLOAT_32});
  c.type(y, {FLOAT_32});
  c.minimumRank(x, 1);
  c.rank(w, 2);
  if (x.dims.back() != w.dims[1]) {
    c.refuse(x, "last dimension must be that of the weights " + w.describe() + ", " + std::to_string(w.dims[1]));
  }
  Dims expected = x.dims;
  expected.back() = w.dims[0];
  c.dims(residual, expected);
  c.dims(y, expected);
  checkBias(c, 2, w.dims[0]);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &w = node.input(1);
  const Linear linear({x.count() / w.dims[1], w.dims[0], w.dims[1]}, w.dataType, Activation::NONE, planner);
  return [linear, x = planner.slot(x), w = planner.slot(w), bias = floatOperand(node, 2, planner),
          residual = planner.slot(node.input(3)), y = planner.slot(node.output())](const Execution& e) {
    linear.run(e, {e.at(x), e.at<std::byte>(w), bias.get(e), e.at(residual), e.at(y)});
  };
}

}  // namespace
}  // namespace fully_connected_add

constexpr OpDefinition kFullyConnectedAdd = {
    qnn::reference::kPackage, "FullyConnectedAdd", 4, 4, 1, 1, {},
    fully_connected_add::validate, fully_connected_add::plan};

}  // namespace heddle
