// The addon's module: loadBackend, mapFile, allocate, openXrtKernel. addon.ts and xrt.ts are its documented face.
#include <napi.h>

#include "bandwidth.h"
#include "clean_stdout.h"
#include "environment.h"
#include "js_error.h"
#include "mapping_object.h"
#include "objects.h"
#include "xrt_object.h"

namespace heddle {

namespace {

template <class Value, std::size_t Count>
Value parseChoice(const Field& field, const std::pair<const char*, Value> (&choices)[Count]) {
  const std::string text = field.text();
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  field.refuse("one of " + names);
}

BackendOptions parseBackendOptions(const Napi::Value& value) {
  static constexpr std::pair<const char*, qnn::LogLevel> kLevels[] = {{"error", qnn::LogLevel::ERROR_LEVEL},
                                                                      {"warn", qnn::LogLevel::WARN},
                                                                      {"info", qnn::LogLevel::INFO},
                                                                      {"verbose", qnn::LogLevel::VERBOSE},
                                                                      {"debug", qnn::LogLevel::DEBUG_LEVEL}};
  using qnn::reference::Simd;
  static constexpr std::pair<const char*, Simd> kSimd[] = {
      {"auto", Simd::AUTO}, {"scalar", Simd::SCALAR}, {"avx2", Simd::AVX2}, {"avx512", Simd::AVX512}, {"neon", Simd::NEON}};
  BackendOptions options;
  if (value.IsUndefined()) return options;
  const Field field(value, "backend options");
  field.allowOnly({"logLevel", "threads", "simd", "soc"});
  if (field["logLevel"].present()) options.logLevel = parseChoice(field["logLevel"], kLevels);
  if (field["threads"].present()) options.threads = static_cast<std::uint32_t>(field["threads"].integer(0, 1024));
  if (field["simd"].present()) options.simd = static_cast<std::uint32_t>(parseChoice(field["simd"], kSimd));
  if (field["soc"].present()) options.soc = field["soc"].u32();
  return options;
}

Napi::Value loadBackend(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::string path = Field(info[0], "library path").nonEmptyText();
    auto state = std::make_shared<BackendState>();
    const BackendOptions options = parseBackendOptions(info[1]);
    {
      const CleanStdout divert;
      state->core = std::make_shared<Backend>(path, options);
    }
    return wrap(info.Env(), &Environment::backend, std::move(state));
  });
}

Napi::Value mapFileToObject(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return wrap(info.Env(), &Environment::mapping, mapFile(Field(info[0], "file name").nonEmptyText()));
  });
}

Napi::Value allocateBuffer(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    const auto bytes = Field(info[0], "bytes").integer(0, kMost);
    return toArrayBuffer(info.Env(), allocate(static_cast<std::size_t>(bytes)));
  });
}

Napi::Value detach(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsArrayBuffer()) throw BadInput("expected an ArrayBuffer, got " + describe(info[0]));
    auto buffer = info[0].As<Napi::ArrayBuffer>();
    if (!buffer.IsDetached()) buffer.Detach();
    return info.Env().Undefined();
  });
}

Napi::Value setErrorClass(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Napi::TypeError::New(info.Env(), "expected the class QnnError");
  Environment::of(info.Env()).qnnError = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

}  // namespace

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  SharedLibrary::pinSelf();
  auto environment = std::make_unique<Environment>();
  environment->backend = Napi::Persistent(BackendObject::define(env));
  environment->context = Napi::Persistent(ContextObject::define(env));
  environment->graph = Napi::Persistent(GraphObject::define(env));
  environment->mapping = Napi::Persistent(MappingObject::define(env));
  environment->xrtKernel = Napi::Persistent(XrtKernelObject::define(env));
  // Node deletes the instance data when the environment ends.
  env.SetInstanceData(environment.release());
  exports.Set("loadBackend", Napi::Function::New<loadBackend>(env, "loadBackend"));
  exports.Set("mapFile", Napi::Function::New<mapFileToObject>(env, "mapFile"));
  exports.Set("allocate", Napi::Function::New<allocateBuffer>(env, "allocate"));
  exports.Set("readBandwidth", Napi::Function::New<readBandwidth>(env, "readBandwidth"));
  exports.Set("detach", Napi::Function::New<detach>(env, "detach"));
  exports.Set("openXrtKernel", Napi::Function::New<openXrtKernel>(env, "openXrtKernel"));
  exports.Set("setErrorClass", Napi::Function::New<setErrorClass>(env, "setErrorClass"));
  return exports;
}

}  // namespace heddle

static Napi::Object initializeAddon(Napi::Env env, Napi::Object exports) { return heddle::initialize(env, exports); }

NODE_API_MODULE(heddle, initializeAddon)
