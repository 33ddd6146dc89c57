// y = activation(x w^T + bias) + residual with weights in a block format: the engine of BlockFullyConnected and BlockMlp.
#pragma once

#include "../kernels/blocks/blocks.h"
#include "linear.h"
#include "op.h"

namespace heddle {

/// Weights are read where they lie, as panels, and never expanded; activations are rounded to 8 bits per block.
class BlockLinear {
 public:
  BlockLinear(const Linear::Shape&, BlockFormat, Activation, Planner&);
  /// `w` are panels.
  void run(const Execution&, const Linear::Operands&) const;

  /// The two parts of `run`, for ops that do something between them. Rows of x lie `ldx` apart.
  void quantize(const Execution&, const float* x, std::size_t ldx) const;
  /// y = x w^T for the weight rows of some panels and all rows of the x that was quantised; `y` is where their first
  /// column goes. On the calling thread, whose number is told.
  void product(const Execution&, std::size_t thread, const void* w, std::size_t panel, std::size_t count, float* y,
               std::size_t ldy) const;
  /// Panels of a task when `panels` are shared out.
  std::size_t panelsPerTask(const Execution&, std::size_t panels) const;

 private:
  QuantizedTile tileAt(const Execution&, std::size_t tile) const;

  Linear::Shape s_;
  BlockFormat format_;
  Activation activation_;
  const BlockKernels* kernels_;
  std::size_t tileRows_, panelBytes_;
  std::size_t codes_ = 0, scales_ = 0, sums_ = 0, decoded_ = 0;  // workspace offsets
  std::size_t perThread_ = 0;                                    // decoded panels
};

/// The format that a parameter names. Refuses other numbers.
BlockFormat formatOf(const class Check&, const char* param);
/// Refuses weights that are not the panels of an [n, k] matrix; returns nothing to check twice.
void checkPanels(const class Check&, const TensorInfo& w, BlockFormat, std::size_t n, std::size_t k);

}  // namespace heddle
