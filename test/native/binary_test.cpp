// Context binaries: round trip, description, refusal of what is not one, and damage.
#include "../../src/runtime/reference/binary/checksum.h"
#include "../../src/runtime/reference/binary/format.h"
#include "small_graph.h"

using namespace testing;

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

TEST(binary_round_trip) {
  const Weights weights;
  Host h(backend(), true);
  buildSmall(h, weights.w, weights.b);
  const SmallRun first(h, weights.x);
  const auto binary = h.save();
  for (const bool borrow : {false, true}) {
    Host loaded(backend(), binary, borrow);
    CHECK_EQUAL(loaded.loaded, qnn::kSuccess);
    CHECK_EQUAL(qnnApi().graphRetrieve(loaded.context, "graph", &loaded.graph), qnn::kSuccess);
    loaded.tensors = h.tensors;
    const SmallRun second(loaded, weights.x);
    CHECK(first.out == second.out && first.cache == second.cache);
    CHECK(loaded.save() == binary);
    CHECK(qnnApi().graphRetrieve(loaded.context, "other", &loaded.graph) == 6002);
  }
}

TEST(binary_describes_itself) {
  const Weights weights;
  Host h(backend());
  buildSmall(h, weights.w, weights.b);
  auto binary = h.save();
  const qnn::SystemInterface** list = nullptr;
  std::uint32_t count = 0;
  CHECK(QnnSystemInterface_getProviders(&list, &count) == qnn::kSuccess && count == 1);
  const qnn::SystemFunctions& system = list[0]->functions;
  qnn::SystemContextHandle handle = nullptr;
  CHECK_EQUAL(system.contextCreate(&handle), qnn::kSuccess);
  const qnn::BinaryInfo* info = nullptr;
  std::uint64_t bytes = 0;
  CHECK_EQUAL(system.contextGetBinaryInfo(handle, binary.data(), binary.size(), &info, &bytes), qnn::kSuccess);
  CHECK(info->v1.backendId == 0x48 && info->v1.graphCount == 1);
  const qnn::GraphInfoV3& graph = info->v1.graphs[0].v3;
  CHECK(std::string(graph.name) == "graph" && graph.inputCount == 3 && graph.outputCount == 1);
  CHECK(std::string(graph.inputs[1].v1.name) == "cache" && graph.inputs[1].v1.dims[2] == 8 &&
        graph.inputs[1].v1.id == h.tensors["cache"].v1.id);
  binary.resize(100);
  lastError().clear();
  CHECK(system.contextGetBinaryInfo(handle, binary.data(), binary.size(), &info, &bytes) == 5005 &&
        says("it is truncated: 100 of"));
  CHECK_EQUAL(system.contextFree(handle), qnn::kSuccess);
}

TEST(bad_binaries_are_told_apart) {
  const Weights weights;
  Host h(backend());
  buildSmall(h, weights.w, weights.b);
  const auto good = h.save();
  const auto refused = [&](std::vector<std::byte> binary, qnn::Error error, const char* wording) {
    lastError().clear();
    const Host loaded(backend(), binary, true);
    if (loaded.loaded != error || !says(wording)) fail(__FILE__, __LINE__, std::string("wanted ") + wording);
  };
  auto bad = good;
  bad.resize(good.size() - 1);
  refused(bad, 5005, "it is truncated");
  bad = good;
  bad.push_back(std::byte{0});
  refused(bad, 5005, "1 bytes more than it should");
  bad.resize(10);
  refused(bad, 5005, "less than a header");
  bad = good;
  bad[0] = std::byte{'X'};
  refused(bad, 5005, "was not written by the Heddle reference backend");
  bad = good;
  bad[8] = std::byte{9};
  refused(bad, 5004, "format version 9, this backend reads version 2");
  bad = good;
  bad[good.size() - 70] ^= std::byte{1};
  refused(bad, 5005, "its checksum does not match");
  bad = good;
  bad[24] ^= std::byte{0x80};
  refused(bad, 5005, "sizes in its header contradict");
}

TEST(constants_are_shared_in_a_binary) {
  const Weights weights;
  const std::vector<float> large(4096, 0.5F);
  Host h(backend(), true);
  const auto build = [&] {
    h.tensor("x", IN, {1, 4096});
    h.constant("w", {1, 4096}, large);
    h.tensor("y", OUT, {1, 4096});
    h.node("ElementWiseMultiply", {}, {"x", "w"}, {"y"});
    h.finalize();
  };
  build();
  const std::size_t one = h.save().size();
  h.newGraph("second");
  build();
  CHECK(h.save().size() < one + 4096);
}

TEST(checksum_sees_every_bit) {
  std::vector<std::byte> bytes(200);
  const auto sum = heddle::checksum(bytes);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    bytes[i / 8] ^= std::byte(1U << i % 8);
    CHECK(heddle::checksum(bytes) != sum);
    bytes[i / 8] ^= std::byte(1U << i % 8);
  }
  CHECK(heddle::checksum(std::span(bytes).first(199)) != sum);
}

// Damage that the checksum does not catch, for it is recomputed: loading must refuse or succeed, never crash. What loads is also
// executed when its interface is still the original one.
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
