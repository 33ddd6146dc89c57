// What an op of the backend is: its signature, its validation, and how it becomes something that runs.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../core/thread_pool.h"
#include "../graph/tensor.h"
#include "../kernels/kernels.h"

namespace heddle {

/// A parameter of a node. Tensor parameters own their (small) data.
struct ParamValue {
  std::string name;
  bool isTensor = false;
  qnn::Scalar scalar;
  TensorInfo tensor;
  std::vector<std::byte> data;
};

struct Node {
  std::string name, package, type;
  std::vector<ParamValue> params;
  std::vector<const TensorInfo*> inputs, outputs;

  bool hasInput(std::size_t i) const { return i < inputs.size() && inputs[i]->type != qnn::TensorType::NULL_TENSOR; }
  const TensorInfo& input(std::size_t i) const { return *inputs[i]; }
  const TensorInfo& output(std::size_t i = 0) const { return *outputs[i]; }

  const ParamValue* find(std::string_view param) const;
  /// A scalar parameter's value, or `fallback` when it is not given. Validation has checked its type.
  template <class T>
  T scalar(std::string_view param, T fallback) const {
    const ParamValue* p = find(param);
    if (p == nullptr) return fallback;
    T value;
    std::memcpy(&value, &p->scalar.u64, sizeof(T));
    return value;
  }
  bool flag(std::string_view param) const { return scalar<std::uint8_t>(param, 0) != 0; }
  /// A tensor parameter's elements; empty when it is not given.
  template <class T>
  std::vector<T> list(std::string_view param) const {
    const ParamValue* p = find(param);
    if (p == nullptr) return {};
    std::vector<T> values(p->data.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), p->data.data(), values.size() * sizeof(T));
    return values;
  }
};

/// Index of a tensor in the pointer table of an execution.
using Slot = std::uint32_t;

/// What a planned node needs at run time.
struct Execution {
  std::byte* const* data;  ///< by slot
  std::byte* workspace;    ///< of the node
  ThreadPool& pool;
  const Kernels& kernels;

  template <class T = float>
  T* at(Slot slot) const {
    return reinterpret_cast<T*>(data[slot]);
  }
  template <class T = float>
  T* scratch(std::size_t offset) const {
    return reinterpret_cast<T*>(workspace + offset);
  }
};

/// A planned node. May throw Failure for bad input data; empty when there is nothing to do.
using Executable = std::function<void(const Execution&)>;

/// What planning may ask of the graph.
class Planner {
 public:
  virtual ~Planner() = default;
  virtual const Kernels& kernels() const = 0;
  virtual std::size_t threads() const = 0;
  virtual Slot slot(const TensorInfo&) const = 0;
  /// Reserves workspace for the current node; returns its offset.
  virtual std::size_t workspace(std::size_t bytes) = 0;
  /// Makes `output` a view of `input`. False when that is not possible: then the op must copy.
  virtual bool alias(const TensorInfo& output, const TensorInfo& input, std::size_t byteOffset) = 0;
  /// Keeps a converted constant alive with the graph.
  virtual float* keep(std::vector<float> values) = 0;
};

struct ParamSpec {
  const char* name;
  qnn::DataType dataType;
  bool isTensor = false;
  bool required = false;
};

struct OpDefinition {
  const char* package;
  const char* type;
  std::size_t minInputs, maxInputs, minOutputs, maxOutputs;
  std::span<const ParamSpec> params;
  void (*validate)(const class Check&);
  Executable (*plan)(const Node&, Planner&);
};

/// Null when there is no such op.
const OpDefinition* findOp(std::string_view package, std::string_view type);
std::span<const OpDefinition* const> allOps();
constexpr const char* kStandardPackage = "qti.aisw";

/// Checks a node against the signature and rules of its op. Throws Failure(code).
void validateNode(const Node&, qnn::Error code);

/// A float operand that may be constant, of half precision when constant, or absent.
struct FloatOperand {
  const float* constant = nullptr;
  Slot slot = 0;
  bool present = false;

  const float* get(const Execution& e) const {
    return !present ? nullptr : constant != nullptr ? constant : e.at(slot);
  }
};
FloatOperand floatOperand(const Node&, std::size_t input, Planner&);

}  // namespace heddle
