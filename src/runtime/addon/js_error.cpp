#include "js_error.h"

#include <new>

#include "environment.h"

namespace heddle {

namespace {

void setText(Napi::Object object, const char* key, const std::string& text) {
  if (!text.empty()) object.Set(key, text);
}

}  // namespace

Napi::Value toJs(Napi::Env env, const QnnFailure& failure) {
  auto details = Napi::Object::New(env);
  details.Set("code", failure.code);
  setText(details, "call", failure.call);
  setText(details, "backend", failure.library);
  setText(details, "detail", failure.detail);
  setText(details, "graph", failure.where.graph);
  setText(details, "node", failure.where.node);
  setText(details, "op", failure.where.op);
  setText(details, "tensor", failure.where.tensor);
  setText(details, "location", failure.where.location);
  auto log = Napi::Array::New(env, failure.log.size());
  for (std::uint32_t i = 0; i < failure.log.size(); ++i) log.Set(i, failure.log[i]);
  details.Set("log", log);
  return Environment::of(env).qnnError.New({details});
}

Napi::Value toJsError(Napi::Env env, const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Napi::Error& error) {
    return error.Value();
  } catch (const QnnFailure& failure) {
    return toJs(env, failure);
  } catch (const LibraryError& error) {
    auto details = Napi::Object::New(env);
    details.Set("code", 0);
    details.Set("detail", error.what());
    details.Set("log", Napi::Array::New(env));
    return Environment::of(env).qnnError.New({details});
  } catch (const BadInput& error) {
    return Napi::TypeError::New(env, error.what()).Value();
  } catch (const std::bad_alloc&) {
    return Napi::RangeError::New(env, "out of memory").Value();
  } catch (const std::exception& error) {
    return Napi::Error::New(env, error.what()).Value();
  } catch (...) {
    return Napi::Error::New(env, "unknown native exception").Value();
  }
}

}  // namespace heddle
