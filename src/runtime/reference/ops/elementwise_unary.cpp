// Functions of one float tensor.
#include <cmath>

#include "check.h"
#include "ops.h"

namespace heddle {
namespace {

constexpr std::size_t kElementsPerTask = 16384;

void validate(const Check& c) {
  c.type(c.input(0), {qnn::DataType::FLOAT_32});
  c.type(c.output(), {qnn::DataType::FLOAT_32});
  c.dims(c.output(), c.input(0).dims);
}

template <class F>
Executable pieces(const Node& node, Planner& planner, F kernelOf) {
  return [kernelOf, count = node.output().count(), x = planner.slot(node.input(0)),
          y = planner.slot(node.output())](const Execution& e) {
    const auto kernel = kernelOf(e.kernels);
    e.pool.forEach((count + kElementsPerTask - 1) / kElementsPerTask, [&](std::size_t task, std::size_t) {
      const std::size_t first = task * kElementsPerTask;
      kernel(e.at(x) + first, e.at(y) + first, std::min(kElementsPerTask, count - first));
    });
  };
}

template <Unary U>
Executable plan(const Node& node, Planner& planner) {
  return pieces(node, planner, [](const Kernels& k) { return k.unary[static_cast<int>(U)]; });
}

/// Functions rare enough to be left to the C library.
template <float (*F)(float)>
Executable planScalar(const Node& node, Planner& planner) {
  return pieces(node, planner, [](const Kernels&) {
    return [](const float* x, float* y, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) y[i] = F(x[i]);
    };
  });
}

float cosine(float x) { return std::cos(x); }
float sine(float x) { return std::sin(x); }
float logarithm(float x) { return std::log(x); }

constexpr OpDefinition define(const char* type, Executable (*plan)(const Node&, Planner&),
                              const char* package = kStandardPackage) {
  return {package, type, 1, 1, 1, 1, {}, validate, plan};
}

}  // namespace

constexpr OpDefinition kElementWiseAbs = define("ElementWiseAbs", plan<Unary::ABS>);
constexpr OpDefinition kElementWiseCos = define("ElementWiseCos", planScalar<cosine>);
constexpr OpDefinition kElementWiseExp = define("ElementWiseExp", plan<Unary::EXP>);
constexpr OpDefinition kElementWiseLog = define("ElementWiseLog", planScalar<logarithm>);
constexpr OpDefinition kElementWiseNeg = define("ElementWiseNeg", plan<Unary::NEG>);
constexpr OpDefinition kElementWiseRsqrt = define("ElementWiseRsqrt", plan<Unary::RSQRT>);
constexpr OpDefinition kElementWiseSin = define("ElementWiseSin", planScalar<sine>);
constexpr OpDefinition kElementWiseSquareRoot = define("ElementWiseSquareRoot", plan<Unary::SQRT>);
constexpr OpDefinition kGelu = define("Gelu", plan<Unary::GELU_ERF>);
constexpr OpDefinition kGeluTanh = define("GeluTanh", plan<Unary::GELU_TANH>, qnn::reference::kPackage);
constexpr OpDefinition kSigmoid = define("Sigmoid", plan<Unary::SIGMOID>);
constexpr OpDefinition kTanh = define("Tanh", plan<Unary::TANH>);

}  // namespace heddle
