// Backend and device: threads, instruction set, op validation.
#include "../ops/op.h"
#include "api.h"
#include "config.h"
#include "node.h"

namespace heddle {
namespace {

constexpr std::uint32_t kMostThreads = 1024;

struct BackendSettings {
  unsigned threads = 0;
  const Kernels* kernels = &bestKernels();

  bool take(std::uint32_t option, std::uint32_t value) {
    if (option == qnn::reference::THREADS) {
      threads = value;
      return value <= kMostThreads;
    }
    if (option != qnn::reference::SIMD) return false;
    switch (static_cast<qnn::reference::Simd>(value)) {
      case qnn::reference::Simd::AUTO: kernels = &bestKernels(); break;
      case qnn::reference::Simd::SCALAR: kernels = kernelsOf(Isa::PORTABLE); break;
      case qnn::reference::Simd::AVX2: kernels = kernelsOf(Isa::AVX2); break;
      case qnn::reference::Simd::AVX512: kernels = kernelsOf(Isa::AVX512); break;
      case qnn::reference::Simd::NEON: kernels = kernelsOf(Isa::NEON); break;
      default: return false;
    }
    return kernels != nullptr;
  }
};

/// The backend has one device, the CPU; its handle carries nothing.
struct Device {};

}  // namespace

namespace api {

Error propertyHasCapability(std::uint32_t) { return code::NOT_SUPPORTED; }

Error backendCreate(LogHandle logHandle, const Config** configs, BackendHandle* handle) {
  if (handle == nullptr) return code::BACKEND_INVALID_ARGUMENT;
  const auto log = handles<Log>().find(logHandle);
  if (logHandle != nullptr && log == nullptr) return code::LOG_INVALID_HANDLE;
  return guarded(log.get(), [&] {
    BackendSettings settings;
    readConfigs(configs, "backend", code::BACKEND_INVALID_CONFIG,
                [&](std::uint32_t option, std::uint32_t value) { return settings.take(option, value); });
    auto backend = std::make_shared<Backend>(log, *settings.kernels, settings.threads);
    if (log != nullptr) {
      log->write(LogLevel::INFO, std::string("reference backend: ") + backend->kernels.name + " kernels, " +
                                     std::to_string(backend->pool.threads()) + " threads");
    }
    *handle = handles<Backend>().add(std::move(backend));
  });
}

Error backendGetApiVersion(ApiVersion* version) {
  if (version == nullptr) return code::BACKEND_INVALID_ARGUMENT;
  *version = {kCoreVersion, kBackendVersion};
  return kSuccess;
}

Error backendGetBuildId(const char** id) {
  if (id == nullptr) return code::BACKEND_INVALID_ARGUMENT;
  *id = kBuildId;
  return kSuccess;
}

Error backendValidateOpConfig(BackendHandle handle, OpConfig config) {
  const auto backend = handles<Backend>().find(handle);
  if (backend == nullptr) return code::BACKEND_INVALID_HANDLE;
  return guarded(backend->log.get(), [&] {
    std::deque<TensorInfo> tensors;  // stands in for a graph: operands come with their whole description
    const Node node = nodeFrom(config, code::OP_VALIDATION, [&](const Tensor& t) {
      for (const TensorInfo& known : tensors) {
        if (t.v1.name != nullptr && known.name == t.v1.name) return static_cast<const TensorInfo*>(&known);
      }
      return static_cast<const TensorInfo*>(&tensors.emplace_back(TensorInfo::from(t, code::OP_VALIDATION)));
    });
    validateNode(node, code::OP_VALIDATION);
  });
}

Error backendFree(BackendHandle handle) {
  return handles<Backend>().take(handle) == nullptr ? code::BACKEND_INVALID_HANDLE : kSuccess;
}

Error deviceCreate(LogHandle logHandle, const Config** configs, DeviceHandle* handle) {
  if (handle == nullptr) return code::INVALID_ARGUMENT;
  const auto log = handles<Log>().find(logHandle);
  return guarded(log.get(), [&] {
    readConfigs(configs, "device", code::INVALID_ARGUMENT, [](std::uint32_t, std::uint32_t) { return false; });
    *handle = handles<Device>().add(std::make_shared<Device>());
  });
}

Error deviceFree(DeviceHandle handle) {
  return handles<Device>().take(handle) == nullptr ? code::DEVICE_INVALID_HANDLE : kSuccess;
}

}  // namespace api
}  // namespace heddle
