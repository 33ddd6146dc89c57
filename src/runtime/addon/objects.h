// The classes that JavaScript sees. addon.ts documents them for users.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "state.h"

namespace heddle {

class BackendObject : public Napi::ObjectWrap<BackendObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit BackendObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value takeLog(const Napi::CallbackInfo& info);
  Napi::Value createContext(const Napi::CallbackInfo& info);
  Napi::Value loadContext(const Napi::CallbackInfo& info);
  Napi::Value refusals(const Napi::CallbackInfo& info);
  Napi::Value describeBinary(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<BackendState> state_;
};

class ContextObject : public Napi::ObjectWrap<ContextObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ContextObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value addGraph(const Napi::CallbackInfo& info);
  Napi::Value graph(const Napi::CallbackInfo& info);
  Napi::Value graphNames(const Napi::CallbackInfo& info);
  Napi::Value finalize(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  Napi::Value graphObject(Napi::Env env, Graph& graph);

  std::shared_ptr<ContextState> state_;
};

/// What a Graph object is made from.
struct GraphState {
  std::shared_ptr<ContextState> context;
  Graph* graph;  ///< owned by the context; valid while the context is open
};

class GraphObject : public Napi::ObjectWrap<GraphObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit GraphObject(const Napi::CallbackInfo& info);

 private:
  /// Where a tensor's data is for one run, and what keeps it there.
  struct Operand {
    void* data = nullptr;
    std::shared_ptr<Pin> pin;
  };
  struct Operands {
    std::vector<Operand> inputs, outputs;
  };

  Napi::Value bind(const Napi::CallbackInfo& info);
  Napi::Value unbind(const Napi::CallbackInfo& info);
  Napi::Value execute(const Napi::CallbackInfo& info);
  Napi::Value executeSync(const Napi::CallbackInfo& info);
  Napi::Value profile(const Napi::CallbackInfo& info);

  Operand operand(const Napi::Value& array, const OwnedTensor& tensor) const;
  std::vector<Operand> collect(const Napi::Value& values, const std::vector<const OwnedTensor*>& tensors,
                               const std::vector<Operand>& bound, const char* role) const;
  Operands collect(const Napi::CallbackInfo& info) const;

  GraphState state_;
  std::vector<Operand> boundInputs_, boundOutputs_;
};

/// `{profile?: "basic" | "detailed"}`
std::optional<qnn::ProfileLevel> parseProfileLevel(const Napi::Value& options);
Napi::Value toJs(Napi::Env env, const std::vector<ProfileNode>& events);
Napi::Value toJs(Napi::Env env, const std::vector<const OwnedTensor*>& tensors);

}  // namespace heddle
