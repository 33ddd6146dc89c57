// LayerNorm and RmsNorm over trailing axes, and heddle's Normalize (LayerNorm without scale and shift, what folding
// leaves).
#include "check.h"
#include "ops.h"

namespace heddle {
namespace {

constexpr ParamSpec kParams[] = {{"epsilon", qnn::DataType::FLOAT_32}, {"axes", qnn::DataType::UINT_32, true, true}};
constexpr ParamSpec kNormalizeParams[] = {{"epsilon", qnn::DataType::FLOAT_32, false, true}};
constexpr float kDefaultEpsilon = 1e-6F;
constexpr std::size_t kElementsPerTask = 8192;

void validateRows(const Check& c) {
  c.type(c.input(0), {qnn::DataType::FLOAT_32});
  c.type(c.output(), {qnn::DataType::FLOAT_32});
  c.minimumRank(c.input(0), 1);
  c.dims(c.output(), c.input(0).dims);
  if (!(c.node().scalar("epsilon", kDefaultEpsilon) >= 0.0F)) c.refuse("parameter 'epsilon' must not be negative");
}

/// Number of normalised axes, which must be the last ones.
std::size_t trailingAxes(const Check& c) {
  const TensorInfo& x = c.input(0);
  const Dims axes = c.axes("axes", x.rank());
  if (axes.empty()) c.refuse("parameter 'axes' is empty");
  for (const std::uint32_t axis : axes) {
    if (axis < x.rank() - axes.size())
      c.refuse("parameter 'axes': " + describeDims(axes) + " must be the last axes of " + x.describe());
  }
  return axes.size();
}

void validate(const Check& c) {
  validateRows(c);
  const TensorInfo& x = c.input(0);
  const Dims affine(x.dims.end() - static_cast<std::ptrdiff_t>(trailingAxes(c)), x.dims.end());
  for (std::size_t i = 1; i < 3; ++i) {
    if (!c.node().hasInput(i)) continue;
    checkFloatOperand(c, c.input(i));
    c.dims(c.input(i), affine);
  }
}

using RowKernel = decltype(Kernels::layerNorm) Kernels::*;

template <RowKernel K>
Executable planRows(const Node& node, Planner& planner, std::size_t axes) {
  const TensorInfo& x = node.input(0);
  std::size_t n = 1;
  for (std::size_t i = x.rank() - axes; i < x.rank(); ++i) n *= x.dims[i];
  const std::size_t rows = x.count() / n, perTask = std::max<std::size_t>(1, kElementsPerTask / n);
  return [=, epsilon = node.scalar("epsilon", kDefaultEpsilon), x = planner.slot(x),
          gamma = floatOperand(node, 1, planner), beta = floatOperand(node, 2, planner),
          y = planner.slot(node.output())](const Execution& e) {
    e.pool.forEach((rows + perTask - 1) / perTask, [&](std::size_t task, std::size_t) {
      for (std::size_t i = task * perTask; i < rows && i < (task + 1) * perTask; ++i) {
        (e.kernels.*K)(e.at(x) + i * n, gamma.get(e), beta.get(e), e.at(y) + i * n, n, epsilon);
      }
    });
  };
}

template <RowKernel K>
Executable plan(const Node& node, Planner& planner) {
  return planRows<K>(node, planner, node.find("axes")->tensor.count());
}
Executable planNormalize(const Node& node, Planner& planner) { return planRows<&Kernels::layerNorm>(node, planner, 1); }

}  // namespace

constexpr OpDefinition kLayerNorm = {kStandardPackage,         "LayerNorm", 1, 3, 1, 1, kParams, validate,
                                     plan<&Kernels::layerNorm>};
constexpr OpDefinition kRmsNorm = {kStandardPackage, "RmsNorm", 1, 3, 1, 1, kParams, validate, plan<&Kernels::rmsNorm>};
constexpr OpDefinition kNormalize = {
    qnn::reference::kPackage, "Normalize", 1, 1, 1, 1, kNormalizeParams, validateRows, planNormalize};

}  // namespace heddle
