#include "mapping_object.h"

#include <string>

#include "bytes.h"
#include "environment.h"
#include "js_error.h"

namespace heddle {

namespace {

/// Random; tells these objects from all others.
constexpr napi_type_tag kTag = {0x6f1d3c52a8b94e07ULL, 0x9b2ce41f7d035a68ULL};

}  // namespace

Napi::Function MappingObject::define(Napi::Env env) {
  return DefineClass(env, "Mapping",
                     {InstanceMethod<&MappingObject::view>("view"), InstanceMethod<&MappingObject::close>("close")});
}

MappingObject::MappingObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<MappingObject>(info), block_(unwrapPending<std::shared_ptr<Block>>(info, "call mapFile(path)")) {
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

bool MappingObject::is(const Napi::Value& value) {
  return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kTag);
}

const std::shared_ptr<Block>& MappingObject::open(const std::string& what) const {
  if (!block_) throw BadInput(what + ": the mapped file is closed");
  return block_;
}

Napi::Value MappingObject::view(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return toArrayBuffer(info.Env(), open("view")); });
}

Napi::Value MappingObject::close(const Napi::CallbackInfo& info) {
  block_.reset();
  return info.Env().Undefined();
}

}  // namespace heddle
