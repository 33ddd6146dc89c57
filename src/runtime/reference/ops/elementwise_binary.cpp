// Arithmetic of two tensors with numpy broadcasting, on floats by vectors and on 32-bit integers.
#include <cmath>
#include <type_traits>

#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace {

using Nest = LoopNest<3>;

void validate(const Check& c) {
  using enum qnn::DataType;
  c.type(c.input(0), {FLOAT_32, INT_32, UINT_32});
  c.type(c.input(1), {c.input(0).dataType});
  c.type(c.output(), {c.input(0).dataType});
  c.broadcast(c.output(), {&c.input(0), &c.input(1)});
}

void validateFloat(const Check& c) {
  c.type(c.input(0), {qnn::DataType::FLOAT_32});
  validate(c);
}

Nest nestOf(const Node& node) {
  return broadcastLoops<3>(node.output().dims, {&node.input(0).dims, &node.input(1).dims});
}

/// Integers wrap around as the hardware does, so signed arithmetic goes through unsigned.
template <Binary B, class T>
T applyInteger(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if constexpr (B == Binary::ADD) return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  if constexpr (B == Binary::SUBTRACT) return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  if constexpr (B == Binary::MULTIPLY) return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  if constexpr (B == Binary::DIVIDE) {
    if (b == 0) return 0;
    const bool negates = std::is_signed_v<T> && b == static_cast<T>(-1);  // the lowest number by -1 would trap
    return negates ? static_cast<T>(U{0} - static_cast<U>(a)) : a / b;
  }
  if constexpr (B == Binary::MAXIMUM) return a > b ? a : b;
  if constexpr (B == Binary::MINIMUM) return a < b ? a : b;
}

struct Slots {
  Slot a, b, y;
};

template <class T, class F>
Executable scalarLoop(const Nest& nest, Slots s, F f) {
  return [=](const Execution& e) {
    const auto [stepY, stepA, stepB] = nest.row().strides;
    nest.run(e.pool, [&, stepA = stepA, stepB = stepB](const std::array<std::ptrdiff_t, 3>& at, std::size_t n) {
      T* y = e.at<T>(s.y) + at[0];
      const T *a = e.at<T>(s.a) + at[1], *b = e.at<T>(s.b) + at[2];
      for (std::size_t i = 0; i < n; ++i, a += stepA, b += stepB) y[i] = f(*a, *b);
    });
  };
}

template <Binary B>
Executable plan(const Node& node, Planner& planner) {
  const Nest nest = nestOf(node);
  const Slots s{planner.slot(node.input(0)), planner.slot(node.input(1)), planner.slot(node.output())};
  if (node.output().dataType == qnn::DataType::INT_32)
    return scalarLoop<std::int32_t>(nest, s, applyInteger<B, std::int32_t>);
  if (node.output().dataType == qnn::DataType::UINT_32)
    return scalarLoop<std::uint32_t>(nest, s, applyInteger<B, std::uint32_t>);
  return [=](const Execution& e) {
    const auto kernel = e.kernels.binary[static_cast<int>(B)];
    const auto [stepY, stepA, stepB] = nest.row().strides;  // of a merged row: 0 or 1
    nest.run(e.pool, [&, stepA = stepA, stepB = stepB](const std::array<std::ptrdiff_t, 3>& at, std::size_t n) {
      kernel(e.at(s.a) + at[1], static_cast<std::size_t>(stepA), e.at(s.b) + at[2], static_cast<std::size_t>(stepB),
             e.at(s.y) + at[0], n);
    });
  };
}

Executable planPower(const Node& node, Planner& planner) {
  const Slots s{planner.slot(node.input(0)), planner.slot(node.input(1)), planner.slot(node.output())};
  return scalarLoop<float>(nestOf(node), s, [](float a, float b) { return std::pow(a, b); });
}

constexpr OpDefinition define(const char* type, Executable (*plan)(const Node&, Planner&)) {
  return {kStandardPackage, type, 2, 2, 1, 1, {}, validate, plan};
}

}  // namespace

constexpr OpDefinition kElementWiseAdd = define("ElementWiseAdd", plan<Binary::ADD>);
constexpr OpDefinition kElementWiseSubtract = define("ElementWiseSubtract", plan<Binary::SUBTRACT>);
constexpr OpDefinition kElementWiseMultiply = define("ElementWiseMultiply", plan<Binary::MULTIPLY>);
constexpr OpDefinition kElementWiseDivide = define("ElementWiseDivide", plan<Binary::DIVIDE>);
constexpr OpDefinition kElementWiseMaximum = define("ElementWiseMaximum", plan<Binary::MAXIMUM>);
constexpr OpDefinition kElementWiseMinimum = define("ElementWiseMinimum", plan<Binary::MINIMUM>);
constexpr OpDefinition kElementWisePower = {kStandardPackage, "ElementWisePower", 2, 2, 1, 1, {},
                                            validateFloat,    planPower};

}  // namespace heddle
