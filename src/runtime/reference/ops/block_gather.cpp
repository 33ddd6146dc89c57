// BlockGather: rows of a table in a block format, as floats. Only the rows that are asked for are read.
#include "../core/failure.h"
#include "block_linear.h"
#include "check.h"
#include "ops.h"

namespace heddle {
namespace block_gather {
namespace {

constexpr ParamSpec kParams[] = {{"format", qnn::DataType::UINT_32, false, true},
                                 {"rows", qnn::DataType::UINT_32, false, true}};

void validate(const Check& c) {
  using enum qnn::DataType;
  const TensorInfo &w = c.input(0), &indices = c.input(1), &y = c.output();
  c.type(indices, {INT_32, UINT_32});
  c.type(y, {FLOAT_32});
  c.minimumRank(y, 1);
  const auto rows = c.node().scalar<std::uint32_t>("rows", 0);
  c.require(rows != 0, "parameter 'rows': expected 1 or more, got 0");
  checkPanels(c, w, formatOf(c, "format"), rows, y.dims.back());
  Dims expected = indices.dims;
  expected.push_back(y.dims.back());
  c.dims(y, expected);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &w = node.input(0), &y = node.output();
  const auto format = static_cast<BlockFormat>(node.scalar<std::uint32_t>("format", 0));
  const std::uint32_t limit = node.scalar<std::uint32_t>("rows", 0);
  const std::size_t count = node.input(1).count(), k = y.dims.back(), panelBytes = w.dims[1] * kPanelRows;
  return [=, name = node.name, w = planner.slot(w), indices = planner.slot(node.input(1)),
          y = planner.slot(y)](const Execution& e) {
    std::vector<std::uint32_t> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
      // Read once: the application may write to it meanwhile. Negative is out of range too: as unsigned it is huge.
      rows[i] = static_cast<const volatile std::uint32_t*>(e.at<std::uint32_t>(indices))[i];
      if (rows[i] < limit) continue;
      throw Failure(code::GRAPH_INVALID_TENSOR,
                    "node '" + name + "' (BlockGather): index " + std::to_string(static_cast<std::int32_t>(rows[i])) +
                        " at " + std::to_string(i) + " is outside 0 to " + std::to_string(limit - 1));
    }
    e.pool.forEach(count, [&](std::size_t i, std::size_t) {
      const std::byte* panel = e.at<std::byte>(w) + rows[i] / kPanelRows * panelBytes;
      dequantizeRow(format, panel, rows[i] % kPanelRows, k, e.at(y) + i * k);
    });
  };
}

}  // namespace
}  // namespace block_gather

constexpr OpDefinition kBlockGather = {
    qnn::reference::kPackage, "BlockGather", 2, 2, 1, 1, block_gather::kParams,
    block_gather::validate, block_gather::plan};

}  // namespace heddle
