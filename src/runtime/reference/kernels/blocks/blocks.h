// Kernels that multiply by weights in block formats without expanding them: activations are rounded to 8 bits per block,
// as ggml does, and products are sums of small integers. Single-threaded, like all kernels: callers split the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "../kernels.h"
#include "format.h"

namespace heddle {

/// How many floats a product is summed in before they are added to one by halves: those of ggml's x86 kernels, so that results
/// are the same to the bit. In q4_0 and q4_k, which lie there as panels too, one; else eight, of which sum c has elements 4 c
/// to 4 c + 3 of each 32. The order is that of one row of activations however many there are, so that a prompt gives the same
/// whether it is read at once or token by token.
constexpr std::size_t chainsOf(BlockFormat format) {
  return format == BlockFormat::Q4_0 || format == BlockFormat::Q4_K ? 1 : 8;
}
/// Groups of integers within a block have scales of their own.
constexpr bool hasGroups(BlockFormat format) { return layoutOf(format).group != layoutOf(format).elements; }
/// Elements under one of QuantizedTile::sums.
constexpr std::size_t sumElements(BlockFormat format) {
  const std::size_t group = layoutOf(format).group;
  return hasGroups(format) ? 2 * group : group / chainsOf(format);
}

/// Activation rows rounded to 8 bits for weights of one format, interleaved so that a product reads them in order.
struct QuantizedTile {
  std::size_t rows;      ///< 1, or BlockKernels::tileRows; rows beyond the real ones are zero
  std::int8_t* codes;    ///< [k / 4, rows, 4]
  float* scales;         ///< [k / elements, rows]
  /// [k / sumElements, rows]: sums of codes; of two groups, as halves of 16 bits each, the first below, or of a chain, times what
  /// the format's zero point makes of them.
  std::int32_t* sums;
};

/// y[r][j] = dot(x[r], w[j]) for the rows of whole panels.
struct BlockProduct {
  QuantizedTile x;       ///< the first tile; others follow, array by array
  std::size_t k;
  const std::byte* panels;
  std::size_t count;     ///< panels
  float* y;
  std::size_t ldy;
  std::size_t rows;      ///< real rows of x; only these are written
  std::size_t cols;      ///< real weight rows, at most 16 count
  std::byte* decoded;    ///< blockScratch(...) bytes, aligned as vectors are; none for tiles of one row
};

/// Room for a panel whose codes are bytes, which a product with several rows reads again and again: its scales and pairs of sums'
/// factors are vectors of 16 words of 32 bits.
constexpr std::size_t decodedBlockBytes(BlockFormat format) {
  const BlockLayout layout = layoutOf(format);
  const std::size_t groups = hasGroups(format) ? layout.elements / layout.group : 0;
  return kPanelRows * (layout.elements + 4 * (2 + groups + groups / 2));
}
constexpr std::size_t blockScratch(BlockFormat format, std::size_t k) {
  return k / layoutOf(format).elements * decodedBlockBytes(format);
}

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
