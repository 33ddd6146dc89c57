// FullyConnected: x w^T + bias, weights [out, in]; in floats, or in fixed point.
#include "check.h"
#include "fixed_linear.h"
#include "fixed_point.h"
#include "linear.h"
#include "ops.h"

namespace heddle {
namespace fully_connected {
namespace {

constexpr ParamSpec kParams[] = {{"keep_dims", qnn::DataType::BOOL_8}};

void validate(const Check& c) {
  using enum qnn::DataType;
  const TensorInfo &x = c.input(0), &w = c.input(1), &y = c.output();
  const bool fixed = isFixed(x.dataType);
  if (fixed) {
    checkFixedLinear(c);
  } else {
    c.type(x, {FLOAT_32});
    c.type(w, {FLOAT_32, FLOAT_16});
    c.type(y, {FLOAT_32});
  }
  c.minimumRank(x, 1);
  c.rank(w, 2);
  const std::uint32_t n = w.dims[0], k = w.dims[1];
  if (c.node().flag("keep_dims")) {
    if (x.dims.back() != k)
      c.refuse(x, "last dimension must be that of the weights " + w.describe() + ", " + std::to_string(k));
    Dims expected = x.dims;
    expected.back() = n;
    c.dims(y, expected);
  } else {
    if (x.count() % k != 0)
      c.refuse(x, "does not divide into rows of the weights " + w.describe() + ", " + std::to_string(k));
    c.dims(y, {static_cast<std::uint32_t>(x.count() / k), n});
  }
  if (!fixed) checkBias(c, 2, n);
}

Executable plan(const Node& node, Planner& planner) {
  if (isFixed(node.input(0).dataType)) return planFixedLinear(node, planner);
  const TensorInfo &x = node.input(0), &w = node.input(1);
  const Linear linear({x.count() / w.dims[1], w.dims[0], w.dims[1]}, w.dataType, Activation::NONE, planner);
  return [linear, x = planner.slot(x), w = planner.slot(w), bias = floatOperand(node, 2, planner),
          y = planner.slot(node.output())](const Execution& e) {
    linear.run(e, {e.at(x), e.at<std::byte>(w), bias.get(e), nullptr, e.at(y)});
  };
}

}  // namespace
}  // namespace fully_connected

constexpr OpDefinition kFullyConnected = {
    kStandardPackage, "FullyConnected", 2, 3, 1, 1, fully_connected::kParams,
    fully_connected::validate, fully_connected::plan};

}  // namespace heddle
