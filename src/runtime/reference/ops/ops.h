// Every op of the backend, and small rules several of them share.
#pragma once

#include "op.h"

namespace heddle {

// qti.aisw
extern const OpDefinition kCast, kConcat, kConvert, kDequantize, kQuantize, kElementWiseAbs, kElementWiseAdd, kElementWiseAnd, kElementWiseCos,
    kElementWiseDivide, kElementWiseEqual, kElementWiseExp, kElementWiseGreater, kElementWiseGreaterEqual,
    kElementWiseLess, kElementWiseLessEqual, kElementWiseLog, kElementWiseMaximum, kElementWiseMinimum,
    kElementWiseMultiply, kElementWiseNeg, kElementWiseNotEqual, kElementWiseOr, kElementWisePower, kElementWiseRsqrt,
    kElementWiseSelect, kElementWiseSin, kElementWiseSquareRoot, kElementWiseSubtract, kFullyConnected, kGather, kGelu,
    kLayerNorm, kMatMul, kReduceMax, kReduceMean, kReduceMin, kReduceSum, kReshape, kRmsNorm, kScatterElements,
    kSigmoid, kSoftmax, kSplit, kStridedSlice, kTanh, kTranspose;
// heddle
extern const OpDefinition kBlockFullyConnected, kBlockGatedMlp, kBlockGather, kFlashAttention, kFlashCachedAttention,
    kFullyConnectedAdd, kGatedMlp, kGeluTanh, kKvAppend, kMlp, kNormalize, kRope;

/// An optional bias: [n], FLOAT_32, or FLOAT_16 when constant.
void checkBias(const class Check&, std::size_t input, std::uint32_t n);
/// Parameter `activation` of a perceptron: a value of Activation.
void checkActivation(const class Check&);
/// FLOAT_32, or FLOAT_16 when constant.
void checkFloatOperand(const class Check&, const TensorInfo&);

}  // namespace heddle
