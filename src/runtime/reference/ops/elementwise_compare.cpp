// Comparisons of two tensors and logic of two conditions, with broadcasting; the result is BOOL_8.
#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace {

void validateComparison(const Check& c) {
  using enum qnn::DataType;
  c.type(c.input(0), {FLOAT_32, INT_32, UINT_32});
  c.type(c.input(1), {c.input(0).dataType});
  c.type(c.output(), {BOOL_8});
  c.broadcast(c.output(), {&c.input(0), &c.input(1)});
}

void validateLogic(const Check& c) {
  for (const TensorInfo* t : {&c.input(0), &c.input(1), &c.output()}) c.type(*t, {qnn::DataType::BOOL_8});
  c.broadcast(c.output(), {&c.input(0), &c.input(1)});
}

template <class T, class F>
Executable loop(const Node& node, Planner& planner) {
  const auto nest = broadcastLoops<3>(node.output().dims, {&node.input(0).dims, &node.input(1).dims});
  return [nest, a = planner.slot(node.input(0)), b = planner.slot(node.input(1)),
          y = planner.slot(node.output())](const Execution& e) {
    const auto [stepY, stepA, stepB] = nest.row().strides;
    nest.run(e.pool, [&, stepA = stepA, stepB = stepB](const std::array<std::ptrdiff_t, 3>& at, std::size_t n) {
      std::uint8_t* out = e.at<std::uint8_t>(y) + at[0];
      const T *left = e.at<T>(a) + at[1], *right = e.at<T>(b) + at[2];
      for (std::size_t i = 0; i < n; ++i, left += stepA, right += stepB) out[i] = F{}(*left, *right) ? 1 : 0;
    });
  };
}

template <class F>
Executable plan(const Node& node, Planner& planner) {
  switch (node.input(0).dataType) {
    case qnn::DataType::INT_32: return loop<std::int32_t, F>(node, planner);
    case qnn::DataType::UINT_32: return loop<std::uint32_t, F>(node, planner);
    case qnn::DataType::BOOL_8: return loop<std::uint8_t, F>(node, planner);
    default: return loop<float, F>(node, planner);
  }
}

template <class F>
constexpr OpDefinition comparison(const char* type) {
  return {kStandardPackage, type, 2, 2, 1, 1, {}, validateComparison, plan<F>};
}
template <class F>
constexpr OpDefinition logic(const char* type) {
  return {kStandardPackage, type, 2, 2, 1, 1, {}, validateLogic, plan<F>};
}

}  // namespace

constexpr OpDefinition kElementWiseLess = comparison<std::less<>>("ElementWiseLess");
constexpr OpDefinition kElementWiseLessEqual = comparison<std::less_equal<>>("ElementWiseLessEqual");
constexpr OpDefinition kElementWiseGreater = comparison<std::greater<>>("ElementWiseGreater");
constexpr OpDefinition kElementWiseGreaterEqual = comparison<std::greater_equal<>>("ElementWiseGreaterEqual");
constexpr OpDefinition kElementWiseEqual = comparison<std::equal_to<>>("ElementWiseEqual");
constexpr OpDefinition kElementWiseNotEqual = comparison<std::not_equal_to<>>("ElementWiseNotEqual");
constexpr OpDefinition kElementWiseAnd = logic<std::logical_and<>>("ElementWiseAnd");
constexpr OpDefinition kElementWiseOr = logic<std::logical_or<>>("ElementWiseOr");

}  // namespace heddle
