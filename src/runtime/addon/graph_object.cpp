#include "data_type.h"
#include "environment.h"
#include "js_error.h"
#include "objects.h"

namespace heddle {

namespace {

std::optional<std::size_t> indexOf(const std::vector<const OwnedTensor*>& tensors, const std::string& name) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i]->name() == name) return i;
  }
  return std::nullopt;
}

std::string listNames(const std::vector<const OwnedTensor*>& tensors) {
  std::string names;
  for (const OwnedTensor* tensor : tensors) names += (names.empty() ? "" : ", ") + tensor->name();
  return names.empty() ? "none" : names;
}

}  // namespace

Napi::Value toJs(Napi::Env env, const std::vector<const OwnedTensor*>& tensors) {
  auto list = Napi::Array::New(env, tensors.size());
  for (std::uint32_t i = 0; i < tensors.size(); ++i) {
    const OwnedTensor& tensor = *tensors[i];
    auto dims = Napi::Array::New(env, tensor.dims().size());
    for (std::uint32_t d = 0; d < tensor.dims().size(); ++d) dims.Set(d, tensor.dims()[d]);
    auto item = Napi::Object::New(env);
    item.Set("name", tensor.name());
    item.Set("dataType", std::string(findDataType(tensor.dataType())->name));
    item.Set("dims", dims);
    item.Set("bytes", static_cast<double>(tensor.bytes()));
    item.Set("state", tensor.type() == qnn::TensorType::APP_READWRITE);
    list.Set(i, item);
  }
  return list;
}

Napi::Value toJs(Napi::Env env, const std::vector<ProfileNode>& events) {
  static constexpr std::array kUnits = {"none", "us", "bytes", "cycles", "count"};
  auto list = Napi::Array::New(env, events.size());
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    const auto unit = static_cast<std::size_t>(events[i].unit);
    auto item = Napi::Object::New(env);
    item.Set("type", events[i].type);
    item.Set("unit", unit < kUnits.size() ? kUnits[unit] : "backend");
    item.Set("value", static_cast<double>(events[i].value));
    item.Set("identifier", events[i].identifier);
    item.Set("children", toJs(env, events[i].children));
    list.Set(i, item);
  }
  return list;
}

Napi::Function GraphObject::define(Napi::Env env) {
  return DefineClass(env, "Graph",
                     {InstanceMethod<&GraphObject::bind>("bind"), InstanceMethod<&GraphObject::unbind>("unbind"),
                      InstanceMethod<&GraphObject::execute>("execute"),
                      InstanceMethod<&GraphObject::executeSync>("executeSync"),
                      InstanceMethod<&GraphObject::profile>("profile")});
}

GraphObject::GraphObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<GraphObject>(info),
      state_(unwrapPending<GraphState>(info, "call context.addGraph() or context.graph()")),
      boundInputs_(state_.graph->inputs().size()),
      boundOutputs_(state_.graph->outputs().size()) {
  Napi::Object self = info.This().As<Napi::Object>();
  const auto readOnly = [&](const char* name, Napi::Value value) {
    self.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_enumerable));
  };
  readOnly("name", Napi::String::New(info.Env(), state_.graph->name()));
  readOnly("inputs", toJs(info.Env(), state_.graph->inputs()));
  readOnly("outputs", toJs(info.Env(), state_.graph->outputs()));
}

GraphObject::Operand GraphObject::operand(const Napi::Value& array, const OwnedTensor& tensor) const {
  const DataTypeInfo& info = *findDataType(tensor.dataType());
  const auto what = [&] { return "tensor '" + tensor.name() + "' of graph '" + state_.graph->name() + "'"; };
  const auto expected = [&] {
    return what() + ": expected " + std::string(info.arrayName) + " of " + std::to_string(tensor.elements()) +
           " elements (" + std::string(info.name) + "), got ";
  };
  if (!array.IsTypedArray()) throw BadInput(expected() + describe(array));
  const std::span<std::byte> bytes = bytesOf(array, what());
  const auto type = array.As<Napi::TypedArray>().TypedArrayType();
  // Raw bytes will do for any type, where a kernel could address them as that type.
  const bool raw = type == napi_uint8_array && reinterpret_cast<std::uintptr_t>(bytes.data()) % info.bytes == 0;
  if ((type != info.array && !raw) || bytes.size() != tensor.bytes()) {
    const auto count = bytes.size() / array.As<Napi::TypedArray>().ElementSize();
    throw BadInput(expected() + std::string(arrayName(type)) + " of " + std::to_string(count));
  }
  return {bytes.data(), pin(array, bytes)};
}

