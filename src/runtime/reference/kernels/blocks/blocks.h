// Kernels that multiply by weights in block formats without expanding them: activations are rounded to 8 bits per block,
// as ggml does, and products are sums of small integers. Single-threaded, like all kernels: callers split the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "../kernels.h"
#include "format.h"

namespace heddle {

/// How many floats a product is summed in before they are added to one. Blocks of one row of activations go to the sums that
/// ggml's x86 kernels have, so that results are the same to the bit: in q4_0 and q4_k one, which lie there as panels too, else
/// eight, of which sum c has elements 4 c to 4 c + 3 of each 32. With more rows eight of each would not fit the registers.
constexpr std::size_t chainsOf(BlockFormat format, std::size_t rows) {
  return rows > 1 || format == BlockFormat::Q4_0 || format == BlockFormat::Q4_K ? 1 : 8;
}
/// Elements under one of QuantizedTile::sums, for a tile of so many rows.
constexpr std::size_t sumElements(BlockFormat format, std::size_t rows) {
  const BlockLayout layout = layoutOf(format);
  return layout.group == layout.elements ? layout.group / chainsOf(format, rows) : layout.group;
}

/// Activation rows rounded to 8 bits for weights of one format, interleaved so that a product reads them in order.
struct QuantizedTile {
  std::size_t rows;      ///< a power of two up to BlockKernels::tileRows; rows beyond the real ones are zero
  std::int8_t* codes;    ///< [k / 4, rows, 4]
  float* scales;         ///< [k / elements, rows]
  std::int32_t* sums;    ///< [k / sumElements, rows]: sums of codes, times what the format's zero point makes of them
};

/// y[r][j] = dot(x[r], w[j]) for the rows of whole panels.
struct BlockProduct {
  QuantizedTile x;
  std::size_t k;
  const std::byte* panels;
  std::size_t count;     ///< panels
  float* y;
  std::size_t ldy;
  std::size_t rows;      ///< real rows of x; only these are written
  std::size_t cols;      ///< real weight rows, at most 16 count
};

struct BlockKernels {
  const char* name;
  std::size_t tileRows;
  /// Rounds `rows` rows of k floats, `ldx` apart. A row that is not finite gives NaN in every product.
  void (*quantize)(BlockFormat, const float* x, std::size_t ldx, std::size_t rows, std::size_t k, const QuantizedTile&);
  void (*product)(BlockFormat, const BlockProduct&);
};

/// The tables that this machine can run within an instruction set, the best one last.
std::span<const BlockKernels* const> blockKernelsOf(Isa);
const BlockKernels& blockKernels(Isa);

/// One row of a panel as floats.
void dequantizeRow(BlockFormat, const std::byte* panel, std::size_t row, std::size_t k, float* y);

}  // namespace heddle
