// The C interface: refusals and their wording, handles, configurations, profiles.
#include "../../src/runtime/reference/ops/op.h"
#include "small_graph.h"

using namespace testing;

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
      {"qti.aisw",
       "Fullyconnected",
       {},
       {"x", "w"},
       {"y"},
       "package 'qti.aisw' of this backend has no op of this type"},
      {"qti.aisw", "FullyConnected", {Param::u32("keep_dim", 1)}, {"x", "w"}, {"y"}, "has no parameter 'keep_dim'"},
      {"qti.aisw",
       "FullyConnected",
       {Param::u32("keep_dims", 1)},
       {"x", "w"},
       {"y"},
       "parameter 'keep_dims': expected BOOL_8, got UINT_32"},
      {"qti.aisw",
       "FullyConnected",
       {Param::list<U>("keep_dims", {1})},
       {"x", "w"},
       {"y"},
       "expected a scalar, got a tensor"},
      {"qti.aisw",
       "FullyConnected",
       {Param::flag("keep_dims", true), Param::flag("keep_dims", true)},
       {"x", "w"},
       {"y"},
       "is given twice"},
      {"qti.aisw", "FullyConnected", {}, {"x"}, {"y"}, "expected 2 to 3 inputs, got 1"},
      {"qti.aisw", "FullyConnected", {}, {"x", ""}, {"y"}, "input 1 is mandatory"},
      {"qti.aisw",
       "FullyConnected",
       {},
       {"x", "w9"},
       {"y"},
       "input 0 'x' FLOAT_32[2, 8]: does not divide into rows of the weights 'w9' FLOAT_32[4, 9]"},
      {"qti.aisw", "FullyConnected", {}, {"i", "w"}, {"y"}, "input 0 'i' INT_32[2]: expected FLOAT_32, got INT_32"},
      {"qti.aisw", "FullyConnected", {}, {"x", "w"}, {"z"}, "output 0 'z' FLOAT_32[2, 8]: expected shape [2, 4]"},
      {"qti.aisw", "LayerNorm", {}, {"x"}, {"z"}, "lacks its parameter 'axes'"},
      {"qti.aisw", "LayerNorm", {Param::list<U>("axes", {0})}, {"x"}, {"z"}, "must be the last axes"},
      {"qti.aisw", "Transpose", {Param::list<U>("perm", {0, 0})}, {"x"}, {"z"}, "must be distinct axes below rank 2"},
      {"qti.aisw", "ElementWiseAdd", {}, {"x", "w"}, {"z"}, "does not broadcast"},
      {"qti.aisw",
       "Softmax",
       {Param::u32("axis", 2)},
       {"x"},
       {"z"},
       "parameter 'axis': 2 is not an axis of 'x' FLOAT_32[2, 8]"},
      {"heddle", "KvAppend", {Param::u32("axis", 1)}, {"cache", "x", "position"}, {"cache"}, "expected rank 3, got 2"},
      {"heddle",
       "KvAppend",
       {Param::u32("axis", 1)},
       {"cache", "x", "position"},
       {"z"},
       "must be the cache tensor itself"},
      {"heddle",
       "GatedMlp",
       {Param::u32("activation", 2)},
       {"x", "w", "w"},
       {"z"},
       "input 2 'w' FLOAT_32[4, 8]: expected shape [16, 8]"},
      {"heddle",
       "Mlp",
       {Param::u32("activation", 9)},
       {"x", "w", "b", "w", "b"},
       {"z"},
       "input 3 'w' FLOAT_32[4, 8]: expected shape [8, 8] for input"},
  };
  for (const Case& c : cases) {
    for (const auto& [call, code] : {std::pair{&Host::addTo, 6005U}, std::pair{&Host::validateWith, 3110U}}) {
      lastError().clear();
      const auto error = h.tryNode(c.package, c.type, c.params, c.in, c.out, call);
      if (error != code || !says(c.wording))
        fail(__FILE__, __LINE__, std::string(c.type) + " returned " + std::to_string(error) + ", wanted: " + c.wording);
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
  CHECK(qnnApi().graphFinalize(h.graph, nullptr, nullptr) == 6022 &&
        says("output 'y' FLOAT_32[2] is written by no node"));
  h.node("Tanh", {}, {"t"}, {"y"});
  std::vector<float> x(2), y(2), longer(3);
  CHECK(h.tryRun({{"x", x}, {"y", y}}) == 6023);
  CHECK_EQUAL(h.add("t", TensorType::NATIVE, DataType::FLOAT_32, {2}), 7004U);
  CHECK(says("there is already a tensor of this name"));
  CHECK(h.add("e", TensorType::NATIVE, DataType::FLOAT_32, {2, 0}) == 7004 && says("contain 0"));
  CHECK(h.add("e", TensorType::NATIVE, DataType::STRING, {2}) == 7004 && says("data type STRING is not supported"));
  CHECK(h.add("e", TensorType::STATIC, DataType::FLOAT_32, {2}) == 7004 && says("is STATIC but has no data"));
  CHECK(h.add("e", TensorType::STATIC, DataType::FLOAT_32, {2}, x.data(), 4) == 7004 &&
        says("has 4 bytes, expected 8 for FLOAT_32[2]"));
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
  CHECK(qnnApi().errorGetMessage(5005, &text) == qnn::kSuccess &&
        std::string(text) == "context binary cannot be loaded");
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
  CHECK(qnnApi().profileGetEventData(events[0], &event) == qnn::kSuccess && event.type == 400 &&
        event.unit == qnn::ProfileUnit::MICROSECONDS);
  CHECK(qnnApi().profileGetSubEvents(events[0], &nodes, &count) == qnn::kSuccess && count == 5);
  CHECK(qnnApi().profileGetEventData(nodes[4], &event) == qnn::kSuccess && event.type == 404 &&
        std::string(event.identifier) == "n4 (LayerNorm)");
  CHECK_EQUAL(qnnApi().profileFree(profile), qnn::kSuccess);
}

TEST(every_op_is_reachable_by_name) {
  for (const heddle::OpDefinition* op : heddle::allOps()) {
    CHECK(heddle::findOp(op->package, op->type) == op);
    CHECK(op->validate != nullptr && op->plan != nullptr);
  }
}

TEST(instruction_set_is_a_choice) {
  using qnn::reference::Simd;
  for (const Simd simd : {Simd::AUTO, Simd::SCALAR, Simd::AVX2, Simd::AVX512, Simd::NEON}) {
    OneConfig config(qnn::reference::SIMD, static_cast<U>(simd));
    qnn::BackendHandle handle = nullptr;
    const auto error = qnnApi().backendCreate(nullptr, config.get(), &handle);
    CHECK(error == (handle == nullptr ? 4012U : qnn::kSuccess));
    CHECK(handle != nullptr || simd >= Simd::AVX2);
    if (handle != nullptr) CHECK_EQUAL(qnnApi().backendFree(handle), qnn::kSuccess);
  }
}

int main() { return testing::main(); }
