// FlashCachedAttention: q [H, T, D] against a cache, k [G, D, C] (transposed) and v [G, C, D]. Query i stands at position + i
// and sees positions up to its own; cache rows beyond the last query are never read. With a window the cache may be a ring
// (ring.h). `stepwise`: each query gives, to the bit, what it gives alone. A cache in fixed point is read as the floats that it
// stands for, as far as it is filled.
#include <algorithm>

#include "../core/failure.h"
#include "attention.h"
#include "check.h"
#include "fixed_point.h"
#include "ops.h"
#include "ring.h"

namespace heddle {
namespace flash_cached_attention {
namespace {

constexpr ParamSpec kParams[] = {
    kScaleParam, kWindowParam, kBlockQParam, kBlockKParam, {"stepwise", qnn::DataType::BOOL_8}};

void validate(const Check& c) {
  const TensorInfo &k = c.input(1), &position = c.input(3);
  c.rank(k, 3);
  checkAttention(c, k.dims[0], k.dims[1], isFixed(k.dataType));
  c.dims(c.input(2), {k.dims[0], k.dims[2], k.dims[1]});
  c.type(position, {qnn::DataType::INT_32});
  c.dims(position, {1});
}

/// A cache [rows, row] of which the first elements of each row are wanted as floats.
struct FixedCache {
  Fixed kind{};
  FixedEncoding encoding{};
  std::size_t rows = 0, row = 0, bytes = 0, floats = 0;

  FixedCache() = default;
  FixedCache(const TensorInfo& t, std::size_t rowLength, Planner& planner)
      : kind(fixedOf(t.dataType)),
        encoding(encodingOf(t)),
        rows(t.count() / rowLength),
        row(rowLength),
        bytes(sizeOf(t.dataType)),
        floats(planner.workspace(t.count() * sizeof(float))) {}

  const float* read(const Execution& e, Slot slot, std::size_t wanted) const {
    const auto* from = e.at<std::byte>(slot);
    auto* to = e.scratch<float>(floats);
    e.pool.forEach(rows, [&](std::size_t i, std::size_t) {
      e.kernels.dequantize[static_cast<int>(kind)](from + i * row * bytes, to + i * row, wanted, encoding);
    });
    return to;
  }
};

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &q = node.input(0), &k = node.input(1);
  const std::size_t heads = q.dims[0], queries = q.dims[1], d = q.dims[2], groups = k.dims[0], capacity = k.dims[2];
  const bool ring = isRing(capacity, node.scalar<std::uint32_t>("window", 0), queries);
  const AttentionPlan attention(node, {heads, groups, queries, d, capacity, node.flag("stepwise")}, planner);
  const bool fixed = isFixed(k.dataType);
  const FixedCache keys = fixed ? FixedCache(k, capacity, planner) : FixedCache();
  const FixedCache values = fixed ? FixedCache(node.input(2), capacity * d, planner) : FixedCache();
  return [attention, fixed, keys, values, capacity, ring, queries, d, name = node.name, q = planner.slot(q), k = planner.slot(k),
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
    const std::size_t filled = std::min(capacity, t.offset + queries);
    t.k = fixed ? keys.read(e, k, filled) : e.at(k);
    t.v = fixed ? values.read(e, v, filled * d) : e.at(v);
    t.out = e.at(y);
    attention.run(e, t, {d * capacity, capacity * d});
  };
}

}  // namespace
}  // namespace flash_cached_attention

constexpr OpDefinition kFlashCachedAttention = {
    qnn::reference::kPackage, "FlashCachedAttention", 4, 4, 1, 1, flash_cached_attention::kParams,
    flash_cached_attention::validate, flash_cached_attention::plan};

}  // namespace heddle
