// KvAppend: cache[.., position + t, ..] = slice[.., t, ..] along an axis, in place. Rows beyond the cache are dropped;
// into a ring (ring.h) they go round.
#include "../core/failure.h"
#include "check.h"
#include "loops.h"
#include "ops.h"
#include "ring.h"

namespace heddle {
namespace kv_append {
namespace {

constexpr ParamSpec kParams[] = {{"axis", qnn::DataType::UINT_32, false, true}, {"window", qnn::DataType::UINT_32}};

void validate(const Check& c) {
  const TensorInfo &cache = c.input(0), &slice = c.input(1), &position = c.input(2);
  if (c.output().name != cache.name || c.output().id != cache.id) {
    c.refuse(c.output(), "must be the cache tensor itself, '" + cache.name + "': the append happens in place");
  }
  if (cache.type != qnn::TensorType::APP_READWRITE) {
    c.refuse(cache, std::string("expected an APP_READWRITE tensor, got ") + nameOf(cache.type));
  }
  const std::size_t axis = c.node().scalar<std::uint32_t>("axis", 0);
  if (axis >= cache.rank())
    c.refuse("parameter 'axis': " + std::to_string(axis) + " is not an axis of " + cache.describe());
  c.type(slice, {cache.dataType});
  c.rank(slice, cache.rank());
  Dims expected = cache.dims;
  expected[axis] = slice.dims[axis];
  c.dims(slice, expected);
  c.type(position, {qnn::DataType::INT_32});
  c.dims(position, {1});
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo &cache = node.input(0), &slice = node.input(1);
  const std::size_t axis = node.scalar<std::uint32_t>("axis", 0), bytes = sizeOf(cache.dataType);
  const auto to = stridesOf(cache.dims), from = stridesOf(slice.dims);
  const StridedCopy whole(slice.dims, to, from, bytes);
  const bool ring = isRing(cache.dims[axis], node.scalar<std::uint32_t>("window", 0), slice.dims[axis]);
  return [=, name = node.name, dims = slice.dims, capacity = cache.dims[axis],
          step = static_cast<std::size_t>(to[axis]) * bytes, stepFrom = static_cast<std::size_t>(from[axis]) * bytes,
          cache = planner.slot(cache), slice = planner.slot(slice),
          position = planner.slot(node.input(2))](const Execution& e) {
    const std::int32_t at = *e.at<std::int32_t>(position);
    if (at < 0)
      throw Failure(code::GRAPH_INVALID_ARGUMENT,
                    "node '" + name + "' (KvAppend): position " + std::to_string(at) + " is negative");
    const std::uint32_t place = ring ? static_cast<std::uint32_t>(at) % capacity : static_cast<std::uint32_t>(at);
    if (place >= capacity) return;
    const std::uint32_t room = capacity - place;
    const std::byte* rows = e.at<std::byte>(slice);
    std::byte* target = e.at<std::byte>(cache);
    if (room >= dims[axis]) {
      whole.run(e.pool, target + place * step, rows);
      return;
    }
    Dims part = dims;
    part[axis] = room;
    StridedCopy(part, to, from, bytes).run(e.pool, target + place * step, rows);
    if (!ring) return;
    part[axis] = dims[axis] - room;
    StridedCopy(part, to, from, bytes).run(e.pool, target, rows + room * stepFrom);
  };
}

}  // namespace
}  // namespace kv_append

constexpr OpDefinition kKvAppend = {
    qnn::reference::kPackage, "KvAppend", 3, 3, 1, 1, kv_append::kParams, kv_append::validate, kv_append::plan};

}  // namespace heddle
