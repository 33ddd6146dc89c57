// MatMul: batched product, either operand transposed, batch dimensions broadcast.
#include <algorithm>

#include "../core/buffer.h"
#include "check.h"
#include "loops.h"
#include "ops.h"

namespace heddle {
namespace matmul {
namespace {

constexpr ParamSpec kParams[] = {{"transpose_in0", qnn::DataType::BOOL_8}, {"transpose_in1", qnn::DataType::BOOL_8}};

struct Shape {
  std::uint32_t m, n, k, kOfB;
  Dims batch;
};

Dims batchOf(const TensorInfo& t) { return Dims(t.dims.begin(), t.dims.end() - 2); }

Shape shapeOf(const Node& node) {
  const TensorInfo &a = node.input(0), &b = node.input(1);
  const std::size_t ra = a.rank(), rb = b.rank();
  const bool ta = node.flag("transpose_in0"), tb = node.flag("transpose_in1");
  Shape s{a.dims[ta ? ra - 1 : ra - 2],
          b.dims[tb ? rb - 2 : rb - 1],
          a.dims[ta ? ra - 2 : ra - 1],
          b.dims[tb ? rb - 1 : rb - 2],
          {}};
  const Dims &da = batchOf(a), &db = batchOf(b);
  s.batch.assign(std::max(da.size(), db.size()), 1);
  for (std::size_t i = 0; i < s.batch.size(); ++i) {
    const std::size_t back = s.batch.size() - i;
    if (back <= da.size()) s.batch[i] = da[da.size() - back];
    if (back <= db.size() && s.batch[i] == 1) s.batch[i] = db[db.size() - back];
  }
  return s;
}

void validate(const Check& c) {
  using enum qnn::DataType;
  for (const TensorInfo* t : {&c.input(0), &c.input(1), &c.output()}) {
    c.type(*t, {FLOAT_32});
    c.minimumRank(*t, 2);
  }
  const Shape s = shapeOf(c.node());
  if (s.k != s.kOfB) {
    c.refuse("inner dimensions differ: " + c.input(0).describe() + " has " + std::to_string(s.k) + ", " +
             c.input(1).describe() + " has " + std::to_string(s.kOfB));
  }
  for (const TensorInfo* t : {&c.input(0), &c.input(1)}) {
    const Dims batch = batchOf(*t);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::uint32_t whole = s.batch[s.batch.size() - batch.size() + i];
      if (batch[i] != 1 && batch[i] != whole) c.refuse(*t, "does not broadcast with batch " + describeDims(s.batch));
    }
  }
  Dims expected = s.batch;
  expected.insert(expected.end(), {s.m, s.n});
  c.dims(c.output(), expected);
  checkBias(c, 2, s.n);
}

/// Rows of the output per task: whole register tiles, and some tasks per thread; few when each task packs the right
/// operand.
std::size_t rowsPerTask(const Shape& s, std::size_t batches, bool packs, const Planner& planner) {
  const std::size_t tile = planner.kernels().gemmRows;
  const std::size_t wanted = std::max<std::size_t>(1, planner.threads() * (packs ? 2 : 8) / batches);
  return std::max<std::size_t>(tile, (s.m / wanted + tile - 1) / tile * tile);
}

Executable plan(const Node& node, Planner& planner) {
  const Shape s = shapeOf(node);
  const bool ta = node.flag("transpose_in0"), tb = node.flag("transpose_in1");
  const Dims da = batchOf(node.input(0)), db = batchOf(node.input(1));
  LoopNest<3> batches = broadcastLoops<3>(s.batch, {&da, &db});
  batches.loops.push_back({1, {}});  // the row of the nest is one matrix product
  const std::size_t count = batches.rows();
  const std::size_t rows = rowsPerTask(s, count, tb, planner), chunks = (s.m + rows - 1) / rows;
  const bool dots = tb && !ta && s.m <= planner.kernels().dotMaxRows;
  const std::size_t cols = planner.kernels().gemmCols;
  const std::size_t perThread = alignUp(cols * s.k * sizeof(float));
  const std::size_t packed = tb && !dots ? planner.workspace(perThread * planner.threads()) : 0;
  return [=, a = planner.slot(node.input(0)), b = planner.slot(node.input(1)), bias = floatOperand(node, 2, planner),
          y = planner.slot(node.output())](const Execution& e) {
    const Kernels& k = e.kernels;
    const std::size_t sizeA = std::size_t{s.m} * s.k, sizeB = std::size_t{s.k} * s.n, sizeY = std::size_t{s.m} * s.n;
    e.pool.forEach(count * chunks, [&](std::size_t task, std::size_t thread) {
      const auto at = batches.offsets(task / chunks);
      const std::size_t first = task % chunks * rows, m = std::min<std::size_t>(rows, s.m - first);
      const float* left = e.at(a) + static_cast<std::size_t>(at[1]) * sizeA + first * (ta ? 1 : s.k);
      const float* right = e.at(b) + static_cast<std::size_t>(at[2]) * sizeB;
      float* out = e.at(y) + static_cast<std::size_t>(at[0]) * sizeY + first * s.n;
      if (dots) {
        k.dotRowsF32({m, s.n, s.k, left, s.k, right, s.k, out, s.n});
      } else {
        GemmBlock g{m, s.n, s.k, left, k.gemmRows * s.k, s.k, 1, right, k.gemmCols, s.n, out, s.n, false};
        if (ta) {
          g.panelA = k.gemmRows;
          g.rowA = 1;
          g.colA = s.m;
        }
        if (tb) {
          // Rows of the right operand become columns, one register panel at a time.
          float* panel = e.scratch(packed + thread * perThread);
          g.b = panel;
          g.rowB = cols;
          for (std::size_t j = 0; j < s.n; j += cols) {
            g.n = std::min<std::size_t>(cols, s.n - j);
            g.c = out + j;
            k.packColsF32(right + j * s.k, s.k, g.n, s.k, panel);
            k.gemm(g);
          }
        } else {
          k.gemm(g);
        }
      }
      if (!bias.present) return;
      for (std::size_t i = 0; i < m; ++i) k.finish(out + i * s.n, s.n, bias.get(e), nullptr, Activation::NONE);
    });
  };
}

}  // namespace
}  // namespace matmul

constexpr OpDefinition kMatMul = {
    kStandardPackage, "MatMul", 2, 3, 1, 1, matmul::kParams, matmul::validate, matmul::plan};

}  // namespace heddle
