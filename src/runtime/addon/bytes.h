// Typed arrays and buffers that JavaScript passes in: where they are, and what keeps them there.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "memory.h"

namespace heddle {

/// Keeps the memory of a buffer alive: the JavaScript object, and the native block behind it if it came from `mapFile` or
/// `allocate` (then it survives even a detached ArrayBuffer). Must be destroyed on the JavaScript thread.
struct Pin {
  Napi::ObjectReference object;
  std::shared_ptr<Block> block;
};

/// The bytes of an ArrayBuffer, SharedArrayBuffer view, typed array or mapped file. Throws BadInput naming `what`.
std::span<std::byte> bytesOf(const Napi::Value& value, const std::string& what);

/// Pins what `bytesOf` saw.
std::shared_ptr<Pin> pin(const Napi::Value& value, std::span<const std::byte> bytes);

/// An ArrayBuffer over a block, which it shares.
Napi::ArrayBuffer toArrayBuffer(Napi::Env env, std::shared_ptr<Block> block);

}  // namespace heddle
