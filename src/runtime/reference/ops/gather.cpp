// Gather: slices of `data` along an axis by index. Half-precision data may widen into a float output (embedding
// tables).
#include "../core/failure.h"
#include "check.h"
#include "ops.h"

namespace heddle {
namespace gather {
namespace {

constexpr ParamSpec kParams[] = {{"axis", qnn::DataType::INT_32}};

std::size_t axisOf(const Node& node) {
  const auto axis = node.scalar<std::int32_t>("axis", 0);
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int32_t>(node.input(0).rank()) : axis);
}

void validate(const Check& c) {
  using enum qnn::DataType;
  const TensorInfo &data = c.input(0), &indices = c.input(1);
  c.type(data, {FLOAT_32, FLOAT_16, INT_32, UINT_32, BOOL_8});
  c.type(indices, {INT_32, UINT_32});
  if (data.dataType == FLOAT_16) {
    c.type(c.output(), {FLOAT_16, FLOAT_32});
  } else {
    c.type(c.output(), {data.dataType});
  }
  const std::size_t axis = axisOf(c.node());
  if (axis >= data.rank()) c.refuse("parameter 'axis' is not an axis of " + data.describe());
  Dims expected(data.dims.begin(), data.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  expected.insert(expected.end(), indices.dims.begin(), indices.dims.end());
  expected.insert(expected.end(), data.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, data.dims.end());
  c.dims(c.output(), expected);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &data = node.input(0), &out = node.output();
  const std::size_t axis = axisOf(node), limit = data.dims[axis], count = node.input(1).count();
  std::size_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= data.dims[i];
  for (std::size_t i = axis + 1; i < data.rank(); ++i) inner *= data.dims[i];
  const bool widen = data.dataType != out.dataType;
  const std::size_t bytes = sizeOf(data.dataType), outBytes = sizeOf(out.dataType);
  return [=, name = node.name, data = planner.slot(data), indices = planner.slot(node.input(1)),
          y = planner.slot(out)](const Execution& e) {
    for (std::size_t i = 0; i < count; ++i) {
      // Read once: the application may write to it meanwhile. A negative index is out of range too: as unsigned it is
      // huge.
      const std::uint32_t index = static_cast<const volatile std::uint32_t*>(e.at<std::uint32_t>(indices))[i];
      if (index >= limit) {
        throw Failure(code::GRAPH_INVALID_TENSOR,
                      "node '" + name + "' (Gather): index " + std::to_string(static_cast<std::int32_t>(index)) +
                          " at " + std::to_string(i) + " is outside 0 to " + std::to_string(limit - 1));
      }
      for (std::size_t o = 0; o < outer; ++o) {
        const std::byte* from = e.at<std::byte>(data) + (o * limit + index) * inner * bytes;
        std::byte* to = e.at<std::byte>(y) + (o * count + i) * inner * outBytes;
        if (widen) {
          e.kernels.halfToFloat(reinterpret_cast<const Half*>(from), reinterpret_cast<float*>(to), inner);
        } else {
          std::memcpy(to, from, inner * bytes);
        }
      }
    }
  };
}

}  // namespace
}  // namespace gather

constexpr OpDefinition kGather = {
    kStandardPackage, "Gather", 2, 2, 1, 1, gather::kParams, gather::validate, gather::plan};

}  // namespace heddle
