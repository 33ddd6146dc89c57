// ElementWiseSelect: condition ? a : b, all three broadcast.
#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace elementwise_select {
namespace {

void validate(const Check& c) {
  using enum qnn::DataType;
  c.type(c.input(0), {BOOL_8});
  c.type(c.input(1), {FLOAT_32, INT_32, UINT_32});
  c.type(c.input(2), {c.input(1).dataType});
  c.type(c.output(), {c.input(1).dataType});
  c.broadcast(c.output(), {&c.input(0), &c.input(1), &c.input(2)});
}

Executable plan(const Node& node, Planner& planner) {
  const auto nest =
      broadcastLoops<4>(node.output().dims, {&node.input(0).dims, &node.input(1).dims, &node.input(2).dims});
  return [nest, condition = planner.slot(node.input(0)), a = planner.slot(node.input(1)),
          b = planner.slot(node.input(2)), y = planner.slot(node.output())](const Execution& e) {
    const auto [stepY, stepC, stepA, stepB] = nest.row().strides;
    nest.run(e.pool,
             [&, stepC = stepC, stepA = stepA, stepB = stepB](const std::array<std::ptrdiff_t, 4>& at, std::size_t n) {
               // All element types have 32 bits and are only moved.
               std::uint32_t* out = e.at<std::uint32_t>(y) + at[0];
               const std::uint8_t* choose = e.at<std::uint8_t>(condition) + at[1];
               const std::uint32_t *left = e.at<std::uint32_t>(a) + at[2], *right = e.at<std::uint32_t>(b) + at[3];
               for (std::size_t i = 0; i < n; ++i, choose += stepC, left += stepA, right += stepB)
                 out[i] = *choose != 0 ? *left : *right;
             });
  };
}

}  // namespace
}  // namespace elementwise_select

constexpr OpDefinition kElementWiseSelect = {
    kStandardPackage, "ElementWiseSelect", 3, 3, 1, 1, {}, elementwise_select::validate, elementwise_select::plan};

}  // namespace heddle
