// x w^T + bias in fixed point: 8-bit weights with a scale per row, also 4-bit ones in 8-bit containers.
#pragma once

#include "op.h"

namespace heddle {

/// Operand types and encodings of FullyConnected in fixed point; shapes are checked by the caller.
void checkFixedLinear(const class Check&);
Executable planFixedLinear(const Node&, Planner&);

}  // namespace heddle
