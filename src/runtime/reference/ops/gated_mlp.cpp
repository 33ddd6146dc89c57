// GatedMlp: (act(g) * u) w2^T, where g and u are the first and last half of the columns of x w1^T. Both live in the
// workspace only.
#include "check.h"
#include "linear.h"
#include "ops.h"
#include "perceptron.h"

namespace heddle {
namespace gated_mlp {
namespace {

constexpr ParamSpec kParams[] = {{"activation", qnn::DataType::UINT_32, false, true}};
constexpr std::size_t kElementsPerTask = 2048;

void validate(const Check& c) {
  checkPerceptron(c, c.input(1), c.input(2), 2);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &w1 = node.input(1), &w2 = node.input(2);
  const std::size_t rows = x.count() / x.dims.back(), hidden = w2.dims[1];
  const auto activation = static_cast<Activation>(node.scalar<std::uint32_t>("activation", 0));
  const std::size_t both = planner.workspace(rows * 2 * hidden * sizeof(float));
  const std::size_t gated = planner.workspace(rows * hidden * sizeof(float));
  const Linear in({rows, 2 * hidden, w1.dims[1]}, w1.dataType, Activation::NONE, planner);
  const Linear out({rows, w2.dims[0], hidden}, w2.dataType, Activation::NONE, planner);
  const std::size_t pieces = (hidden + kElementsPerTask - 1) / kElementsPerTask;
  return [=, x = planner.slot(x), w1 = planner.slot(w1), w2 = planner.slot(w2),
          y = planner.slot(node.output())](const Execution& e) {
    in.run(e, {e.at(x), e.at<std::byte>(w1), nullptr, nullptr, e.scratch(both)});
    const auto multiply = e.kernels.binary[static_cast<int>(Binary::MULTIPLY)];
    e.pool.forEach(rows * pieces, [&](std::size_t task, std::size_t) {
      const std::size_t row = task / pieces, first = task % pieces * kElementsPerTask;
      const std::size_t count = std::min(kElementsPerTask, hidden - first);
      float* gate = e.scratch(both) + row * 2 * hidden + first;
      e.kernels.finish(gate, count, nullptr, nullptr, activation);
      multiply(gate, 1, gate + hidden, 1, e.scratch(gated) + row * hidden + first, count);
    });
    out.run(e, {e.scratch(gated), e.at<std::byte>(w2), nullptr, nullptr, e.at(y)});
  };
}

}  // namespace
}  // namespace gated_mlp

constexpr OpDefinition kGatedMlp = {
    qnn::reference::kPackage, "GatedMlp", 3, 3, 1, 1, gated_mlp::kParams, gated_mlp::validate, gated_mlp::plan};

}  // namespace heddle
