// What the two perceptrons with weights in floats, Mlp and GatedMlp, ask of their operands alike.
#pragma once

#include "check.h"

namespace heddle {

/// Input 0 and the output [..., width] and [..., out], `up` [parts * hidden, width] and `down` [out, hidden], and the
/// parameter `activation`. A gated one has 2 parts side by side, of which one gates the other.
void checkPerceptron(const Check&, const TensorInfo& up, const TensorInfo& down, std::uint32_t parts);

}  // namespace heddle
