// StridedSlice: ranges[axis] = {begin, end, stride}; bits of the masks stand for axes (begin or end ignored, axis
// removed).
#include <algorithm>

#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace strided_slice {
namespace {

constexpr ParamSpec kParams[] = {{"ranges", qnn::DataType::INT_32, true, true},
                                 {"begin_mask", qnn::DataType::UINT_32},
                                 {"end_mask", qnn::DataType::UINT_32},
                                 {"shrink_axes", qnn::DataType::UINT_32},
                                 {"new_axes_mask", qnn::DataType::UINT_32}};

struct Slice {
  Dims dims;                            // of the result, before axes are removed
  Dims kept;                            // of the output tensor
  std::vector<std::ptrdiff_t> strides;  // of the source, in elements
  std::ptrdiff_t offset = 0;
};

/// Negative begin and end count from the end of the axis, as in numpy.
Slice sliceOf(const Node& node) {
  const TensorInfo& x = node.input(0);
  const auto ranges = node.list<std::int32_t>("ranges");
  const auto mask = [&](const char* param) { return node.scalar<std::uint32_t>(param, 0); };
  const auto source = stridesOf(x.dims);
  Slice s;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    const std::int64_t extent = x.dims[i], step = ranges[i * 3 + 2];
    const auto bound = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
      return std::clamp(at < 0 ? at + extent : at, low, high);
    };
    const bool forward = step > 0, shrink = (mask("shrink_axes") >> i & 1U) != 0;
    const std::int64_t low = forward ? 0 : -1, high = forward ? extent : extent - 1;
    const std::int64_t begin =
        (mask("begin_mask") >> i & 1U) != 0 ? (forward ? 0 : extent - 1) : bound(ranges[i * 3], low, high);
    const std::int64_t end =
        (mask("end_mask") >> i & 1U) != 0 ? (forward ? extent : -1) : bound(ranges[i * 3 + 1], low, high);
    const std::int64_t length = step == 0 ? 0
                                : shrink  ? 1
                                : forward ? (end - begin + step - 1) / step
                                          : (begin - end - step - 1) / -step;
    const bool inside = begin >= 0 && begin < extent;
    s.dims.push_back(inside && length > 0 ? static_cast<std::uint32_t>(length) : 0);
    if (!shrink) s.kept.push_back(s.dims.back());
    s.strides.push_back(source[i] * step);
    s.offset += begin * source[i];
  }
  return s;
}

void validate(const Check& c) {
  const TensorInfo &x = c.input(0), &ranges = c.node().find("ranges")->tensor;
  c.minimumRank(x, 1);
  if (ranges.dims != Dims{static_cast<std::uint32_t>(x.rank()), 3}) {
    c.refuse("parameter 'ranges': expected shape [" + std::to_string(x.rank()) + ", 3], got " +
             describeDims(ranges.dims));
  }
  if (c.node().scalar<std::uint32_t>("new_axes_mask", 0) != 0)
    c.refuse("parameter 'new_axes_mask': only 0 is supported; use Reshape");
  const Slice s = sliceOf(c.node());
  if (std::ranges::find(s.dims, 0U) != s.dims.end()) {
    c.refuse("parameter 'ranges' selects nothing of " + x.describe() + ": the result would be " + describeDims(s.dims));
  }
  c.type(c.output(), {x.dataType});
  c.dims(c.output(), s.kept);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &x = node.input(0), &y = node.output();
  const Slice s = sliceOf(node);
  const std::size_t bytes = sizeOf(x.dataType);
  const std::size_t offset = static_cast<std::size_t>(s.offset) * bytes;
  LoopNest<1> source;
  for (std::size_t i = 0; i < s.dims.size(); ++i) source.add(s.dims[i], {s.strides[i]});
  source.finish();
  const bool contiguous = source.loops.size() == 1 && (source.row().extent == 1 || source.row().strides[0] == 1);
  if (contiguous && planner.alias(y, x, offset)) return {};
  return
      [copy = StridedCopy(s.dims, stridesOf(s.dims), s.strides, bytes), offset, x = planner.slot(x),
       y = planner.slot(y)](const Execution& e) { copy.run(e.pool, e.at<std::byte>(y), e.at<std::byte>(x) + offset); };
}

}  // namespace
}  // namespace strided_slice

constexpr OpDefinition kStridedSlice = {
    kStandardPackage, "StridedSlice", 1, 1, 1, 1, strided_slice::kParams, strided_slice::validate, strided_slice::plan};

}  // namespace heddle
