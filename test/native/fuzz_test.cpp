// Context binaries with damage that the checksum does not catch (it is recomputed): loading must refuse or succeed,
// never crash. What loads is also executed when its interface is still the original one.
#include "../../src/runtime/reference/binary/checksum.h"
#include "../../src/runtime/reference/binary/format.h"
#include "data.h"
#include "host.h"

using namespace testing;
using U = std::uint32_t;

namespace {

constexpr int kMutations = 6000;

void seal(std::vector<std::byte>& binary) {
  const std::span<const std::byte> all(binary);
  const std::uint64_t sum = heddle::checksum(all.subspan(sizeof(heddle::BinaryHeader)),
                                             heddle::checksum(all.first(offsetof(heddle::BinaryHeader, checksum))));
  std::memcpy(binary.data() + offsetof(heddle::BinaryHeader, checksum), &sum, sizeof sum);
}

void build(Host& h, const std::vector<float>& w) {
  h.tensor("x", TensorType::APP_WRITE, {2, 8});
  h.constant("w", {8, 8}, w);
  h.constant<std::int32_t>("index", {2}, {1, 0});
  for (const char* name : {"t0", "t1", "t2", "t4"}) h.tensor(name, TensorType::NATIVE, {2, 8});
  h.tensor("t3", TensorType::NATIVE, {8, 2});
  h.tensor("left", TensorType::NATIVE, {2, 3});
  h.tensor("right", TensorType::NATIVE, {2, 5});
  h.tensor("product", TensorType::NATIVE, {2, 2});
  h.tensor("sum", TensorType::NATIVE, {2, 1});
  h.tensor("y", TensorType::APP_READ, {2, 8});
  h.node("FullyConnected", {Param::flag("keep_dims", true)}, {"x", "w"}, {"t0"});
  h.node("Softmax", {Param::u32("axis", 0), Param::f32("beta", 1)}, {"t0"}, {"t1"});
  h.node("LayerNorm", {Param::f32("epsilon", 1e-5F), Param::list<U>("axes", {1})}, {"t1"}, {"t2"});
  h.node("Transpose", {Param::list<U>("perm", {1, 0})}, {"t2"}, {"t3"});
  h.node("MatMul", {Param::flag("transpose_in0", false), Param::flag("transpose_in1", false)}, {"t2", "t3"},
         {"product"});
  h.node("Split", {Param::u32("axis", 1), Param::list<U>("split_index", {3})}, {"t2"}, {"left", "right"});
  h.node("Concat", {Param::u32("axis", 1)}, {"right", "left"}, {"t4"});
  h.node("ReduceSum", {Param::list<U>("axes", {1}), Param::flag("keep_dims", true)}, {"product"}, {"sum"});
  h.tensor("scaled", TensorType::NATIVE, {2, 8});
  h.tensor("gathered", TensorType::NATIVE, {2, 8});
  h.node("ElementWiseMultiply", {}, {"t4", "sum"}, {"scaled"});
  h.node("Gather", {Param::i32("axis", 0)}, {"scaled", "index"}, {"gathered"});
  h.node("StridedSlice", {Param::list<std::int32_t>("ranges", {0, 2, 1, 7, -9, -1}, {2, 3})}, {"gathered"}, {"y"});
  h.finalize();
}

}  // namespace

TEST(mutated_binaries) {
  const Backend backend(1);
  Random random(42);
  const auto w = random.floats(64);
  Host original(backend);
  build(original, w);
  const auto good = original.save();
  int loaded = 0;
  for (int i = 0; i < kMutations; ++i) {
    auto bad = good;
    const std::size_t described = sizeof(heddle::BinaryHeader), span = bad.size() - described;
    for (U edits = 1 + random.next() % 3; edits-- > 0;) {
      const std::size_t at = random.next() % 8 == 0 ? random.next() % bad.size() : described + random.next() % span;
      switch (random.next() % 4) {
        case 0: bad[at] = std::byte(random.next()); break;
        case 1: bad[at] ^= std::byte(1U << random.next() % 8); break;
        case 2: bad[at] = std::byte{0xff}; break;
        default: bad[at] = std::byte(std::to_integer<U>(bad[at]) + 1); break;
      }
    }
    if (random.next() % 16 == 0) bad.resize(random.next() % bad.size());
    if (bad.size() >= described) seal(bad);
    Host h(backend, bad, random.next() % 2 == 0);
    if (h.loaded != qnn::kSuccess) continue;
    ++loaded;
    if (qnnApi().graphRetrieve(h.context, "graph", &h.graph) != qnn::kSuccess) continue;
    h.tensors = original.tensors;
    std::vector<float> x(16, 0.5F), y(16);
    (void)h.tryRun({{"x", x}, {"y", y}});
  }
  CHECK(loaded > 0 && loaded < kMutations);
}

int main() { return testing::main(); }
