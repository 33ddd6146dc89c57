// The table of compute kernels. Each kernel is written once over a vector type and compiled once per instruction set;
// the table of the best set the machine has is chosen at run time. Kernels are single-threaded: callers split the work.
#pragma once

#include <cstddef>
#include <cstdint>

#include "half.h"

namespace heddle {

enum class Isa { PORTABLE, AVX2, AVX512, NEON };

enum class Activation { GELU_TANH, GELU_ERF, SILU, NONE };
enum class Unary { EXP, SQRT, RSQRT, NEG, ABS, TANH, SIGMOID, GELU_ERF, GELU_TANH, COUNT };
/// Element types of fixed-point activations.
enum class Fixed { U16, U8, I8, COUNT };
enum class Binary { ADD, SUBTRACT, MULTIPLY, DIVIDE, MAXIMUM, MINIMUM, COUNT };

/// y[i][j] = dot(x[i], w[j]): a few activation rows against many weight rows, each weight read from memory once.
struct DotRows {
  std::size_t m;  ///< activation rows, 1 to Kernels::dotMaxRows
  std::size_t n;  ///< weight rows
  std::size_t k;
  const float* x;
  std::size_t ldx;
  const void* w;  ///< float or Half, by the table entry
  std::size_t ldw;
  float* y;
  std::size_t ldy;
};

/// y[i][j] = sum over k of x[i][k] w[j][k], exact. x comes from widenFixed; k is at most kFixedDepth. With blocks, weights are
/// multiplied by the scale of theirs first, which must leave them within 8 bits.
struct FixedRows {
  std::size_t m, n, k;
  const std::int16_t* x;
  const std::int8_t* w;
  std::int64_t* y;
  std::size_t ldy;
  const std::uint8_t* blockScales = nullptr;  ///< [n, k / blockSize]
  std::size_t blockSize = 0;                  ///< a multiple of kBlockUnit that divides k
};
/// Whole vectors of every instruction set.
constexpr std::size_t kBlockUnit = 32;
/// Longest sum of products: far below what a double holds exactly, together with offset and bias.
constexpr std::size_t kFixedDepth = std::size_t{1} << 20;

/// real = (q + offset) * scale.
struct FixedEncoding {
  float scale;
  std::int32_t offset;
};

/// q = round((sums + bias) * factors) - offset, a row of a product.
struct FixedFinish {
  const std::int64_t* sums;
  const std::int64_t* bias;
  const double* factors;
  std::int32_t offset;
};

/// y = (sums + bias) * factors, a row of a product in floats: the sum is rounded once, then the product.
struct ScaledFinish {
  const std::int64_t* sums;
  const std::int64_t* bias;
  const float* factors;
};

/// c (+)= a b, any layout that can be described by panels: packed operands, or plain matrices where a panel is a group
/// of rows of `a` or columns of `b`.
struct GemmBlock {
  std::size_t m, n, k;
  const float* a;
  std::size_t panelA, rowA,
      colA;  ///< distance between panels of gemmRows rows, between rows, between columns of a panel
  const float* b;
  std::size_t panelB, rowB;  ///< distance between panels of gemmCols columns, between rows of a panel
  float* c;
  std::size_t ldc;
  bool accumulate;
};

/// Attention of rows [begin, end) of one head by online softmax over key blocks. Floats only.
struct AttentionTile {
  std::size_t begin, end;
  std::size_t headDim;
  std::size_t keys;    ///< keys that may be read
  std::size_t offset;  ///< position of query 0: with `causal`, query i sees keys j <= offset + i
  bool causal;
  std::size_t window;  ///< 0: none; else only keys j > offset + i - window
  std::size_t blockK;
  float scale;
  const float* q;
  const float* k;  ///< [keys, headDim], or [headDim, keys] with row distance ldk when keysTransposed
  bool keysTransposed;
  std::size_t ldk;
  const float* v;  ///< [keys, headDim]
  float* out;
  float* scratch;        ///< attentionScratch(...) floats
  std::size_t ring = 0;  ///< 0: key j lies at row j; else at row j mod ring
  std::size_t heads = 1, headStride = 0;  ///< of a step: heads with the same keys, and the distance of their q and out
};

/// Scores, accumulators, maxima and sums of the rows, and one key tile packed into panels of `panelCols` columns.
constexpr std::size_t attentionScratch(std::size_t rows, std::size_t headDim, std::size_t blockK,
                                       std::size_t panelCols) {
  return rows * (blockK + headDim + 2) + headDim * ((blockK + panelCols - 1) / panelCols * panelCols);
}

/// Scores of the keys that queries of one position see, four heads at once, from a multiple of 64 on and padded.
constexpr std::size_t attentionStepScratch(std::size_t heads, std::size_t keys) {
  return (heads < 4 ? heads : 4) * (keys + 2 * 64);
}

struct Kernels {
  Isa isa;
  const char* name;
  std::size_t dotMaxRows;
  std::size_t gemmRows, gemmCols;  ///< panel sizes of packed operands

