#include "binary_info.h"
#include "environment.h"
#include "js_error.h"
#include "objects.h"

namespace heddle {

namespace {

constexpr std::array kLevels = {"", "error", "warn", "info", "verbose", "debug"};

Napi::Value toJs(Napi::Env env, const qnn::Version& version) {
  return Napi::String::New(env, std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                                    std::to_string(version.patch));
}

ContextOptions parseContextOptions(const Napi::Value& value) {
  ContextOptions options;
  if (value.IsUndefined()) return options;
  const Field field(value, "context options");
  field.allowOnly({"borrowStatic", "weightSharing", "prepareOnly"});
  if (field["borrowStatic"].present()) options.borrowStatic = field["borrowStatic"].boolean();
  if (field["weightSharing"].present()) options.weightSharing = field["weightSharing"].boolean();
  if (field["prepareOnly"].present()) options.prepareOnly = field["prepareOnly"].boolean();
  return options;
}

/// A context binary as an argument: a file, which is mapped, or memory.
struct BinaryArgument {
  std::span<const std::byte> bytes;
  std::shared_ptr<Pin> held;
};

BinaryArgument parseBinary(const Napi::Value& value, const char* what) {
  if (value.IsString()) {
    auto block = mapFile(Field(value, what).text());
    const std::span<const std::byte> bytes{block->data(), block->bytes()};
    return {bytes, std::make_shared<Pin>(Pin{{}, std::move(block)})};
  }
  const std::span<const std::byte> bytes = bytesOf(value, what);
  if (bytes.empty()) throw BadInput(std::string(what) + ": the binary is empty");
  return {bytes, pin(value, bytes)};
}

}  // namespace

Napi::Function BackendObject::define(Napi::Env env) {
  return DefineClass(env, "Backend",
                     {InstanceMethod<&BackendObject::takeLog>("takeLog"),
                      InstanceMethod<&BackendObject::createContext>("createContext"),
                      InstanceMethod<&BackendObject::loadContext>("loadContext"),
                      InstanceMethod<&BackendObject::refusals>("refusals"),
                      InstanceMethod<&BackendObject::describeBinary>("describeBinary"),
                      InstanceMethod<&BackendObject::close>("close")});
}

BackendObject::BackendObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<BackendObject>(info),
      state_(unwrapPending<std::shared_ptr<BackendState>>(info, "call loadBackend(path)")) {
  const Napi::Env env = info.Env();
  const qnn::Interface& interface = state_->core->interface();
  Napi::Object self = info.This().As<Napi::Object>();
  const auto readOnly = [&](const char* name, Napi::Value value) {
    self.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_enumerable));
  };
  readOnly("id", Napi::Number::New(env, interface.backendId));
  readOnly("provider", Napi::String::New(env, interface.providerName ? interface.providerName : ""));
  readOnly("coreVersion", toJs(env, interface.version.core));
  readOnly("backendVersion", toJs(env, interface.version.backend));
  readOnly("buildId", Napi::String::New(env, state_->core->buildId()));
  readOnly("path", Napi::String::New(env, state_->core->library().path()));
}

Napi::Value BackendObject::takeLog(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::vector<LogLine> lines = state_->open().log().take();
    auto result = Napi::Array::New(info.Env(), lines.size());
    for (std::uint32_t i = 0; i < lines.size(); ++i) {
      auto line = Napi::Object::New(info.Env());
      const auto level = static_cast<std::size_t>(lines[i].level);
      line.Set("level", level < kLevels.size() ? kLevels[level] : "debug");
      line.Set("text", lines[i].text);
      result.Set(i, line);
    }
    return result;
  });
}

Napi::Value BackendObject::createContext(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->open();
    const ContextOptions options = parseContextOptions(info[0]);
    auto context = std::make_shared<ContextState>();
    context->core = std::make_shared<Context>(state_->core, options);
    context->borrowStatic = options.borrowStatic;
    state_->adopt(context);
    return wrap(info.Env(), &Environment::context, std::move(context));
  });
}

Napi::Value BackendObject::loadContext(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->open();
    const ContextOptions options = parseContextOptions(info[1]);
    auto [binary, held] = parseBinary(info[0], "loadContext");
    if (options.borrowStatic && !held->block) {
      throw BadInput("loadContext: borrowStatic needs a path, or memory from mapFile or allocate");
    }
    auto context = std::make_shared<ContextState>();
    context->borrowStatic = options.borrowStatic;
    if (options.borrowStatic) context->pins.push_back(held);
    auto task = std::make_unique<Task>(
        info.Env(), nullptr,
        [context, options, binary = binary, backend = state_->core] {
          context->core = std::make_shared<Context>(backend, options, binary);
        },
        [context, state = state_](Napi::Env env) -> Napi::Value {
          if (!state->core) {
            context->close();
            throw Misuse("the backend was closed while the context was loading");
          }
          state->adopt(context);
          return wrap(env, &Environment::context, context);
        });
    task->hold(std::move(held));
    return launch(std::move(task));
  });
}

Napi::Value BackendObject::refusals(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->open();
    std::span<const std::byte> weights;
    if (!info[1].IsUndefined()) weights = bytesOf(info[1], "weights");
    const GraphDescription description = parseDescription(Field(info[0], ""), weights);
    // A getter in the description could have detached or closed something; look again before memory is touched.
    if (!info[1].IsUndefined() && bytesOf(info[1], "weights").data() != weights.data()) {
      throw BadInput("weights: the buffer was detached");
    }
    const std::vector<QnnFailure> failures = Graph::refusals(state_->open(), description);
    auto list = Napi::Array::New(info.Env(), failures.size());
    for (std::uint32_t i = 0; i < failures.size(); ++i) list.Set(i, heddle::toJs(info.Env(), failures[i]));
    return list;
  });
}

Napi::Value BackendObject::describeBinary(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const BinaryArgument binary = parseBinary(info[0], "describeBinary");
    const BinaryContents contents = readBinaryInfo(state_->open(), binary.bytes);
    auto graphs = Napi::Array::New(env, contents.graphs.size());
    const auto tensors = [env](const std::deque<OwnedTensor>& owned) {
      std::vector<const OwnedTensor*> pointers;
      for (const OwnedTensor& tensor : owned) pointers.push_back(&tensor);
      return heddle::toJs(env, pointers);
    };
    for (std::uint32_t i = 0; i < contents.graphs.size(); ++i) {
      auto graph = Napi::Object::New(env);
      graph.Set("name", contents.graphs[i].name);
      graph.Set("inputs", tensors(contents.graphs[i].inputs));
      graph.Set("outputs", tensors(contents.graphs[i].outputs));
      graphs.Set(i, graph);
    }
    auto result = Napi::Object::New(env);
    result.Set("buildId", contents.buildId);
    result.Set("coreVersion", toJs(env, contents.coreVersion));
    result.Set("backendVersion", toJs(env, contents.backendVersion));
    result.Set("backendId", contents.backendId);
    if (!contents.socVersion.empty()) result.Set("socVersion", contents.socVersion);
    if (contents.socModel) result.Set("socModel", *contents.socModel);
    result.Set("graphs", graphs);
    return result;
  });
}

Napi::Value BackendObject::close(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->close();
    return info.Env().Undefined();
  });
}

}  // namespace heddle
