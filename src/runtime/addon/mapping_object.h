// A mapped file as JavaScript sees it. addon.ts documents it for users.
#pragma once

#include <napi.h>

#include <memory>

#include "memory.h"

namespace heddle {

/// Holds a file of any size; JavaScript's own buffers end at some gigabytes.
class MappingObject : public Napi::ObjectWrap<MappingObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit MappingObject(const Napi::CallbackInfo& info);

  /// Whether a value is such an object, whatever its prototype says.
  static bool is(const Napi::Value& value);

  /// Throws BadInput naming `what` once the file is closed.
  const std::shared_ptr<Block>& open(const std::string& what) const;

 private:
  Napi::Value view(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<Block> block_;  ///< null once closed
};

}  // namespace heddle
