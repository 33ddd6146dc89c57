// Mlp: act(x w1^T + b1) w2^T + b2 (+ residual). The hidden rows live in the workspace only.
#include "check.h"
#include "linear.h"
#include "ops.h"
#include "perceptron.h"

namespace heddle {
namespace mlp {
namespace {

constexpr ParamSpec kParams[] = {{"activation", qnn::DataType::UINT_32, false, true}};

void validate(const Check& c) {
  const TensorInfo &w1 = c.input(1), &w2 = c.input(3);
  checkPerceptron(c, w1, w2, 1);
  checkBias(c, 2, w1.dims[0]);
  checkBias(c, 4, w2.dims[0]);
  if (c.node().hasInput(5)) {
    c.type(c.input(5), {qnn::DataType::FLOAT_32});
    c.dims(c.input(5), c.output().dims);
  }
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &w1 = node.input(1), &w2 = node.input(3);
  const std::size_t rows = x.count() / x.dims.back(), hidden = w1.dims[0];
  const auto activation = static_cast<Activation>(node.scalar<std::uint32_t>("activation", 0));
  const std::size_t between = planner.workspace(rows * hidden * sizeof(float));
  const Linear up({rows, hidden, w1.dims[1]}, w1.dataType, activation, planner);
  const Linear down({rows, w2.dims[0], hidden}, w2.dataType, Activation::NONE, planner);
  return [up, down, between, x = planner.slot(x), w1 = planner.slot(w1), b1 = floatOperand(node, 2, planner),
          w2 = planner.slot(w2), b2 = floatOperand(node, 4, planner), residual = floatOperand(node, 5, planner),
          y = planner.slot(node.output())](const Execution& e) {
    up.run(e, {e.at(x), e.at<std::byte>(w1), b1.get(e), nullptr, e.scratch(between)});
    down.run(e, {e.scratch(between), e.at<std::byte>(w2), b2.get(e), residual.get(e), e.at(y)});
  };
}

}  // namespace
}  // namespace mlp

constexpr OpDefinition kMlp = {qnn::reference::kPackage, "Mlp", 5, 6, 1, 1, mlp::kParams, mlp::validate, mlp::plan};

}  // namespace heddle
