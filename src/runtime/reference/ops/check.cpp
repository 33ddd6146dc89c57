#include "check.h"

#include <algorithm>

#include "../core/failure.h"

namespace heddle {

void Check::refuse(const std::string& why) const {
  throw Failure(code_, "node '" + node_.name + "' (" + node_.type + "): " + why);
}

void Check::refuse(const TensorInfo& operand, const std::string& why) const {
  std::string role = "tensor";
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    if (node_.inputs[i] == &operand) role = "input " + std::to_string(i);
  }
  for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
    if (node_.outputs[i] == &operand) role = "output " + std::to_string(i);
  }
  refuse(role + " " + operand.describe() + ": " + why);
}

void Check::type(const TensorInfo& operand, std::initializer_list<qnn::DataType> allowed) const {
  std::string names;
  for (const qnn::DataType t : allowed) {
    if (operand.dataType == t) return;
    names += (names.empty() ? "" : " or ") + std::string(nameOf(t));
  }
  refuse(operand, "expected " + names + ", got " + nameOf(operand.dataType));
}

void Check::rank(const TensorInfo& operand, std::size_t expected) const {
  if (operand.rank() != expected) {
    refuse(operand, "expected rank " + std::to_string(expected) + ", got " + std::to_string(operand.rank()));
  }
}

void Check::minimumRank(const TensorInfo& operand, std::size_t least) const {
  if (operand.rank() < least) {
    refuse(operand, "expected rank " + std::to_string(least) + " or more, got " + std::to_string(operand.rank()));
  }
}

void Check::dims(const TensorInfo& operand, const Dims& expected) const {
  if (operand.dims != expected) refuse(operand, "expected shape " + describeDims(expected));
}

void Check::broadcast(const TensorInfo& output, std::initializer_list<const TensorInfo*> inputs) const {
  std::size_t rank = 0;
  for (const TensorInfo* t : inputs) rank = std::max(rank, t->rank());
  Dims expected(rank, 1);
  for (const TensorInfo* t : inputs) {
    for (std::size_t i = 0; i < t->rank(); ++i) {
      std::uint32_t& have = expected[rank - t->rank() + i];
      if (have == 1) have = t->dims[i];
      if (t->dims[i] != 1 && t->dims[i] != have) refuse(*t, "does not broadcast with shape " + describeDims(expected));
    }
  }
  dims(output, expected);
}

Dims Check::axes(const char* param, std::size_t rank) const {
  const Dims values = node_.list<std::uint32_t>(param);
  std::vector<bool> seen(rank, false);
  for (const std::uint32_t axis : values) {
    if (axis >= rank || seen[axis]) {
      refuse("parameter '" + std::string(param) + "': " + describeDims(values) + " must be distinct axes below rank " +
             std::to_string(rank));
    }
    seen[axis] = true;
  }
  return values;
}

namespace {

std::string between(std::size_t least, std::size_t most) {
  return least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
}

void checkParams(const Check& c, const OpDefinition& op) {
  for (const ParamValue& p : c.node().params) {
    const auto spec = std::ranges::find_if(op.params, [&](const ParamSpec& s) { return p.name == s.name; });
    if (spec == op.params.end()) c.refuse("has no parameter '" + p.name + "'");
    if (spec->isTensor != p.isTensor) {
      c.refuse("parameter '" + p.name + "': expected a " + (spec->isTensor ? "tensor" : "scalar") + ", got a " +
               (p.isTensor ? "tensor" : "scalar"));
    }
    const qnn::DataType got = p.isTensor ? p.tensor.dataType : p.scalar.dataType;
    if (got != spec->dataType) {
      c.refuse("parameter '" + p.name + "': expected " + nameOf(spec->dataType) + ", got " + nameOf(got));
    }
    if (p.isTensor && p.data.size() != p.tensor.bytes()) c.refuse("parameter '" + p.name + "': its tensor has no data");
    if (std::ranges::count_if(c.node().params, [&](const ParamValue& q) { return q.name == p.name; }) != 1) {
      c.refuse("parameter '" + p.name + "' is given twice");
    }
  }
  for (const ParamSpec& spec : op.params) {
    if (spec.required && c.node().find(spec.name) == nullptr)
      c.refuse("lacks its parameter '" + std::string(spec.name) + "'");
  }
}

}  // namespace

void validateNode(const Node& node, qnn::Error code) {
  const Check c(node, code);
  const OpDefinition* op = findOp(node.package, node.type);
  if (op == nullptr) {
    const bool known = node.package == kStandardPackage || node.package == qnn::reference::kPackage;
    c.refuse(known ? "package '" + node.package + "' of this backend has no op of this type"
                   : "this backend has no op package '" + node.package + "', only '" + kStandardPackage + "' and '" +
                         qnn::reference::kPackage + "'");
  }
  checkParams(c, *op);
  if (node.inputs.size() < op->minInputs || node.inputs.size() > op->maxInputs) {
    c.refuse("expected " + between(op->minInputs, op->maxInputs) + " inputs, got " +
             std::to_string(node.inputs.size()));
  }
  for (std::size_t i = 0; i < op->minInputs; ++i) {
    if (!node.hasInput(i)) c.refuse("input " + std::to_string(i) + " is mandatory, got a NULL tensor");
  }
  if (node.outputs.size() < op->minOutputs || node.outputs.size() > op->maxOutputs) {
    c.refuse("expected " + between(op->minOutputs, op->maxOutputs) + " outputs, got " +
             std::to_string(node.outputs.size()));
  }
  op->validate(c);
}

const ParamValue* Node::find(std::string_view param) const {
  for (const ParamValue& p : params) {
    if (p.name == param) return &p;
  }
  return nullptr;
}

FloatOperand floatOperand(const Node& node, std::size_t input, Planner& planner) {
  FloatOperand r;
  if (!node.hasInput(input)) return r;
  const TensorInfo& t = node.input(input);
  r.present = true;
  r.slot = planner.slot(t);
  if (t.isStatic() && t.dataType == qnn::DataType::FLOAT_16) {
    std::vector<float> values(t.count());
    planner.kernels().halfToFloat(reinterpret_cast<const Half*>(t.data), values.data(), values.size());
    r.constant = planner.keep(std::move(values));
  }
  return r;
}

}  // namespace heddle
