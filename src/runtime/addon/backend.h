// A loaded backend library with its log, backend and device handles.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "../qnn/qnn_api.h"
#include "failure.h"
#include "log.h"
#include "shared_library.h"

namespace heddle {

class Context;

struct BackendOptions {
  qnn::LogLevel logLevel = qnn::LogLevel::WARN;
  std::optional<std::uint32_t> threads;  ///< reference backend
  std::optional<std::uint32_t> simd;     ///< reference backend
  std::optional<std::uint32_t> soc;      ///< HTP: the SoC to compile for and to simulate
};

class Backend {
 public:
  /// Loads the library and creates its handles. Throws LibraryError or QnnFailure; nothing stays open after a throw.
  Backend(const std::string& path, const BackendOptions& options);
  /// Frees device, backend and log handle, in this order, then lets go of the library. All contexts are gone by then,
  /// because each of them owns a share of its backend.
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  const qnn::Interface& interface() const { return *interface_; }
  const qnn::Functions& functions() const { return interface_->functions; }
  qnn::BackendHandle handle() const { return handle_; }
  qnn::DeviceHandle device() const { return device_; }
  const SharedLibrary& library() const { return library_; }
  /// The library's name for itself, or its path.
  std::string provider() const { return interface_->providerName ? interface_->providerName : library_.path(); }
  LogBuffer& log() { return log_.buffer(); }
  bool isReference() const { return interface_->backendId == qnn::reference::kBackendId; }
  bool isHtp() const { return interface_->backendId == qnn::htp::kBackendId; }
  /// Held while a context is created, because loading one happens on another thread.
  std::mutex& creation() { return creation_; }

  /// The library's build id, or an empty string.
  std::string buildId() const;

  /// Calls an entry of the function table; throws QnnFailure with the lines logged meanwhile if it is absent or fails.
  template <class Function, class... Arguments>
  void call(const char* name, Function function, const Where& where, Arguments... arguments) const {
    const std::uint64_t mark = log_.buffer().mark();
    if (!function) fail(name, kNotSupported, where, mark);
    if (const qnn::Error error = function(arguments...); error != qnn::kSuccess) fail(name, error, where, mark);
  }

 private:
  static constexpr qnn::Error kNotSupported = 1000;

  [[noreturn]] void fail(const char* name, qnn::Error error, const Where& where, std::uint64_t mark) const;
  void createHandles(const BackendOptions& options);
  void createDevice(const BackendOptions& options);
  void freeHandles();

  SharedLibrary library_;
  LogSink log_;
  const qnn::Interface* interface_;
  qnn::LogHandle logHandle_ = nullptr;
  qnn::BackendHandle handle_ = nullptr;
  qnn::DeviceHandle device_ = nullptr;
  std::mutex creation_;
};

/// A null-terminated list of backend-specific configurations, in the form the QNN calls take.
class ConfigList {
 public:
  void add(std::uint32_t option, std::uint32_t value);
  void add(const qnn::CustomConfig& config);
  /// Null when nothing was added.
  const qnn::Config** get();

 private:
  std::vector<qnn::CustomConfig> custom_;
  std::vector<qnn::Config> configs_;
  std::vector<const qnn::Config*> pointers_;
};

}  // namespace heddle
