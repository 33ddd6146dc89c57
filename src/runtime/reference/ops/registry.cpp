// The exhaustive table of ops.
#include "check.h"
#include "ops.h"

namespace heddle {
namespace {

constexpr const OpDefinition* kOps[] = {
    &kBlockFullyConnected,
    &kBlockGatedMlp,
    &kBlockGather,
    &kCast,
    &kConcat,
    &kConvert,
    &kDequantize,
    &kElementWiseAbs,
    &kElementWiseAdd,
    &kElementWiseAnd,
    &kElementWiseCos,
    &kElementWiseDivide,
    &kElementWiseEqual,
    &kElementWiseExp,
    &kElementWiseGreater,
    &kElementWiseGreaterEqual,
    &kElementWiseLess,
    &kElementWiseLessEqual,
    &kElementWiseLog,
    &kElementWiseMaximum,
    &kElementWiseMinimum,
    &kElementWiseMultiply,
    &kElementWiseNeg,
    &kElementWiseNotEqual,
    &kElementWiseOr,
    &kElementWisePower,
    &kElementWiseRsqrt,
    &kElementWiseSelect,
    &kElementWiseSin,
    &kElementWiseSquareRoot,
    &kElementWiseSubtract,
    &kFlashAttention,
    &kFlashCachedAttention,
    &kFullyConnected,
    &kFullyConnectedAdd,
    &kGatedMlp,
    &kGather,
    &kGelu,
    &kGeluTanh,
    &kKvAppend,
    &kLayerNorm,
    &kMatMul,
    &kMlp,
    &kNormalize,
    &kQuantize,
    &kReduceMax,
    &kReduceMean,
    &kReduceMin,
    &kReduceSum,
    &kReshape,
    &kRmsNorm,
    &kRope,
    &kScatterElements,
    &kSigmoid,
    &kSoftmax,
    &kSplit,
    &kStridedSlice,
    &kTanh,
    &kTranspose,
};

}  // namespace

std::span<const OpDefinition* const> allOps() { return kOps; }

const OpDefinition* findOp(std::string_view package, std::string_view type) {
  for (const OpDefinition* op : kOps) {
    if (type == op->type && package == op->package) return op;
  }
  return nullptr;
}

void checkFloatOperand(const Check& c, const TensorInfo& t) {
  using enum qnn::DataType;
  if (t.isStatic()) {
    c.type(t, {FLOAT_32, FLOAT_16});
  } else {
    c.type(t, {FLOAT_32});
  }
}

void checkActivation(const Check& c) {
  const auto activation = c.node().scalar<std::uint32_t>("activation", 0);
  if (activation > 3) {
    c.refuse("parameter 'activation': expected 0 (gelu tanh), 1 (gelu erf), 2 (silu) or 3 (none), got " +
             std::to_string(activation));
  }
}

void checkBias(const Check& c, std::size_t input, std::uint32_t n) {
  if (!c.node().hasInput(input)) return;
  checkFloatOperand(c, c.input(input));
  c.dims(c.input(input), {n});
}

}  // namespace heddle
