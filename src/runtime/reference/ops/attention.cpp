#include "attention.h"

#include <algorithm>

#include "../core/buffer.h"
#include "check.h"
#include "fixed_point.h"

namespace heddle {
namespace {

constexpr std::uint32_t kDefaultBlock = 64;
constexpr std::uint32_t kLargestBlock = 4096;

std::uint32_t block(const Node& node, const char* param) { return node.scalar<std::uint32_t>(param, kDefaultBlock); }

}  // namespace

AttentionPlan::AttentionPlan(const Node& node, const AttentionShape& shape, Planner& planner)
    : s_(shape),
      blockQ_(std::min<std::size_t>(block(node, "block_q"), shape.queries)),
      blockK_(block(node, "block_k")),
      window_(node.scalar<std::uint32_t>("window", 0)),
      scale_(node.scalar<float>("scale", 1.0F)),
      scratch_(0),
      step_(shape.cached != 0 && (shape.stepwise || shape.queries == 1)),
      perThread_(alignUp(sizeof(float) * (step_ ? attentionStepScratch(shape.heads / shape.groups, shape.cached)
                                                : attentionScratch(blockQ_, s_.headDim, blockK_,
                                                                   planner.kernels().gemmCols)))) {
  scratch_ = planner.workspace(perThread_ * planner.threads());
}

void AttentionPlan::run(const Execution& e, const AttentionTile& whole, const Strides& strides) const {
  AttentionTile t = whole;
  t.headDim = s_.headDim;
  t.window = window_;
  t.blockK = blockK_;
  t.scale = scale_;
  if (step_) {
    runSteps(e, t, strides);
  } else {
    runTiles(e, t, strides);
  }
}

void AttentionPlan::runTiles(const Execution& e, const AttentionTile& whole, const Strides& strides) const {
  const std::size_t blocks = (s_.queries + blockQ_ - 1) / blockQ_, perGroup = s_.heads / s_.groups;
  e.pool.forEach(s_.heads * blocks, [&](std::size_t task, std::size_t thread) {
    // The last query blocks see the most keys: they go first, so that threads finish together.
    const std::size_t head = task % s_.heads, queries = blocks - 1 - task / s_.heads;
    AttentionTile t = whole;
    t.begin = queries * blockQ_;
    t.end = std::min(t.begin + blockQ_, s_.queries);
    t.q += head * s_.queries * s_.headDim;
    t.k += head / perGroup * strides.k;
    t.v += head / perGroup * strides.v;
    t.out += head * s_.queries * s_.headDim;
    t.scratch = e.scratch(scratch_ + thread * perThread_);
    e.kernels.attention(t);
  });
}

void AttentionPlan::runSteps(const Execution& e, const AttentionTile& whole, const Strides& strides) const {
  // A position's heads read its keys together, but for a single query, whose heads are all there is to share out.
  const std::size_t perGroup = s_.heads / s_.groups, heads = s_.queries == 1 ? 1 : perGroup, sets = s_.heads / heads;
  e.pool.forEach(sets * s_.queries, [&](std::size_t task, std::size_t thread) {
    const std::size_t head = task % sets * heads, query = s_.queries - 1 - task / sets;
    AttentionTile t = whole;
    t.heads = heads;
    t.headStride = s_.queries * s_.headDim;
    t.offset += query;
    t.q += head * t.headStride + query * s_.headDim;
    t.k += head / perGroup * strides.k;
    t.v += head / perGroup * strides.v;
    t.out += head * t.headStride + query * s_.headDim;
    t.scratch = e.scratch(scratch_ + thread * perThread_);
    e.kernels.attentionStep(t);
  });
}

void checkAttention(const Check& c, std::size_t groups, std::size_t headDim, bool fixed) {
  const TensorInfo& q = c.input(0);
  for (const TensorInfo* t : {&q, &c.output()}) c.type(*t, {qnn::DataType::FLOAT_32});
  for (const TensorInfo* t : {&c.input(1), &c.input(2)}) {
    if (fixed) {
      checkFixed(c, *t);
    } else {
      c.type(*t, {qnn::DataType::FLOAT_32});
    }
  }
  c.rank(q, 3);
  if (q.dims[0] % groups != 0) {
    c.refuse(q, "head count must be a multiple of the " + std::to_string(groups) + " groups of keys " +
                    c.input(1).describe());
  }
  if (q.dims[2] != headDim)
    c.refuse(q, "expected head dimension " + std::to_string(headDim) + ", as in keys " + c.input(1).describe());
  c.dims(c.output(), q.dims);
  if (!(c.node().scalar<float>("scale", 1.0F) > 0.0F)) c.refuse("parameter 'scale': expected a positive number");
  for (const char* param : {"block_q", "block_k"}) {
    const std::uint32_t size = block(c.node(), param);
    if (size == 0 || size > kLargestBlock) {
      c.refuse("parameter '" + std::string(param) + "': expected 1 to " + std::to_string(kLargestBlock) + ", got " +
               std::to_string(size));
    }
  }
}

}  // namespace heddle
