// Fixed-point tensors: which kernel their element type takes, and their encoding.
#pragma once

#include "check.h"

namespace heddle {

/// Whether a tensor holds fixed-point activations of a type that the kernels have.
bool isFixed(qnn::DataType);
/// @param type one for which isFixed holds.
Fixed fixedOf(qnn::DataType type);
/// Requires a fixed-point activation: a type the kernels have, one scale, and an offset with which zero can be written.
void checkFixed(const Check&, const TensorInfo&);
/// The encoding of a tensor that checkFixed has passed.
FixedEncoding encodingOf(const TensorInfo&);

}  // namespace heddle
