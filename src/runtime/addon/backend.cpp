#include "backend.h"

#include "provider.h"

namespace heddle {

void ConfigList::add(std::uint32_t option, std::uint32_t value) {
  qnn::CustomConfig config;
  config.option = option;
  config.u32 = value;
  add(config);
}

void ConfigList::add(const qnn::CustomConfig& config) { custom_.push_back(config); }

const qnn::Config** ConfigList::get() {
  if (custom_.empty()) return nullptr;
  configs_.assign(custom_.size(), {});
  pointers_.clear();
  for (std::size_t i = 0; i < custom_.size(); ++i) {
    configs_[i].option = qnn::kConfigCustom;
    configs_[i].custom = &custom_[i];
    pointers_.push_back(&configs_[i]);
  }
  pointers_.push_back(nullptr);
  return pointers_.data();
}

Backend::Backend(const std::string& path, const BackendOptions& options)
    : library_(path), interface_(&chooseInterface(library_)) {
  if (!isReference() && (options.threads || options.simd)) {
    throw BadInput("threads and simd are options of Heddle's reference backend; " + path + " is " + provider());
  }
  if (!isHtp() && options.soc) throw BadInput("soc is an option of Qualcomm's HTP backend; " + path + " is " + provider());
  try {
    createHandles(options);
  } catch (...) {
    freeHandles();
    throw;
  }
}

Backend::~Backend() { freeHandles(); }

void Backend::createHandles(const BackendOptions& options) {
  // A backend without a log is still a backend.
  if (functions().logCreate && functions().logCreate(log_.callback(), options.logLevel, &logHandle_) != qnn::kSuccess) {
    logHandle_ = nullptr;
  }
  ConfigList configs;
  if (options.threads) configs.add(qnn::reference::THREADS, *options.threads);
  if (options.simd) configs.add(qnn::reference::SIMD, *options.simd);
  call("backendCreate", functions().backendCreate, {}, logHandle_, configs.get(), &handle_);
  createDevice(options);
}

void Backend::createDevice(const BackendOptions& options) {
  if (!functions().deviceCreate && !options.soc) return;
  ConfigList configs;
  if (options.soc) configs.add(qnn::htp::SOC, *options.soc);
  try {
    call("deviceCreate", functions().deviceCreate, {}, logHandle_, configs.get(), &device_);
  } catch (const QnnFailure& failure) {
    // Backends without devices, such as Qualcomm's CPU backend, say so and take a null device.
    if (failure.code != kNotSupported || options.soc) throw;
    device_ = nullptr;
  }
}

void Backend::freeHandles() {
  // Nothing sensible can be done about a failure to free, and destructors do not throw.
  if (device_ && functions().deviceFree) functions().deviceFree(device_);
  if (handle_ && functions().backendFree) functions().backendFree(handle_);
  if (logHandle_ && functions().logFree) functions().logFree(logHandle_);
  device_ = handle_ = logHandle_ = nullptr;
}

std::string Backend::buildId() const {
  const char* id = nullptr;
  if (!functions().backendGetBuildId || functions().backendGetBuildId(&id) != qnn::kSuccess || !id) return {};
  return id;
}

void Backend::fail(const char* name, qnn::Error error, const Where& where, std::uint64_t mark) const {
  QnnFailure failure(name, qnn::codeOf(error));
  failure.library = provider();
  failure.where = where;
  failure.log = log_.buffer().since(mark);
  const char* text = nullptr;
  if (functions().errorGetMessage && functions().errorGetMessage(error, &text) == qnn::kSuccess && text) {
    failure.detail = text;
  }
  throw failure;
}

}  // namespace heddle
