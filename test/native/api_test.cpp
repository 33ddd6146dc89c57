// The C interface: refusals and their wording, handles, profiles, binaries, two contexts at once, memory.
#include <array>
#include <atomic>
#include <thread>

#include "data.h"
#include "host.h"

#include "../../src/runtime/reference/binary/checksum.h"
#include "../../src/runtime/reference/core/buffer.h"
#include "../../src/runtime/reference/core/thread_pool.h"
#include "../../src/runtime/reference/graph/memory_plan.h"
#include "../../src/runtime/reference/ops/op.h"

using namespace testing;
using U = std::uint32_t;

namespace {

constexpr auto IN = TensorType::APP_WRITE;
constexpr auto OUT = TensorType::APP_READ;

const Backend& backend() {
  static const Backend shared(2);
  return shared;
}

bool says(const std::string& part) {
  if (lastError().find(part) != std::string::npos) return true;
  std::printf("  log says: %s\n", lastError().c_str());
  return false;
}

/// x [1, 8] -> FullyConnected -> GeluTanh -> LayerNorm -> out, with an APP_READWRITE cache beside it.
void buildSmall(Host& h, const std::vector<float>& w, const std::vector<float>& b) {
  h.tensor("x", IN, {1, 8});
  h.constant("w", {8, 8}, w);
  h.constant("b", {8}, b);
  h.tensor("cache", TensorType::APP_READWRITE, {1, 4, 8});
  h.tensor<std::int32_t>("position", IN, {1});
  h.tensor("t0", TensorType::NATIVE, {1, 8});
  h.tensor("t1", TensorType::NATIVE, {1, 8});
  h.tensor("row", TensorType::NATIVE, {1, 1, 8});
  h.tensor("out", OUT, {1, 8});
  h.node("FullyConnected", {}, {"x", "w", "b"}, {"t0"});
  h.node("GeluTanh", {}, {"t0"}, {"t1"});
  h.node("Reshape", {}, {"t1"}, {"row"});
  h.node("KvAppend", {Param::u32("axis", 1)}, {"cache", "row", "position"}, {"cache"});
  h.node("LayerNorm", {Param::f32("epsilon", 1e-5F), Param::list<U>("axes", {1})}, {"t1"}, {"out"});
  h.finalize();
}

struct SmallRun {
  std::vector<float> x, cache = std::vector<float>(32), out = std::vector<float>(8);
  std::vector<std::int32_t> position = {2};
  explicit SmallRun(Host& h, std::vector<float> input) : x(std::move(input)) {
    h.run({{"x", x}, {"cache", cache}, {"position", position}, {"out", out}});
  }
};

struct Weights {
  Random random{7};
  std::vector<float> w = random.floats(64), b = random.floats(8), x = random.floats(8);
};

}  // namespace

