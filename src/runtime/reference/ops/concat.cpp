// Concat: tensors one after another along an axis.
#include <limits>

#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace concat {
namespace {

constexpr ParamSpec kParams[] = {{"axis", qnn::DataType::UINT_32}};
constexpr std::size_t kMostInputs = 4096;

void validate(const Check& c) {
  const TensorInfo& first = c.input(0);
  const std::size_t axis = c.node().scalar<std::uint32_t>("axis", 0);
  if (axis >= first.rank())
    c.refuse("parameter 'axis': " + std::to_string(axis) + " is not an axis of " + first.describe());
  Dims expected = first.dims;
  std::uint64_t length = 0;  // of many inputs, more than a dimension holds
  for (std::size_t i = 0; i < c.node().inputs.size(); ++i) {
    if (!c.node().hasInput(i)) c.refuse("input " + std::to_string(i) + " is mandatory, got a NULL tensor");
    const TensorInfo& t = c.input(i);
    c.type(t, {first.dataType});
    c.rank(t, first.rank());
    Dims fitting = first.dims;
    fitting[axis] = t.dims[axis];
    c.dims(t, fitting);
    length += t.dims[axis];
  }
  if (length > std::numeric_limits<std::uint32_t>::max())
    c.refuse("the inputs have a length of " + std::to_string(length) + " together, which is too large");
  expected[axis] = static_cast<std::uint32_t>(length);
  c.type(c.output(), {first.dataType});
  c.dims(c.output(), expected);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo& out = node.output();
  const std::size_t axis = node.scalar<std::uint32_t>("axis", 0), bytes = sizeOf(out.dataType);
  const auto strides = stridesOf(out.dims);
  struct Part {
    StridedCopy copy;
    Slot from;
    std::size_t offset;
  };
  std::vector<Part> parts;
  std::size_t offset = 0;
  for (const TensorInfo* t : node.inputs) {
    parts.push_back({StridedCopy(t->dims, strides, stridesOf(t->dims), bytes), planner.slot(*t), offset * bytes});
    offset += t->dims[axis] * static_cast<std::size_t>(strides[axis]);
  }
  return [parts, y = planner.slot(out)](const Execution& e) {
    for (const Part& p : parts) p.copy.run(e.pool, e.at<std::byte>(y) + p.offset, e.at<std::byte>(p.from));
  };
}

}  // namespace
}  // namespace concat

constexpr OpDefinition kConcat = {
    kStandardPackage, "Concat", 1, concat::kMostInputs, 1, 1, concat::kParams, concat::validate, concat::plan};

}  // namespace heddle
