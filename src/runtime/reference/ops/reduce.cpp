// ReduceSum, ReduceMean, ReduceMax and ReduceMin over any axes.
#include <algorithm>

#include "../core/buffer.h"
#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace {

constexpr ParamSpec kParams[] = {{"axes", qnn::DataType::UINT_32, true, true}, {"keep_dims", qnn::DataType::BOOL_8}};
constexpr std::size_t kElementsPerTask = 16384;

bool reduced(const Dims& axes, std::size_t axis) { return std::ranges::find(axes, axis) != axes.end(); }

void validate(const Check& c) {
  const TensorInfo& x = c.input(0);
  c.type(x, {qnn::DataType::FLOAT_32});
  c.type(c.output(), {qnn::DataType::FLOAT_32});
  const Dims axes = c.axes("axes", x.rank());
  Dims expected;
  for (std::size_t i = 0; i < x.rank(); ++i) {
    if (!reduced(axes, i)) {
      expected.push_back(x.dims[i]);
    } else if (c.node().flag("keep_dims")) {
      expected.push_back(1);
    }
  }
  c.dims(c.output(), expected);
}

enum class Reduction { SUM, MEAN, MAX, MIN };

template <Reduction R>
float reduceRow(const Kernels& k, const float* row, std::size_t n) {
  if constexpr (R == Reduction::SUM) return k.sum(row, n);
  if constexpr (R == Reduction::MEAN) return k.sum(row, n) / static_cast<float>(n);
  if constexpr (R == Reduction::MAX) return k.maximum(row, n);
  if constexpr (R == Reduction::MIN) return *std::min_element(row, row + n);
}

/// Each output element reduces one row; rows that are not contiguous are gathered first.
template <Reduction R>
Executable plan(const Node& node, Planner& planner) {
  const TensorInfo& x = node.input(0);
  const Dims axes = node.list<std::uint32_t>("axes");
  const auto strides = stridesOf(x.dims);
  LoopNest<1> outer, inner;
  for (std::size_t i = 0; i < x.rank(); ++i) (reduced(axes, i) ? inner : outer).add(x.dims[i], {strides[i]});
  outer.loops.push_back({1, {}});
  inner.finish();
  const std::size_t n = inner.rows() * inner.row().extent, rows = outer.rows();
  const bool contiguous = inner.loops.size() == 1 && (inner.row().strides[0] == 1 || n == 1);
  const std::size_t perThread = alignUp(n * sizeof(float));
  const std::size_t gathered = contiguous ? 0 : planner.workspace(perThread * planner.threads());
  const std::size_t perTask = std::max<std::size_t>(1, kElementsPerTask / n);
  return [=, x = planner.slot(x), y = planner.slot(node.output())](const Execution& e) {
    e.pool.forEach((rows + perTask - 1) / perTask, [&](std::size_t task, std::size_t thread) {
      for (std::size_t i = task * perTask; i < rows && i < (task + 1) * perTask; ++i) {
        const float* from = e.at(x) + outer.offsets(i)[0];
        if (!contiguous) {
          float* row = e.scratch(gathered + thread * perThread);
          const auto [extent, stride] = inner.row();
          for (std::size_t r = 0; r < inner.rows(); ++r) {
            const float* piece = from + inner.offsets(r)[0];
            for (std::size_t j = 0; j < extent; ++j)
              row[r * extent + j] = piece[static_cast<std::ptrdiff_t>(j) * stride[0]];
          }
          from = row;
        }
        e.at(y)[i] = reduceRow<R>(e.kernels, from, n);
      }
    });
  };
}

template <Reduction R>
constexpr OpDefinition define(const char* type) {
  return {kStandardPackage, type, 1, 1, 1, 1, kParams, validate, plan<R>};
}

}  // namespace

constexpr OpDefinition kReduceSum = define<Reduction::SUM>("ReduceSum");
constexpr OpDefinition kReduceMean = define<Reduction::MEAN>("ReduceMean");
constexpr OpDefinition kReduceMax = define<Reduction::MAX>("ReduceMax");
constexpr OpDefinition kReduceMin = define<Reduction::MIN>("ReduceMin");

}  // namespace heddle