TEST(refusals_say_what_is_wrong) {
  Host h(backend());
  h.tensor("x", IN, {2, 8});
  h.tensor<std::int32_t>("i", IN, {2});
  h.constant<float>("w", {4, 8}, std::vector<float>(32));
  h.constant<float>("w9", {4, 9}, std::vector<float>(36));
  h.constant<float>("b", {4}, std::vector<float>(4));
  h.tensor("y", TensorType::NATIVE, {2, 4});
  h.tensor("z", TensorType::NATIVE, {2, 8});
  h.tensor("cache", TensorType::APP_READWRITE, {1, 4, 8});
  h.tensor<std::int32_t>("position", IN, {1});
  struct Case {
    const char *package, *type;
    std::vector<Param> params;
    std::vector<std::string> in, out;
    const char* wording;
  };
  const Case cases[] = {
      {"acme", "FullyConnected", {}, {"x", "w"}, {"y"}, "has no op package 'acme', only 'qti.aisw' and 'heddle'"},
      {"qti.aisw", "Fullyconnected", {}, {"x", "w"}, {"y"}, "package 'qti.aisw' of this backend has no op of this type"},
      {"qti.aisw", "FullyConnected", {Param::u32("keep_dim", 1)}, {"x", "w"}, {"y"}, "has no parameter 'keep_dim'"},
      {"qti.aisw", "FullyConnected", {Param::u32("keep_dims", 1)}, {"x", "w"}, {"y"}, "parameter 'keep_dims': expected BOOL_8, got UINT_32"},
      {"qti.aisw", "FullyConnected", {Param::list<U>("keep_dims", {1})}, {"x", "w"}, {"y"}, "expected a scalar, got a tensor"},
      {"qti.aisw", "FullyConnected", {Param::flag("keep_dims", true), Param::flag("keep_dims", true)}, {"x", "w"}, {"y"}, "is given twice"},
      {"qti.aisw", "FullyConnected", {}, {"x"}, {"y"}, "expected 2 to 3 inputs, got 1"},
      {"qti.aisw", "FullyConnected", {}, {"x", ""}, {"y"}, "input 1 is mandatory"},
      {"qti.aisw", "FullyConnected", {}, {"x", "w9"}, {"y"}, "input 0 'x' FLOAT_32[2, 8]: does not divide into rows of the weights 'w9' FLOAT_32[4, 9]"},
      {"qti.aisw", "FullyConnected", {}, {"i", "w"}, {"y"}, "input 0 'i' INT_32[2]: expected FLOAT_32, got INT_32"},
      {"qti.aisw", "FullyConnected", {}, {"x", "w"}, {"z"}, "output 0 'z' FLOAT_32[2, 8]: expected shape [2, 4]"},
      {"qti.aisw", "LayerNorm", {}, {"x"}, {"z"}, "lacks its parameter 'axes'"},
      {"qti.aisw", "LayerNorm", {Param::list<U>("axes", {0})}, {"x"}, {"z"}, "must be the last axes"},
      {"qti.aisw", "Transpose", {Param::list<U>("perm", {0, 0})}, {"x"}, {"z"}, "must be distinct axes below rank 2"},
      {"qti.aisw", "ElementWiseAdd", {}, {"x", "w"}, {"z"}, "does not broadcast"},
      {"qti.aisw", "Softmax", {Param::u32("axis", 2)}, {"x"}, {"z"}, "parameter 'axis': 2 is not an axis of 'x' FLOAT_32[2, 8]"},
      {"heddle", "KvAppend", {Param::u32("axis", 1)}, {"cache", "x", "position"}, {"cache"}, "expected rank 3, got 2"},
      {"heddle", "KvAppend", {Param::u32("axis", 1)}, {"cache", "x", "position"}, {"z"}, "must be the cache tensor itself"},
      {"heddle", "Mlp", {Param::u32("activation", 9)}, {"x", "w", "b", "w", "b"}, {"z"}, "input 3 'w' FLOAT_32[4, 8]: expected shape [out, 4]"},
  };
  for (const Case& c : cases) {
    for (const auto& [call, code] : {std::pair{&Host::addTo, 6005U}, std::pair{&Host::validateWith, 3110U}}) {
      lastError().clear();
      const auto error = h.tryNode(c.package, c.type, c.params, c.in, c.out, call);
      if (error != code || !says(c.wording)) fail(__FILE__, __LINE__, std::string(c.type) + " returned " + std::to_string(error) + ", wanted: " + c.wording);
    }
  }
  CHECK(lastError().starts_with("node 'n"));
}

