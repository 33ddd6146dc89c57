// Cast between floats, halves, 32-bit integers and conditions. Floats round towards zero and saturate.
#include <limits>

#include "check.h"
#include "ops.h"

namespace heddle {
namespace cast {
namespace {

using enum qnn::DataType;

void validate(const Check& c) {
  for (const TensorInfo* t : {&c.input(0), &c.output()}) c.type(*t, {FLOAT_32, FLOAT_16, INT_32, UINT_32, BOOL_8});
  c.dims(c.output(), c.input(0).dims);
}

template <class To, class From>
To convert(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (!(x == x)) return 0;
    const double wide = static_cast<double>(x);
    if (wide <= static_cast<double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (wide >= static_cast<double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(wide);
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From>
Executable loop(std::size_t n, Slot x, Slot y) {
  return [=](const Execution& e) {
    // A condition is any non-zero byte, so it is read as a byte and not as bool.
    using Stored = std::conditional_t<std::is_same_v<From, bool>, std::uint8_t, From>;
    const auto* from = e.at<Stored>(x);
    auto* to = e.at<To>(y);
    for (std::size_t i = 0; i < n; ++i) {
      if constexpr (std::is_same_v<From, bool>) {
        to[i] = convert<To, bool>(from[i] != 0);
      } else {
        to[i] = convert<To, From>(from[i]);
      }
    }
  };
}

template <class From>
Executable loopTo(qnn::DataType to, std::size_t n, Slot x, Slot y) {
  switch (to) {
    case INT_32: return loop<std::int32_t, From>(n, x, y);
    case UINT_32: return loop<std::uint32_t, From>(n, x, y);
    case BOOL_8: return loop<bool, From>(n, x, y);
    default: return loop<float, From>(n, x, y);
  }
}

Executable loopOf(qnn::DataType from, qnn::DataType to, std::size_t n, Slot x, Slot y) {
  switch (from) {
    case INT_32: return loopTo<std::int32_t>(to, n, x, y);
    case UINT_32: return loopTo<std::uint32_t>(to, n, x, y);
    case BOOL_8: return loopTo<bool>(to, n, x, y);
    default: return loopTo<float>(to, n, x, y);
  }
}

/// A half on either side goes through a float buffer.
Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &in = node.input(0), &out = node.output();
  const std::size_t n = in.count();
  const Slot x = planner.slot(in), y = planner.slot(out);
  const qnn::DataType from = in.dataType, to = out.dataType;
  if (from == to) {
    if (planner.alias(out, in, 0)) return {};
    return [=, bytes = in.bytes()](const Execution& e) { std::memcpy(e.at<std::byte>(y), e.at<std::byte>(x), bytes); };
  }
  if (from == FLOAT_16 && to == FLOAT_32)
    return [=](const Execution& e) { e.kernels.halfToFloat(e.at<Half>(x), e.at(y), n); };
  if (from == FLOAT_32 && to == FLOAT_16)
    return [=](const Execution& e) { e.kernels.floatToHalf(e.at(x), e.at<Half>(y), n); };
  if (from != FLOAT_16 && to != FLOAT_16) return loopOf(from, to, n, x, y);
  const std::size_t floats = planner.workspace(n * sizeof(float));
  const Executable step = from == FLOAT_16 ? loopOf(FLOAT_32, to, n, 0, 1) : loopOf(from, FLOAT_32, n, 0, 1);
  return [=](const Execution& e) {
    std::byte* between = e.workspace + floats;
    if (from == FLOAT_16) e.kernels.halfToFloat(e.at<Half>(x), e.scratch(floats), n);
    std::byte* const data[] = {from == FLOAT_16 ? between : e.data[x], from == FLOAT_16 ? e.data[y] : between};
    step({data, e.workspace, e.pool, e.kernels});
    if (to == FLOAT_16) e.kernels.floatToHalf(e.scratch(floats), e.at<Half>(y), n);
  };
}

}  // namespace
}  // namespace cast

constexpr OpDefinition kCast = {kStandardPackage, "Cast", 1, 1, 1, 1, {}, cast::validate, cast::plan};

}  // namespace heddle
