// FlashAttention: q [H, T, D] against k, v [G, S, D]. With `causal` and S > T the queries are the last T positions.
#include "attention.h"
#include "check.h"
#include "ops.h"

namespace heddle {
namespace flash_attention {
namespace {

constexpr ParamSpec kParams[] = {
    kScaleParam, {"causal", qnn::DataType::BOOL_8, false, true}, kWindowParam, kBlockQParam, kBlockKParam};

void validate(const Check& c) {
  const TensorInfo &q = c.input(0), &k = c.input(1);
  c.rank(k, 3);
  checkAttention(c, k.dims[0], k.dims[2]);
  c.dims(c.input(2), k.dims);
  const bool causal = c.node().flag("causal");
  if (causal && k.dims[1] < q.dims[1])
    c.refuse(k, "causal attention needs at least as many keys as queries " + q.describe());
  if (!causal && c.node().scalar<std::uint32_t>("window", 0) != 0) c.refuse("parameter 'window' needs 'causal'");
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &q = node.input(0), &k = node.input(1);
  const std::size_t heads = q.dims[0], queries = q.dims[1], d = q.dims[2], groups = k.dims[0], keys = k.dims[1];
  const AttentionPlan attention(node, {heads, groups, queries, d}, planner);
  AttentionTile tile{};
  tile.keys = keys;
  tile.causal = node.flag("causal");
  tile.offset = tile.causal ? keys - queries : 0;
  return [attention, tile, stride = keys * d, q = planner.slot(q), k = planner.slot(k), v = planner.slot(node.input(2)),
          y = planner.slot(node.output())](const Execution& e) {
    AttentionTile t = tile;
    t.q = e.at(q);
    t.k = e.at(k);
    t.v = e.at(v);
    t.out = e.at(y);
    attention.run(e, t, {stride, stride});
  };
}

}  // namespace
}  // namespace flash_attention

constexpr OpDefinition kFlashAttention = {
    qnn::reference::kPackage, "FlashAttention", 3, 3, 1, 1, flash_attention::kParams,
    flash_attention::validate, flash_attention::plan};

}  // namespace heddle