TEST(graph_order_and_state_errors) {
  Host h(backend());
  h.tensor("x", IN, {2});
  h.tensor("t", TensorType::NATIVE, {2});
  h.tensor("u", TensorType::NATIVE, {2});
  h.tensor("y", OUT, {2});
  CHECK(h.tryNode("qti.aisw", "Tanh", {}, {"t"}, {"y"}) == 6007 && says("is read before any node has written it"));
  CHECK(qnnApi().graphFinalize(h.graph, nullptr, nullptr) == 6022 && says("has no nodes"));
  h.node("Tanh", {}, {"x"}, {"t"});
  CHECK(h.tryNode("qti.aisw", "Tanh", {}, {"x"}, {"t"}) == 6004 && says("is already written by another node"));
  CHECK(h.tryNode("qti.aisw", "Tanh", {}, {"t"}, {"x"}) == 6004 && says("is APP_WRITE and cannot be written"));
  CHECK(qnnApi().graphFinalize(h.graph, nullptr, nullptr) == 6022 && says("output 'y' FLOAT_32[2] is written by no node"));
  h.node("Tanh", {}, {"t"}, {"y"});
  std::vector<float> x(2), y(2), longer(3);
  CHECK(h.tryRun({{"x", x}, {"y", y}}) == 6023);
  CHECK_EQUAL(h.add("t", TensorType::NATIVE, DataType::FLOAT_32, {2}), 7004U);
  CHECK(says("there is already a tensor of this name"));
  CHECK(h.add("e", TensorType::NATIVE, DataType::FLOAT_32, {2, 0}) == 7004 && says("contain 0"));
  CHECK(h.add("e", TensorType::NATIVE, DataType::STRING, {2}) == 7004 && says("data type STRING is not supported"));
  CHECK(h.add("e", TensorType::STATIC, DataType::FLOAT_32, {2}) == 7004 && says("is STATIC but has no data"));
  CHECK(h.add("e", TensorType::STATIC, DataType::FLOAT_32, {2}, x.data(), 4) == 7004 && says("has 4 bytes, expected 8 for FLOAT_32[2]"));
  h.finalize();
  CHECK(qnnApi().graphFinalize(h.graph, nullptr, nullptr) == 6024);
  CHECK(h.tryRun({{"x", x}}) == 6004 && says("'y' FLOAT_32[2] (APP_READ) is not bound"));
  CHECK(h.tryRun({{"x", longer}, {"y", y}}) == 6004 && says("has 12 bytes bound, expected 8"));
  CHECK_EQUAL(qnnApi().graphCreate(h.context, "graph", nullptr, &h.graph), 6003U);
}

TEST(stale_handles_are_refused) {
  void* nothing = nullptr;
  std::uint64_t bytes = 0;
  qnn::GraphHandle graph = nullptr;
  {
    Host h(backend());
    graph = h.graph;
    nothing = h.context;
  }
  CHECK_EQUAL(qnnApi().contextFree(nothing, nullptr), 5002U);
  CHECK_EQUAL(qnnApi().contextGetBinarySize(nothing, &bytes), 5002U);
  CHECK_EQUAL(qnnApi().graphFinalize(graph, nullptr, nullptr), 6001U);
  CHECK_EQUAL(qnnApi().backendFree(nullptr), 4011U);
  CHECK_EQUAL(qnnApi().logFree(nullptr), 11004U);
  CHECK_EQUAL(qnnApi().profileFree(nullptr), 12000U);
  OneConfig unknown(77, 1);
  CHECK(qnnApi().contextCreate(backend().handle, nullptr, unknown.get(), &nothing) == 5010 && says("option 77"));
  const char* text = nullptr;
  CHECK(qnnApi().errorGetMessage(5005, &text) == qnn::kSuccess && std::string(text) == "context binary cannot be loaded");
}

TEST(profile_has_a_time_per_node) {
  const Weights weights;
  Host h(backend());
  buildSmall(h, weights.w, weights.b);
  qnn::ProfileHandle profile = nullptr;
  CHECK_EQUAL(qnnApi().profileCreate(backend().handle, qnn::ProfileLevel::DETAILED, &profile), qnn::kSuccess);
  std::vector<float> x = weights.x, cache(32), out(8);
  std::vector<std::int32_t> position = {0};
  CHECK_EQUAL(h.tryRun({{"x", x}, {"cache", cache}, {"position", position}, {"out", out}}, profile), qnn::kSuccess);
  const qnn::ProfileEventId *events = nullptr, *nodes = nullptr;
  std::uint32_t count = 0;
  CHECK(qnnApi().profileGetEvents(profile, &events, &count) == qnn::kSuccess && count == 1);
  qnn::ProfileEvent event{};
  CHECK(qnnApi().profileGetEventData(events[0], &event) == qnn::kSuccess && event.type == 400 && event.unit == qnn::ProfileUnit::MICROSECONDS);
  CHECK(qnnApi().profileGetSubEvents(events[0], &nodes, &count) == qnn::kSuccess && count == 5);
  CHECK(qnnApi().profileGetEventData(nodes[4], &event) == qnn::kSuccess && event.type == 404 && std::string(event.identifier) == "n4 (LayerNorm)");
  CHECK_EQUAL(qnnApi().profileFree(profile), qnn::kSuccess);
}

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
  CHECK(std::string(graph.inputs[1].v1.name) == "cache" && graph.inputs[1].v1.dims[2] == 8 && graph.inputs[1].v1.id == h.tensors["cache"].v1.id);
  binary.resize(100);
  lastError().clear();
  CHECK(system.contextGetBinaryInfo(handle, binary.data(), binary.size(), &info, &bytes) == 5005 && says("it is truncated: 100 of"));
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
  refused(bad, 5004, "format version 9, this backend reads version 1");
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

