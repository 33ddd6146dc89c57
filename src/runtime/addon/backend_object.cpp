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
  field.allowOnly({"borrowStatic", "weightSharing"});
  if (field["borrowStatic"].present()) options.borrowStatic = field["borrowStatic"].boolean();
  if (field["weightSharing"].present()) options.weightSharing = field["weightSharing"].boolean();
  return options;
}

}  // namespace

Napi::Function BackendObject::define(Napi::Env env) {
  return DefineClass(env, "Backend",
                     {InstanceMethod<&BackendObject::takeLog>("takeLog"),
                      InstanceMethod<&BackendObject::createContext>("createContext"),
                      InstanceMethod<&BackendObject::loadContext>("loadContext"),
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
    std::span<const std::byte> binary;
    std::shared_ptr<Pin> held;
    if (info[0].IsString()) {
      auto block = mapFile(Field(info[0], "loadContext").text());
      binary = {block->data(), block->bytes()};
      held = std::make_shared<Pin>(Pin{{}, std::move(block)});
    } else {
      binary = bytesOf(info[0], "loadContext");
      if (binary.empty()) throw BadInput("loadContext: the binary is empty");
      held = pin(info[0], binary);
      if (options.borrowStatic && !held->block) {
        throw BadInput("loadContext: borrowStatic needs a path, or memory from mapFile or allocate");
      }
    }
    auto context = std::make_shared<ContextState>();
    context->borrowStatic = options.borrowStatic;
    if (options.borrowStatic) context->pins.push_back(held);
    auto task = std::make_unique<Task>(
        info.Env(), nullptr,
        [context, options, binary, backend = state_->core] {
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

Napi::Value BackendObject::close(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_->close();
    return info.Env().Undefined();
  });
}

}  // namespace heddle
