// Reshape: the same elements under another shape; a view wherever possible.
#include "check.h"
#include "ops.h"

namespace heddle {
namespace reshape {
namespace {

void validate(const Check& c) {
  const TensorInfo &x = c.input(0), &y = c.output();
  c.type(y, {x.dataType});
  if (x.count() != y.count()) c.refuse(y, "expected " + std::to_string(x.count()) + " elements as in " + x.describe());
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &y = node.output();
  if (planner.alias(y, x, 0)) return {};
  return [bytes = x.bytes(), x = planner.slot(x), y = planner.slot(y)](const Execution& e) {
    std::memcpy(e.at<std::byte>(y), e.at<std::byte>(x), bytes);
  };
}

}  // namespace
}  // namespace reshape

constexpr OpDefinition kReshape = {kStandardPackage, "Reshape", 1, 1, 1, 1, {}, reshape::validate, reshape::plan};

}  // namespace heddle
