// Included last by each isa_*.cpp, after HEDDLE_ISA and the vector type: compiles every kernel for that instruction
// set. Nothing here may use inline functions of the standard library: the linker could keep the copy that was compiled
// for instructions the machine lacks.
#pragma once

#include <cmath>
#include <limits>

#include "math.h"
#include "dot.h"
#include "gemm.h"
#include "rows.h"
#include "attention.h"
#include "attention_step.h"
#include "elementwise.h"
#include "fixed_point.h"

namespace heddle::HEDDLE_ISA {

constexpr Kernels makeTable(const char* name) {
  Kernels t{};
  t.isa = kIsa;
  t.name = name;
  t.dotMaxRows = kDotMaxRows;
  t.gemmRows = kTileRows;
  t.gemmCols = kTileCols;
  t.dotRowsF32 = dotRows<float>;
  t.dotRowsF16 = dotRows<Half>;
  t.gemm = gemm;
  t.packRows = packRows;
  t.packColsF32 = packCols<float>;
  t.packColsF16 = packCols<Half>;
  t.finish = finish;
  t.attention = attention;
  t.attentionStep = attentionStep;
  t.layerNorm = layerNorm;
  t.rmsNorm = rmsNorm;
  t.softmax = softmax;
  t.sum = rowSum;
  t.maximum = rowMaximum;
  t.rope = rope;
  const auto setUnary = [&t](Unary u, auto kernel) { t.unary[static_cast<int>(u)] = kernel; };
  setUnary(Unary::EXP, unary<Unary::EXP>);
  setUnary(Unary::SQRT, unary<Unary::SQRT>);
  setUnary(Unary::RSQRT, unary<Unary::RSQRT>);
  setUnary(Unary::NEG, unary<Unary::NEG>);
  setUnary(Unary::ABS, unary<Unary::ABS>);
  setUnary(Unary::TANH, unary<Unary::TANH>);
  setUnary(Unary::SIGMOID, unary<Unary::SIGMOID>);
  setUnary(Unary::GELU_ERF, unary<Unary::GELU_ERF>);
  setUnary(Unary::GELU_TANH, unary<Unary::GELU_TANH>);
  const auto setBinary = [&t](Binary b, auto kernel) { t.binary[static_cast<int>(b)] = kernel; };
  setBinary(Binary::ADD, binary<Binary::ADD>);
  setBinary(Binary::SUBTRACT, binary<Binary::SUBTRACT>);
  setBinary(Binary::MULTIPLY, binary<Binary::MULTIPLY>);
  setBinary(Binary::DIVIDE, binary<Binary::DIVIDE>);
  setBinary(Binary::MAXIMUM, binary<Binary::MAXIMUM>);
  setBinary(Binary::MINIMUM, binary<Binary::MINIMUM>);
  t.halfToFloat = halfToFloat;
  t.floatToHalf = floatToHalf;
  t.dotFixed = dotFixed;
  t.finishScaled = finishScaled;
  const auto setFixed = [&t]<class Q>(Fixed type, Q) {
    const int i = static_cast<int>(type);
    t.widenFixed[i] = widenFixed<Q>;
    t.quantize[i] = quantizeFixed<Q>;
    t.dequantize[i] = dequantizeFixed<Q>;
    t.finishFixed[i] = finishFixed<Q>;
  };
  setFixed(Fixed::U16, std::uint16_t{});
  setFixed(Fixed::U8, std::uint8_t{});
  setFixed(Fixed::I8, std::int8_t{});
  return t;
}

}  // namespace heddle::HEDDLE_ISA