std::vector<GraphObject::Operand> GraphObject::collect(const Napi::Value& values,
                                                       const std::vector<const OwnedTensor*>& tensors,
                                                       const std::vector<Operand>& bound, const char* role) const {
  std::vector<Operand> operands(tensors.size());
  if (values.IsArray()) {
    const auto array = values.As<Napi::Array>();
    if (array.Length() != tensors.size()) {
      throw BadInput("graph '" + state_.graph->name() + "' has " + std::to_string(tensors.size()) + " " + role +
                     "s, got an array of " + std::to_string(array.Length()));
    }
    for (std::uint32_t i = 0; i < tensors.size(); ++i) {
      const Napi::Value value = array.Get(i);
      if (!value.IsUndefined()) operands[i] = operand(value, *tensors[i]);
    }
  } else if (values.IsObject() && !values.IsTypedArray()) {
    const auto record = values.As<Napi::Object>();
    const Napi::Array names = record.GetPropertyNames();
    for (std::uint32_t i = 0; i < names.Length(); ++i) {
      const std::string name = names.Get(i).ToString().Utf8Value();
      const auto index = indexOf(tensors, name);
      if (!index) {
        throw BadInput("graph '" + state_.graph->name() + "' has no " + role + " '" + name + "'; it has " + listNames(tensors));
      }
      operands[*index] = operand(record.Get(name), *tensors[*index]);
    }
  } else if (!values.IsUndefined()) {
    throw BadInput(std::string(role) + "s: expected an object or an array of typed arrays, got " + describe(values));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (operands[i].pin) continue;
    if (!bound[i].pin) {
      throw BadInput(std::string(role) + " '" + tensors[i]->name() + "' of graph '" + state_.graph->name() +
                     "' is missing: pass it to execute or bind it");
    }
    // Memory of our own stays whatever JavaScript does; other buffers may have been detached since they were bound.
    operands[i] = bound[i];
    if (!bound[i].pin->block && operand(bound[i].pin->object.Value(), *tensors[i]).data != bound[i].data) {
      throw BadInput(std::string(role) + " '" + tensors[i]->name() + "': the bound array has moved; bind it again");
    }
  }
  return operands;
}

GraphObject::Operands GraphObject::collect(const Napi::CallbackInfo& info) const {
  state_.context->open();
  const Graph& graph = *state_.graph;
  Operands operands{collect(info[0], graph.inputs(), boundInputs_, "input"),
                    collect(info[1], graph.outputs(), boundOutputs_, "output")};
  // Reading the arguments may have run JavaScript that closed the context.
  state_.context->open();
  return operands;
}

Napi::Value GraphObject::bind(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_.context->open();
    const std::string name = Field(info[0], "tensor name").text();
    const auto input = indexOf(state_.graph->inputs(), name), output = indexOf(state_.graph->outputs(), name);
    if (!input && !output) {
      throw BadInput("graph '" + state_.graph->name() + "' has no input or output '" + name + "'; inputs: " +
                     listNames(state_.graph->inputs()) + "; outputs: " + listNames(state_.graph->outputs()));
    }
    const Operand bound = operand(info[1], input ? *state_.graph->inputs()[*input] : *state_.graph->outputs()[*output]);
    if (input) boundInputs_[*input] = bound;
    if (output) boundOutputs_[*output] = bound;
    return info.Env().Undefined();
  });
}

Napi::Value GraphObject::unbind(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_.context->open();
    const std::string name = Field(info[0], "tensor name").text();
    if (const auto input = indexOf(state_.graph->inputs(), name)) boundInputs_[*input] = {};
    if (const auto output = indexOf(state_.graph->outputs(), name)) boundOutputs_[*output] = {};
    return info.Env().Undefined();
  });
}

namespace {

template <class Operands>
std::vector<void*> addresses(const Operands& operands) {
  std::vector<void*> result;
  result.reserve(operands.size());
  for (const auto& operand : operands) result.push_back(operand.data);
  return result;
}

}  // namespace

Napi::Value GraphObject::execute(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto level = parseProfileLevel(info[2]);
    const Operands operands = collect(info);
    const auto events = std::make_shared<std::vector<ProfileNode>>();
    auto task = std::make_unique<Task>(
        info.Env(), state_.context->queue,
        [graph = state_.graph, context = state_.context->core, level, events, inputs = addresses(operands.inputs),
         outputs = addresses(operands.outputs)] { *events = graph->run(inputs, outputs, level); },
        [state = state_, level, events](Napi::Env env) -> Napi::Value {
          if (level) state.context->profiles[state.graph].execute = std::move(*events);
          return env.Undefined();
        });
    for (const Operand& operand : operands.inputs) task->hold(operand.pin);
    for (const Operand& operand : operands.outputs) task->hold(operand.pin);
    return state_.context->queue->submit(std::move(task));
  });
}

Napi::Value GraphObject::executeSync(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto level = parseProfileLevel(info[2]);
    const Operands operands = collect(info);
    state_.context->idle();
    auto events = state_.graph->run(addresses(operands.inputs), addresses(operands.outputs), level);
    if (level) state_.context->profiles[state_.graph].execute = std::move(events);
    return info.Env().Undefined();
  });
}

Napi::Value GraphObject::profile(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    state_.context->open();
    const GraphProfile& profile = state_.context->profiles[state_.graph];
    auto result = Napi::Object::New(info.Env());
    result.Set("finalize", toJs(info.Env(), profile.finalize));
    result.Set("execute", toJs(info.Env(), profile.execute));
    return result;
  });
}

}  // namespace heddle
