// XRT, AMD's runtime for Ryzen AI NPUs, found at run time. Its interface is C++ (XRT has no C functions for hardware contexts,
// which NPUs need), so functions are looked up by the names that the Itanium C++ ABI gives them: on Linux, with libstdc++.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "shared_library.h"

namespace heddle::xrt {

/// 16 bytes, returned through memory: XRT's class has a copy constructor of its own, which the calling convention sees.
struct Uuid {
  Uuid() = default;
  Uuid(const Uuid& other) : bytes(other.bytes) {}
  std::array<std::uint8_t, 16> bytes{};
};

/// What of XRT is used, as plain functions that take the object first. Each may throw XRT's exceptions (std::exception).
struct Functions {
  void (*openDevice)(void* device, unsigned index);
  void (*openXclbin)(void* xclbin, const std::string& file);
  Uuid (*registerXclbin)(void* device, const void* xclbin);
  void (*openContext)(void* context, const void* device, const Uuid& xclbin, std::uint8_t access);
  void (*openKernel)(void* kernel, const void* context, const std::string& name);
  int (*groupId)(const void* kernel, int argument);
  void (*openBuffer)(void* buffer, const void* device, std::size_t bytes, std::uint32_t flags, std::uint32_t group);
  void* (*mapBuffer)(void* buffer);
  void (*syncBuffer)(void* buffer, int direction, std::size_t bytes, std::size_t offset);
  void (*openRun)(void* run, const void* kernel);
  void (*setValue)(void* run, int argument, const void* value, std::size_t bytes);
  void (*setBuffer)(void* run, int argument, const void* buffer);
  void (*start)(void* run);
  int (*wait)(const void* run, const std::chrono::milliseconds& timeout);

  using Destroy = void (*)(void*);
  Destroy closeDevice, closeXclbin, closeContext, closeKernel, closeBuffer, closeRun;
};

class Library {
 public:
  /// Throws LibraryError where the file is not a library, or is an XRT without a function that is needed.
  explicit Library(const std::string& path);

  const Functions& functions() const { return functions_; }

 private:
  template <class Function>
  void need(Function& function, const char* symbol, const char* meaning);

  SharedLibrary library_;
  Functions functions_{};
};

/// An object of XRT, whose classes all hold one shared pointer (older versions: and a table of virtual functions before it).
class Object {
 public:
  template <class Construct>
  Object(Functions::Destroy destroy, Construct&& construct) : destroy_(destroy) {
    // Where this throws there is nothing to destroy.
    std::forward<Construct>(construct)(static_cast<void*>(storage_.data()));
  }
  ~Object() { destroy_(storage_.data()); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  void* get() { return storage_.data(); }
  const void* get() const { return storage_.data(); }

 private:
  alignas(std::max_align_t) std::array<std::byte, 64> storage_{};
  Functions::Destroy destroy_;
};

}  // namespace heddle::xrt
