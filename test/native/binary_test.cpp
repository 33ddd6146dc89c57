// Context binaries: round trip, description, refusal of what is not one.
#include "../../src/runtime/reference/binary/checksum.h"
#include "small_graph.h"

using namespace testing;

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

int main() { return testing::main(); }
