// What the addon keeps per JavaScript environment (the main thread or a worker).
#pragma once

#include <napi.h>

#include <any>
#include <string>
#include <utility>

namespace heddle {

struct Environment {
  Napi::FunctionReference qnnError;  ///< class QnnError of addon.ts
  Napi::FunctionReference backend, context, graph, mapping, xrtKernel;
  /// Hands C++ state to the constructor of a class below; empty when JavaScript calls `new` itself.
  std::any pending;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

/// Creates an object of an addon class around `state`.
template <class State>
Napi::Object wrap(Napi::Env env, Napi::FunctionReference Environment::*type, State state) {
  Environment& environment = Environment::of(env);
  environment.pending = std::move(state);
  return (environment.*type).New({});
}

/// The state given to `wrap`. Throws TypeError when there is none.
template <class State>
State unwrapPending(const Napi::CallbackInfo& info, const char* how) {
  std::any pending = std::exchange(Environment::of(info.Env()).pending, {});
  State* state = std::any_cast<State>(&pending);
  if (!state) throw Napi::TypeError::New(info.Env(), std::string("this class has no public constructor; ") + how);
  return std::move(*state);
}

}  // namespace heddle
