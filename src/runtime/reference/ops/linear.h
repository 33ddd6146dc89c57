// y = activation(x w^T + bias) + residual: the engine of FullyConnected and the fused ops built from it.
#pragma once

#include "op.h"

namespace heddle {

/// Rows of `w` come straight from where the constant lies: nothing is repacked ahead of time, so a weight costs no
/// second copy.
class Linear {
 public:
  struct Shape {
    std::size_t m, n, k;
  };
  Linear(const Shape&, qnn::DataType weights, Activation, Planner&);

  struct Operands {
    const float* x;
    const void* w;  ///< [n, k], float or Half
    const float* bias;
    const float* residual;  ///< [m, n], or null
    float* y;
  };
  void run(const Execution&, const Operands&) const;

 private:
  void runDots(const Execution&, const Operands&) const;
  void runGemm(const Execution&, const Operands&) const;

  Shape s_;
  Activation activation_;
  bool half_;
  bool gemm_;
  std::size_t blockK_ = 0;   // GEMM: depth of a packed block
  std::size_t packedA_ = 0;  // GEMM: workspace offsets
  std::size_t packedB_ = 0;
  std::size_t perThreadB_ = 0;
};

}  // namespace heddle
