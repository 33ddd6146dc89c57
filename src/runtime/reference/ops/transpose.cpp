// Transpose: axis i of the output is axis perm[i] of the input. A view when only axes of extent 1 move.
#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace transpose {
namespace {

constexpr ParamSpec kParams[] = {{"perm", qnn::DataType::UINT_32, true, true}};

void validate(const Check& c) {
  const TensorInfo& x = c.input(0);
  const Dims perm = c.axes("perm", x.rank());
  if (perm.size() != x.rank()) {
    c.refuse("parameter 'perm': expected " + std::to_string(x.rank()) + " axes for " + x.describe() + ", got " +
             describeDims(perm));
  }
  Dims expected;
  for (const std::uint32_t axis : perm) expected.push_back(x.dims[axis]);
  c.type(c.output(), {x.dataType});
  c.dims(c.output(), expected);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &y = node.output();
  const auto source = stridesOf(x.dims);
  std::vector<std::ptrdiff_t> from;
  LoopNest<1> order;
  for (const std::uint32_t axis : node.list<std::uint32_t>("perm")) {
    from.push_back(source[axis]);
    order.add(x.dims[axis], {source[axis]});
  }
  order.finish();
  const bool unchanged = order.loops.size() == 1 && (order.row().extent == 1 || order.row().strides[0] == 1);
  if (unchanged && planner.alias(y, x, 0)) return {};
  return [copy = StridedCopy(y.dims, stridesOf(y.dims), from, sizeOf(x.dataType)), x = planner.slot(x),
          y = planner.slot(y)](const Execution& e) { copy.run(e.pool, e.at<std::byte>(y), e.at<std::byte>(x)); };
}

}  // namespace
}  // namespace transpose

constexpr OpDefinition kTranspose = {
    kStandardPackage, "Transpose", 1, 1, 1, 1, transpose::kParams, transpose::validate, transpose::plan};

}  // namespace heddle
