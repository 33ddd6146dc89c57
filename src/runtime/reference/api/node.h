// From the op configuration of the C interface to a node.
#pragma once

#include <functional>

#include "../ops/op.h"

namespace heddle {

/// Finds the tensor an operand stands for. Throws Failure.
using Resolve = std::function<const TensorInfo*(const qnn::Tensor&)>;

/// Copies a configuration; operands go through `resolve`. Throws Failure(code).
Node nodeFrom(const qnn::OpConfig&, qnn::Error code, const Resolve&);

}  // namespace heddle
