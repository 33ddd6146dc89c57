#include "bytes.h"

#include "failure.h"
#include "field.h"
#include "mapping_object.h"

namespace heddle {

namespace {

/// Memory that can shrink while the backend reads it cannot be lent out.
void refuseResizable(const Napi::Object& buffer, const std::string& what) {
  for (const char* property : {"resizable", "growable"}) {
    const Napi::Value flag = buffer.Get(property);
    if (flag.IsBoolean() && flag.As<Napi::Boolean>()) throw BadInput(what + ": a resizable buffer cannot be used");
  }
}

}  // namespace

std::span<std::byte> bytesOf(const Napi::Value& value, const std::string& what) {
  if (value.IsTypedArray()) {
    const auto array = value.As<Napi::TypedArray>();
    void* data = nullptr;
    napi_value buffer = nullptr;
    std::size_t length = 0;
    if (napi_get_typedarray_info(value.Env(), value, nullptr, &length, &data, &buffer, nullptr) != napi_ok) {
      throw BadInput(what + ": the typed array cannot be read");
    }
    refuseResizable(Napi::Object(value.Env(), buffer), what);
    return {static_cast<std::byte*>(data), data ? length * array.ElementSize() : 0};
  }
  if (value.IsArrayBuffer()) {
    auto buffer = value.As<Napi::ArrayBuffer>();
    refuseResizable(buffer, what);
    return {static_cast<std::byte*>(buffer.Data()), buffer.ByteLength()};
  }
  if (MappingObject::is(value)) {
    const Block& block = *MappingObject::Unwrap(value.As<Napi::Object>())->open(what);
    return {block.data(), block.bytes()};
  }
  throw BadInput(what + ": expected an ArrayBuffer or a typed array, got " + describe(value));
}

std::shared_ptr<Pin> pin(const Napi::Value& value, std::span<const std::byte> bytes) {
  return std::make_shared<Pin>(Pin{Napi::Persistent(value.As<Napi::Object>()), findBlock(bytes.data(), bytes.size())});
}

Napi::ArrayBuffer toArrayBuffer(Napi::Env env, std::shared_ptr<Block> block) {
  void* data = block->data();
  const std::size_t bytes = block->bytes();
  // The finalizer owns this share of the block; it runs when the ArrayBuffer is collected or detached. Node runs it too where it refuses
  // to make one above its largest buffer, which node-addon-api does not know.
  auto share = std::make_unique<std::shared_ptr<Block>>(std::move(block));
  const auto end = [](napi_env, void*, void* owned) {
    const std::unique_ptr<std::shared_ptr<Block>> last(static_cast<std::shared_ptr<Block>*>(owned));
  };
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, data, bytes, end, share.release(), &buffer) != napi_ok) throw Napi::Error::New(env);
  return {env, buffer};
}

}  // namespace heddle
