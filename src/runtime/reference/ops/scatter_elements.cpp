// ScatterElements: a copy of `data` where output[.., indices[i], ..] = updates[i] along an axis.
#include "../core/failure.h"
#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace scatter_elements {
namespace {

constexpr ParamSpec kParams[] = {{"axis", qnn::DataType::INT_32}, {"reduction", qnn::DataType::UINT_32}};

std::size_t axisOf(const Node& node) {
  const auto axis = node.scalar<std::int32_t>("axis", 0);
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int32_t>(node.input(0).rank()) : axis);
}

void validate(const Check& c) {
  using enum qnn::DataType;
  const TensorInfo &data = c.input(0), &indices = c.input(1), &updates = c.input(2);
  c.type(data, {FLOAT_32, INT_32, UINT_32});
  c.type(indices, {INT_32, UINT_32});
  c.type(updates, {data.dataType});
  c.rank(indices, data.rank());
  c.dims(updates, indices.dims);
  const std::size_t axis = axisOf(c.node());
  if (axis >= data.rank()) c.refuse("parameter 'axis' is not an axis of " + data.describe());
  for (std::size_t i = 0; i < data.rank(); ++i) {
    if (i != axis && indices.dims[i] > data.dims[i]) c.refuse(indices, "is larger than the data " + data.describe());
  }
  if (c.node().scalar<std::uint32_t>("reduction", 0) != 0)
    c.refuse("parameter 'reduction': only 0 (none) is supported");
  c.type(c.output(), {data.dataType});
  c.dims(c.output(), data.dims);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &data = node.input(0), &indices = node.input(1);
  const std::size_t axis = axisOf(node), limit = data.dims[axis];
  const auto strides = stridesOf(data.dims);
  auto walk = strides;
  walk[axis] = 0;  // the index decides the place along this axis
  return [=, name = node.name, dims = indices.dims, bytes = data.bytes(), step = strides[axis], count = indices.count(),
          data = planner.slot(data), indices = planner.slot(indices), updates = planner.slot(node.input(2)),
          y = planner.slot(node.output())](const Execution& e) {
    if (e.data[y] != e.data[data]) std::memcpy(e.at<std::byte>(y), e.at<std::byte>(data), bytes);
    for (std::size_t i = 0; i < count; ++i) {
      // Read once: the application may write to it meanwhile.
      const std::uint32_t index = static_cast<const volatile std::uint32_t*>(e.at<std::uint32_t>(indices))[i];
      if (index >= limit) {
        throw Failure(code::GRAPH_INVALID_TENSOR, "node '" + name + "' (ScatterElements): index " +
                                                      std::to_string(static_cast<std::int32_t>(index)) +
                                                      " is outside 0 to " + std::to_string(limit - 1));
      }
      std::size_t rest = i;
      std::ptrdiff_t at = static_cast<std::ptrdiff_t>(index) * step;
      for (std::size_t d = dims.size(); d-- > 0; rest /= dims[d])
        at += static_cast<std::ptrdiff_t>(rest % dims[d]) * walk[d];
      e.at<std::uint32_t>(y)[at] = e.at<std::uint32_t>(updates)[i];
    }
  };
}

}  // namespace
}  // namespace scatter_elements

constexpr OpDefinition kScatterElements = {
    kStandardPackage, "ScatterElements", 3, 3, 1, 1, scatter_elements::kParams,
    scatter_elements::validate, scatter_elements::plan};

}  // namespace heddle
