// FlashCachedAttention: q [H, T, D] against a cache, k [G, D, C] (transposed) and v [G, C, D]. Query i stands at
// position + i and sees positions up to its own; cache rows beyond the last query are never read. With a window the
// cache may be a ring (ring.h).
#include <algorithm>

#include "../core/failure.h"
#include "attention.h"
#include "check.h"
#include "ops.h"
#include "ring.h"

namespace heddle {
namespace {

constexpr ParamSpec kParams[] = {kScaleParam, kWindowParam, kBlockQParam, kBlockKParam};

void validate(const Check& c) {
  const TensorInfo &k = c.input(1), &position = c.input(3);
  c.rank(k, 3);
  checkAttention(c, k.dims[0], k.dims[1]);
  c.dims(c.input(2), {k.dims[0], k.dims[2], k.dims[1]});
  c.type(position, {qnn::DataType::INT_32});
  c.dims(position, {1});
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &q = node.input(0), &k = node.input(1);
  const std::size_t heads = q.dims[0], queries = q.dims[1], d = q.dims[2], groups = k.dims[0], capacity = k.dims[2];
  const bool ring = isRing(capacity, node.scalar<std::uint32_t>("window", 0), queries);
  const AttentionPlan attention(node, {heads, groups, queries, d}, planner);
  return [attention, capacity, ring, queries, d, name = node.name, q = planner.slot(q), k = planner.slot(k),
          v = planner.slot(node.input(2)), position = planner.slot(node.input(3)),
          y = planner.slot(node.output())](const Execution& e) {
    const std::int32_t at = *e.at<std::int32_t>(position);
    if (at < 0) {
      throw Failure(code::GRAPH_INVALID_ARGUMENT,
                    "node '" + name + "' (FlashCachedAttention): position " + std::to_string(at) + " is negative");
    }
    AttentionTile t{};
    t.offset = static_cast<std::size_t>(at);
    t.keys = ring ? t.offset + queries : std::min(capacity, t.offset + queries);
    t.ring = ring ? capacity : 0;
    t.causal = true;
    t.keysTransposed = true;
    t.ldk = capacity;
    t.q = e.at(q);
    t.k = e.at(k);
    t.v = e.at(v);
    t.out = e.at(y);
    attention.run(e, t, {d * capacity, capacity * d});
  };
}

}  // namespace

constexpr OpDefinition kFlashCachedAttention = {
    qnn::reference::kPackage, "FlashCachedAttention", 4, 4, 1, 1, kParams, validate, plan};

}  // namespace heddle
