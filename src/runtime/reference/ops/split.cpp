// Split: pieces of a tensor along an axis; split_index holds where the second and later pieces begin.
#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace split {
namespace {

constexpr ParamSpec kParams[] = {{"axis", qnn::DataType::UINT_32, false, true},
                                 {"split_index", qnn::DataType::UINT_32, true, true}};
constexpr std::size_t kMostOutputs = 4096;

void validate(const Check& c) {
  const TensorInfo& x = c.input(0);
  const std::size_t axis = c.node().scalar<std::uint32_t>("axis", 0);
  if (axis >= x.rank()) c.refuse("parameter 'axis': " + std::to_string(axis) + " is not an axis of " + x.describe());
  Dims cuts = c.node().list<std::uint32_t>("split_index");
  if (cuts.size() + 1 != c.node().outputs.size()) {
    c.refuse("parameter 'split_index' has " + std::to_string(cuts.size()) + " entries, expected one less than the " +
             std::to_string(c.node().outputs.size()) + " outputs");
  }
  cuts.push_back(x.dims[axis]);
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (cuts[i] <= begin || cuts[i] > x.dims[axis]) {
      c.refuse("parameter 'split_index': " + describeDims(c.node().list<std::uint32_t>("split_index")) +
               " must increase between 0 and " + std::to_string(x.dims[axis]));
    }
    Dims expected = x.dims;
    expected[axis] = cuts[i] - begin;
    c.type(c.output(i), {x.dataType});
    c.dims(c.output(i), expected);
    begin = cuts[i];
  }
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo& x = node.input(0);
  const std::size_t axis = node.scalar<std::uint32_t>("axis", 0), bytes = sizeOf(x.dataType);
  const auto strides = stridesOf(x.dims);
  bool contiguous = true;
  for (std::size_t i = 0; i < axis; ++i) contiguous = contiguous && x.dims[i] == 1;
  struct Part {
    StridedCopy copy;
    Slot to;
    std::size_t offset;
  };
  std::vector<Part> parts;
  std::size_t offset = 0;
  for (const TensorInfo* t : node.outputs) {
    if (!contiguous || !planner.alias(*t, x, offset)) {
      parts.push_back({StridedCopy(t->dims, stridesOf(t->dims), strides, bytes), planner.slot(*t), offset});
    }
    offset += t->dims[axis] * static_cast<std::size_t>(strides[axis]) * bytes;
  }
  if (parts.empty()) return {};
  return [parts, x = planner.slot(x)](const Execution& e) {
    for (const Part& p : parts) p.copy.run(e.pool, e.at<std::byte>(p.to), e.at<std::byte>(x) + p.offset);
  };
}

}  // namespace
}  // namespace split

constexpr OpDefinition kSplit = {
    kStandardPackage, "Split", 1, 1, 1, split::kMostOutputs, split::kParams, split::validate, split::plan};

}  // namespace heddle