TEST(two_contexts_execute_at_once) {
  const Weights weights;
  std::atomic<int> wrong{0};
  Host a(backend()), b(backend());
  buildSmall(a, weights.w, weights.b);
  buildSmall(b, weights.w, weights.b);
  const SmallRun expected(a, weights.x);
  const auto loop = [&](Host& h) {
    for (int i = 0; i < 300; ++i) wrong += SmallRun(h, weights.x).out != expected.out;
  };
  std::thread first(loop, std::ref(a)), second(loop, std::ref(b)), third(loop, std::ref(a));
  first.join();
  second.join();
  third.join();
  CHECK_EQUAL(wrong.load(), 0);
}

TEST(thread_pool_runs_every_task_once) {
  heddle::ThreadPool pool(4);
  for (int round = 0; round < 2000; ++round) {
    std::array<std::atomic<int>, 37> done{};
    pool.forEach(done.size(), [&](std::size_t task, std::size_t thread) { done[task] += thread < pool.threads() ? 1 : 100; });
    for (const auto& d : done) CHECK_EQUAL(d.load(), 1);
    if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // lets the workers fall asleep
  }
}

TEST(memory_plan_never_overlaps) {
  Random random;
  for (int round = 0; round < 50; ++round) {
    std::vector<heddle::Lifetime> lives(60);
    std::size_t total = 0;
    for (auto& l : lives) {
      l.first = random.next() % 40;
      l.last = l.first + random.next() % 8;
      l.bytes = random.next() % 1000;
      total += heddle::alignUp(l.bytes);
    }
    const auto plan = heddle::planMemory(lives);
    CHECK(plan.bytes <= total);
    for (std::size_t i = 0; i < lives.size(); ++i) {
      CHECK(plan.offsets[i] % 64 == 0 && plan.offsets[i] + lives[i].bytes <= plan.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last && lives[i].bytes && lives[j].bytes;
        CHECK(!together || plan.offsets[i] + lives[i].bytes <= plan.offsets[j] || plan.offsets[j] + lives[j].bytes <= plan.offsets[i]);
      }
    }
  }
}

TEST(chain_reuses_memory_and_views_cost_nothing) {
  Host h(backend());
  infoLines().clear();
  h.tensor("t0", IN, {1, 1024});
  for (int i = 1; i <= 20; ++i) {
    const std::string from = "t" + std::to_string(i - 1), to = "t" + std::to_string(i);
    h.tensor(to, i == 20 ? OUT : TensorType::NATIVE, i % 2 == 0 ? Dims{1, 1024} : Dims{1024, 1});
    if (i % 2 == 0) h.node("Transpose", {Param::list<U>("perm", {1, 0})}, {from}, {to});
    else h.node("Reshape", {}, {from}, {to});
    if (i % 5 != 0 || i == 20) continue;
    h.tensor(to + "x", TensorType::NATIVE, i % 2 == 0 ? Dims{1, 1024} : Dims{1024, 1});
    h.node("Tanh", {}, {to}, {to + "x"});
    h.tensors[to] = h.tensors[to + "x"];
  }
  h.finalize();
  CHECK(!infoLines().empty() && infoLines().back().find(" 8192 bytes of arena") != std::string::npos);
  std::vector<float> x(1024, 0.25F), y(1024);
  h.run({{"t0", x}, {"t20", y}});
  CHECK(std::fabs(y[1023] - std::tanh(std::tanh(std::tanh(0.25F)))) < 1e-6F);
}

TEST(every_op_is_reachable_by_name) {
  for (const heddle::OpDefinition* op : heddle::allOps()) {
    CHECK(heddle::findOp(op->package, op->type) == op);
    CHECK(op->validate != nullptr && op->plan != nullptr);
  }
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
