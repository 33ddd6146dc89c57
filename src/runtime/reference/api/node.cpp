#include "node.h"

#include "../core/failure.h"

namespace heddle {
namespace {

constexpr std::uint32_t kMostOperands = 1U << 16;

std::string text(const char* s) { return s == nullptr ? "" : s; }

ParamValue paramFrom(const qnn::Param& p, qnn::Error code, const std::string& node) {
  ParamValue r;
  r.name = text(p.name);
  r.isTensor = p.kind == qnn::ParamKind::TENSOR;
  if (p.kind == qnn::ParamKind::SCALAR) {
    r.scalar = p.scalar;
    return r;
  }
  if (!r.isTensor)
    throw Failure(code, "node '" + node + "': parameter '" + r.name + "' is neither a scalar nor a tensor");
  r.tensor = TensorInfo::from(p.tensor, code);
  if (r.tensor.data != nullptr) r.data.assign(r.tensor.data, r.tensor.data + r.tensor.bytes());
  r.tensor.data = nullptr;
  return r;
}

}  // namespace

Node nodeFrom(const qnn::OpConfig& config, qnn::Error code, const Resolve& resolve) {
  Node node;
  node.name = text(config.name);
  node.package = text(config.package);
  node.type = text(config.type);
  const auto refuse = [&](const std::string& why) {
    return Failure(code, "node '" + node.name + "' (" + node.type + "): " + why);
  };
  if (config.version != 1) throw refuse("op configuration version " + std::to_string(config.version) + ", expected 1");
  if (config.paramCount > kMostOperands || config.inputCount > kMostOperands || config.outputCount > kMostOperands) {
    throw refuse("more than " + std::to_string(kMostOperands) + " operands");
  }
  if ((config.paramCount != 0 && config.params == nullptr) || (config.inputCount != 0 && config.inputs == nullptr) ||
      (config.outputCount != 0 && config.outputs == nullptr)) {
    throw refuse("an operand list is null");
  }
  for (std::uint32_t i = 0; i < config.paramCount; ++i)
    node.params.push_back(paramFrom(config.params[i], code, node.name));
  const auto operand = [&](const qnn::Tensor& t) {
    return t.v1.type == qnn::TensorType::NULL_TENSOR ? &absentTensor() : resolve(t);
  };
  for (std::uint32_t i = 0; i < config.inputCount; ++i) node.inputs.push_back(operand(config.inputs[i]));
  for (std::uint32_t i = 0; i < config.outputCount; ++i) node.outputs.push_back(operand(config.outputs[i]));
  return node;
}

}  // namespace heddle
