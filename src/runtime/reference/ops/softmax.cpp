// Softmax: exp(beta x) normalised along one axis (the last by default).
#include "../core/buffer.h"
#include "check.h"
#include "ops.h"

namespace heddle {
namespace softmax {
namespace {

constexpr ParamSpec kParams[] = {{"axis", qnn::DataType::UINT_32}, {"beta", qnn::DataType::FLOAT_32}};
constexpr std::size_t kElementsPerTask = 4096;

std::size_t axisOf(const Node& node) {
  return node.scalar("axis", static_cast<std::uint32_t>(node.input(0).rank() - 1));
}

void validate(const Check& c) {
  c.type(c.input(0), {qnn::DataType::FLOAT_32});
  c.type(c.output(), {qnn::DataType::FLOAT_32});
  c.minimumRank(c.input(0), 1);
  c.dims(c.output(), c.input(0).dims);
  if (axisOf(c.node()) >= c.input(0).rank()) {
    c.refuse("parameter 'axis': " + std::to_string(axisOf(c.node())) + " is not an axis of " + c.input(0).describe());
  }
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo& x = node.input(0);
  const std::size_t axis = axisOf(node), n = x.dims[axis];
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < x.rank(); ++i) inner *= x.dims[i];
  const std::size_t rows = x.count() / n, perTask = std::max<std::size_t>(1, kElementsPerTask / n);
  const std::size_t perThread = alignUp(n * sizeof(float));
  const std::size_t gathered = inner == 1 ? 0 : planner.workspace(perThread * planner.threads());
  return
      [=, beta = node.scalar("beta", 1.0F), x = planner.slot(x), y = planner.slot(node.output())](const Execution& e) {
        e.pool.forEach((rows + perTask - 1) / perTask, [&](std::size_t task, std::size_t thread) {
          for (std::size_t i = task * perTask; i < rows && i < (task + 1) * perTask; ++i) {
            if (inner == 1) {
              e.kernels.softmax(e.at(x) + i * n, e.at(y) + i * n, n, beta);
              continue;
            }
            const std::size_t first = i / inner * inner * n + i % inner;
            float* row = e.scratch(gathered + thread * perThread);
            for (std::size_t j = 0; j < n; ++j) row[j] = e.at(x)[first + j * inner];
            e.kernels.softmax(row, row, n, beta);
            for (std::size_t j = 0; j < n; ++j) e.at(y)[first + j * inner] = row[j];
          }
        });
      };
}

}  // namespace
}  // namespace softmax

constexpr OpDefinition kSoftmax = {
    kStandardPackage, "Softmax", 1, 1, 1, 1, softmax::kParams, softmax::validate, softmax::plan};

}  // namespace heddle