  void (*dotRowsF32)(const DotRows&);
  void (*dotRowsF16)(const DotRows&);
  void (*gemm)(const GemmBlock&);
  /// Packs `m` rows of a row-major [m, k] matrix into panels of gemmRows rows.
  void (*packRows)(const float* a, std::size_t lda, std::size_t m, std::size_t k, float* packed);
  /// Packs `n` rows of a row-major [n, k] matrix, transposed, into panels of gemmCols columns.
  void (*packColsF32)(const void* b, std::size_t ldb, std::size_t n, std::size_t k, float* packed);
  void (*packColsF16)(const void* b, std::size_t ldb, std::size_t n, std::size_t k, float* packed);
  /// y = activation(y + bias) + residual; bias and residual may be null.
  void (*finish)(float* y, std::size_t n, const float* bias, const float* residual, Activation);
  void (*attention)(const AttentionTile&);
  /// Of one position, with transposed keys and causal: other sums, those of ggml.
  void (*attentionStep)(const AttentionTile&);
  /// Normalises a row to zero mean and unit variance, then scales and shifts; gamma and beta may be null.
  void (*layerNorm)(const float* x, const float* gamma, const float* beta, float* y, std::size_t n, float epsilon);
  void (*rmsNorm)(const float* x, const float* gamma, const float* beta, float* y, std::size_t n, float epsilon);
  void (*softmax)(const float* x, float* y, std::size_t n, float beta);
  float (*sum)(const float* x, std::size_t n);
  float (*maximum)(const float* x, std::size_t n);
  /// One head row of rotary embedding, half-split: pairs (i, i + half).
  void (*rope)(const float* x, const float* cos, const float* sin, float* y, std::size_t half);
  void (*unary[static_cast<int>(Unary::COUNT)])(const float* x, float* y, std::size_t n);
  /// A step of 0 repeats one element, 1 walks.
  void (*binary[static_cast<int>(Binary::COUNT)])(const float* a, std::size_t stepA, const float* b, std::size_t stepB,
                                                  float* y, std::size_t n);
  void (*halfToFloat)(const Half* x, float* y, std::size_t n);
  void (*floatToHalf)(const float* x, Half* y, std::size_t n);
  void (*dotFixed)(const FixedRows&);
  /// Activations as 16-bit integers: u16 less 32768, narrower types as they are.
  void (*widenFixed[static_cast<int>(Fixed::COUNT)])(const void* q, std::int16_t* y, std::size_t n);
  void (*quantize[static_cast<int>(Fixed::COUNT)])(const float* x, void* q, std::size_t n, const FixedEncoding&);
  void (*dequantize[static_cast<int>(Fixed::COUNT)])(const void* q, float* y, std::size_t n, const FixedEncoding&);
  void (*finishScaled)(const ScaledFinish&, float* y, std::size_t n);
  void (*finishFixed[static_cast<int>(Fixed::COUNT)])(const FixedFinish&, void* q, std::size_t n);
};

/// The table of an instruction set, or null when this machine (or this build) lacks it.
const Kernels* kernelsOf(Isa isa);
/// The table of the widest instruction set of this machine.
const Kernels& bestKernels();

}  // namespace heddle
