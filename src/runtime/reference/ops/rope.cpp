// Rope: rotary position embedding, half-split: pairs (i, i + D/2) of x [H, T, D] turn by the angles of cos, sin [T,
// D/2].
#include "check.h"
#include "ops.h"

namespace heddle {
namespace rope {
namespace {

constexpr std::size_t kElementsPerTask = 8192;

void validate(const Check& c) {
  const TensorInfo& x = c.input(0);
  for (const TensorInfo* t : {&x, &c.input(1), &c.input(2), &c.output()}) c.type(*t, {qnn::DataType::FLOAT_32});
  c.rank(x, 3);
  if (x.dims[2] % 2 != 0) c.refuse(x, "last dimension must be even");
  c.dims(c.input(1), {x.dims[1], x.dims[2] / 2});
  c.dims(c.input(2), {x.dims[1], x.dims[2] / 2});
  c.dims(c.output(), x.dims);
}

Executable plan(const Node& node, Planner& planner) {
  const TensorInfo& x = node.input(0);
  const std::size_t rows = std::size_t{x.dims[0]} * x.dims[1], positions = x.dims[1], d = x.dims[2], half = d / 2;
  const std::size_t perTask = std::max<std::size_t>(1, kElementsPerTask / d);
  return [=, x = planner.slot(x), cos = planner.slot(node.input(1)), sin = planner.slot(node.input(2)),
          y = planner.slot(node.output())](const Execution& e) {
    e.pool.forEach((rows + perTask - 1) / perTask, [&](std::size_t task, std::size_t) {
      for (std::size_t i = task * perTask; i < rows && i < (task + 1) * perTask; ++i) {
        const std::size_t angle = i % positions * half;
        e.kernels.rope(e.at(x) + i * d, e.at(cos) + angle, e.at(sin) + angle, e.at(y) + i * d, half);
      }
    });
  };
}

}  // namespace
}  // namespace rope

constexpr OpDefinition kRope = {qnn::reference::kPackage, "Rope", 3, 3, 1, 1, {}, rope::validate, rope::plan};

}  // namespace heddle
