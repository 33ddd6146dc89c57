// The boundary between C++ and JavaScript exceptions.
#pragma once

#include <napi.h>

#include <exception>
#include <utility>

#include "failure.h"

namespace heddle {

/// A QnnError object.
Napi::Value toJs(Napi::Env env, const QnnFailure& failure);

/// The JavaScript exception for a C++ one: QnnError, TypeError, RangeError or Error.
Napi::Value toJsError(Napi::Env env, const std::exception_ptr& exception);

/// Runs `body`; whatever it throws leaves as a JavaScript exception.
template <class Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw Napi::Error(env, toJsError(env, std::current_exception()));
  }
}

}  // namespace heddle
