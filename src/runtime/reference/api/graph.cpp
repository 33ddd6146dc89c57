// Graphs: building, finalizing, executing.
#include <algorithm>
#include <chrono>

#include "api.h"
#include "node.h"

namespace heddle {
namespace {

/// Event types of the QNN profile interface, and this backend's own for sizes.
enum EventType : std::uint32_t { FINALIZE = 300, EXECUTE = 400, NODE = 404, ARENA_BYTES = 1001, STATIC_BYTES = 1002 };

/// Runs f with the graph behind a handle, keeping its context alive meanwhile.
template <class F>
qnn::Error withGraph(qnn::GraphHandle handle, qnn::Error invalid, const F& f) {
  const auto ref = handles<GraphRef>().find(handle);
  if (ref == nullptr) return invalid;
  const Log* log = ref->context->backend->log.get();
  return guarded(log, [&] { f(*ref->graph, log); });
}

/// Null when the application gave no handle. Throws Failure for a stale one.
std::shared_ptr<Profile> profileOf(qnn::ProfileHandle handle) {
  if (handle == nullptr) return nullptr;
  auto profile = handles<Profile>().find(handle);
  if (profile == nullptr) throw Failure(code::PROFILE_INVALID_HANDLE, "the profile handle is not valid");
  return profile;
}

using Clock = std::chrono::steady_clock;
double microseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

std::uint64_t whole(double value) { return static_cast<std::uint64_t>(value + 0.5); }

}  // namespace

namespace api {

Error graphCreate(ContextHandle contextHandle, const char* name, const Config** configs, GraphHandle* handle) {
  const auto context = handles<Context>().find(contextHandle);
  if (context == nullptr) return code::CONTEXT_INVALID_HANDLE;
  if (handle == nullptr) return code::GRAPH_INVALID_ARGUMENT;
  return guarded(context->backend->log.get(), [&] {
    if (name == nullptr || *name == '\0') throw Failure(code::GRAPH_INVALID_NAME, "a graph needs a name");
    if (configs != nullptr && configs[0] != nullptr) {
      throw Failure(code::GRAPH_INVALID_ARGUMENT,
                    "graph '" + std::string(name) + "': this backend has no graph configurations");
    }
    const bool taken = std::ranges::any_of(context->graphs, [&](const auto& g) { return g->name() == name; });
    if (taken)
      throw Failure(code::GRAPH_INVALID_NAME, "the context already has a graph named '" + std::string(name) + "'");
    auto graph = std::make_shared<Graph>(name, context->workplace);
    *handle = handles<GraphRef>().add(graph.get(), std::make_shared<GraphRef>(GraphRef{context, graph}));
    context->graphs.push_back(std::move(graph));
  });
}

Error graphRetrieve(ContextHandle contextHandle, const char* name, GraphHandle* handle) {
  const auto context = handles<Context>().find(contextHandle);
  if (context == nullptr) return code::CONTEXT_INVALID_HANDLE;
  if (name == nullptr || handle == nullptr) return code::GRAPH_INVALID_ARGUMENT;
  return guarded(context->backend->log.get(), [&] {
    const auto found = std::ranges::find_if(context->graphs, [&](const auto& g) { return g->name() == name; });
    if (found == context->graphs.end()) {
      throw Failure(code::GRAPH_DOES_NOT_EXIST, "the context has no graph named '" + std::string(name) + "'");
    }
    *handle = handles<GraphRef>().add(found->get(), std::make_shared<GraphRef>(GraphRef{context, *found}));
  });
}

Error tensorCreateGraphTensor(GraphHandle handle, Tensor* tensor) {
  if (tensor == nullptr) return code::TENSOR_INVALID_PARAM;
  return withGraph(handle, code::TENSOR_INVALID_HANDLE, [&](Graph& graph, const Log*) {
    TensorInfo info = TensorInfo::from(*tensor, code::TENSOR_INVALID_PARAM);
    info.id = 0;  // ids are the backend's to give
    tensor->v1.id = graph.addTensor(std::move(info));
  });
}

Error graphAddNode(GraphHandle handle, OpConfig config) {
  return withGraph(handle, code::GRAPH_INVALID_HANDLE, [&](Graph& graph, const Log*) {
    graph.addNode(nodeFrom(config, code::GRAPH_INVALID_OP_CONFIG, [&](const Tensor& t) {
      const TensorInfo* found = graph.find(t.v1.id);
      if (found == nullptr) {
        throw Failure(code::GRAPH_INVALID_TENSOR, "node '" + std::string(config.name == nullptr ? "" : config.name) +
                                                      "': tensor '" + (t.v1.name == nullptr ? "" : t.v1.name) +
                                                      "' was not created in graph '" + graph.name() + "'");
      }
      return found;
    }));
  });
}

Error graphFinalize(GraphHandle handle, ProfileHandle profileHandle, SignalHandle) {
  return withGraph(handle, code::GRAPH_INVALID_HANDLE, [&](Graph& graph, const Log* log) {
    const auto profile = profileOf(profileHandle);
    const auto start = Clock::now();
    graph.finalize();
    if (log != nullptr && log->wants(LogLevel::INFO)) {
      log->write(LogLevel::INFO, "graph '" + graph.name() + "': " + std::to_string(graph.nodes().size()) + " nodes, " +
                                     std::to_string(graph.staticBytes()) + " bytes of constants, " +
                                     std::to_string(graph.arenaBytes()) + " bytes of arena, finalized in " +
                                     std::to_string(whole(microseconds(start))) + " us");
    }
    if (profile == nullptr) return;
    ProfileRecord& event = profile->add(nullptr, FINALIZE, ProfileUnit::MICROSECONDS, whole(microseconds(start)),
                                        "finalize " + graph.name());
    profile->add(&event, ARENA_BYTES, ProfileUnit::BYTES, graph.arenaBytes(), "arena");
    profile->add(&event, STATIC_BYTES, ProfileUnit::BYTES, graph.staticBytes(), "constants");
  });
}

Error graphExecute(GraphHandle handle, const Tensor* inputs, std::uint32_t inputCount, Tensor* outputs,
                   std::uint32_t outputCount, ProfileHandle profileHandle, SignalHandle) {
  if ((inputs == nullptr && inputCount != 0) || (outputs == nullptr && outputCount != 0))
    return code::GRAPH_INVALID_ARGUMENT;
  return withGraph(handle, code::GRAPH_INVALID_HANDLE, [&](Graph& graph, const Log*) {
    const auto profile = profileOf(profileHandle);
    std::vector<Binding> bindings;
    const auto bind = [&](const Tensor& t) {
      if (t.v1.memType != MemType::RAW) {
        throw Failure(code::GRAPH_INVALID_TENSOR, "graph '" + graph.name() + "': tensors must be bound as raw memory");
      }
      bindings.push_back({t.v1.id, t.v1.buffer.data, t.v1.buffer.bytes});
    };
    for (std::uint32_t i = 0; i < inputCount; ++i) bind(inputs[i]);
    for (std::uint32_t i = 0; i < outputCount; ++i) bind(outputs[i]);
    if (profile == nullptr) return graph.execute(bindings, nullptr);
    std::vector<double> times;
    const bool detailed = profile->level == ProfileLevel::DETAILED;
    const auto start = Clock::now();
    graph.execute(bindings, detailed ? &times : nullptr);
    ProfileRecord& event = profile->add(nullptr, EXECUTE, ProfileUnit::MICROSECONDS, whole(microseconds(start)),
                                        "execute " + graph.name());
    for (std::size_t i = 0; i < times.size(); ++i) {
      const Node& node = graph.nodes()[i];
      profile->add(&event, NODE, ProfileUnit::MICROSECONDS, whole(times[i]), node.name + " (" + node.type + ")");
    }
  });
}

}  // namespace api
}  // namespace heddle
