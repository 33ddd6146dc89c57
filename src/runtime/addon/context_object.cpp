#include "environment.h"
#include "js_error.h"
#include "objects.h"

namespace heddle {

namespace {

GraphOptions parseGraphOptions(const Napi::Value& value) {
  GraphOptions options;
  if (value.IsUndefined()) return options;
  const Field field(value, "graph options");
  field.allowOnly({"optimization", "vtcm", "hvxThreads"});
  if (const Field effort = field["optimization"]; effort.present()) {
    options.optimization = static_cast<std::uint32_t>(effort.integer(1, 3));
  }
  if (const Field vtcm = field["vtcm"]; vtcm.present()) options.vtcmMegabytes = static_cast<std::uint32_t>(vtcm.integer(0, 1024));
  if (const Field threads = field["hvxThreads"]; threads.present()) {
    options.hvxThreads = static_cast<std::uint32_t>(threads.integer(1, 64));
  }
  return options;
}

}  // namespace

std::optional<qnn::ProfileLevel> parseProfileLevel(const Napi::Value& options) {
  if (options.IsUndefined()) return std::nullopt;
  const Field field(options, "options");
  field.allowOnly({"profile"});
  const Field level = field["profile"];
  if (!level.present()) return std::nullopt;
  const std::string text = level.text();
  if (text == "basic") return qnn::ProfileLevel::BASIC;
  if (text == "detailed") return qnn::ProfileLevel::DETAILED;
  level.refuse("\"basic\" or \"detailed\"");
}

Napi::Function ContextObject::define(Napi::Env env) {
  return DefineClass(env, "Context",
                     {InstanceMethod<&ContextObject::addGraph>("addGraph"),
                      InstanceMethod<&ContextObject::graph>("graph"),
                      InstanceMethod<&ContextObject::graphNames>("graphNames"),
                      InstanceMethod<&ContextObject::finalize>("finalize"),
                      InstanceMethod<&ContextObject::save>("save"),
                      InstanceMethod<&ContextObject::close>("close")});
}

ContextObject::ContextObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ContextObject>(info),
      state_(unwrapPending<std::shared_ptr<ContextState>>(info, "call backend.createContext()")) {}

Napi::Value ContextObject::graphObject(Napi::Env env, Graph& graph) {
  return wrap(env, &Environment::graph, GraphState{state_, &graph});
}

Napi::Value ContextObject::addGraph(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    Context& context = state_->idle();
    const GraphOptions options = parseGraphOptions(info[2]);
    std::span<const std::byte> weights;
    std::shared_ptr<Pin> held;
    if (!info[1].IsUndefined()) {
      weights = bytesOf(info[1], "weights");
      held = pin(info[1], weights);
      if (state_->borrowStatic && !held->block && !weights.empty()) {
        throw BadInput("weights: a context with borrowStatic needs memory from mapFile or allocate");
      }
    }
    const GraphDescription description = parseDescription(Field(info[0], ""), weights);
    // A getter in the description could have detached or closed something; look again before memory is touched.
    if (held && bytesOf(info[1], "weights").data() != weights.data()) throw BadInput("weights: the buffer was detached");
    state_->idle();
    if (held) state_->pins.push_back(std::move(held));
    return graphObject(info.Env(), context.addGraph(description, options));
  });
}

Napi::Value ContextObject::graph(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::string name = Field(info[0], "graph name").text();
    if (Graph* graph = state_->open().find(name)) return graphObject(info.Env(), *graph);
    std::string names;
    for (const auto& graph : state_->core->graphs()) names += (names.empty() ? "'" : ", '") + graph->name() + "'";
    throw BadInput("the context has no graph '" + name + "'; it has " + (names.empty() ? "none" : names));
  });
}

Napi::Value ContextObject::graphNames(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto names = Napi::Array::New(info.Env());
    for (const auto& graph : state_->open().graphs()) names.Set(names.Length(), graph->name());
    return names;
  });
}

Napi::Value ContextObject::finalize(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->open();
    using Events = std::map<const Graph*, std::vector<ProfileNode>>;
    const auto level = parseProfileLevel(info[0]);
    const auto events = std::make_shared<Events>();
    return state_->queue->submit(std::make_unique<Task>(
        info.Env(), state_->queue, [context = state_->core, level, events] { *events = context->finalize(level); },
        [state = state_, events](Napi::Env env) -> Napi::Value {
          for (auto& [graph, nodes] : *events) state->profiles[graph].finalize = std::move(nodes);
          // A finalized graph has its own form of the constants, unless it was told to borrow them.
          if (!state->borrowStatic) state->pins.clear();
          return env.Undefined();
        }));
  });
}

Napi::Value ContextObject::save(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->open();
    const auto binary = std::make_shared<SavedContext>();
    return state_->queue->submit(std::make_unique<Task>(
        info.Env(), state_->queue, [context = state_->core, binary] { *binary = context->save(); },
        // The state is held because borrowed constants live as long as it does, and saving reads them.
        [state = state_, binary](Napi::Env env) -> Napi::Value {
          // The memory goes to JavaScript as it is: a copy would double a gigabyte.
          std::byte* data = binary->data.get();
          auto buffer = Napi::Buffer<std::byte>::New(env, data, binary->bytes, [](Napi::Env, std::byte* freed) { delete[] freed; });
          (void)binary->data.release();
          return buffer;
        }));
  });
}

Napi::Value ContextObject::close(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->close();
    return info.Env().Undefined();
  });
}

}  // namespace heddle
