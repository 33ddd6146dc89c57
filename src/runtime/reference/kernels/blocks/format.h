// Block formats of weights: groups of 32 or 256 numbers of a row that share scales, as GGUF files hold them. The values
// are those of the ggml library; how they lie in memory is ours, so that 16 rows fill a vector:
//
// A *panel* is 16 rows side by side. Each block of a row is split into the words of its fields (2 bytes for a half
// precision scale, 1 for a small scale, 4 for packed codes), and word i of the 16 rows stands together, row by row. A
// panel is the sequence of its blocks, and takes exactly the bytes that its rows take in a GGUF file. Two fields are
// rewritten on the way: q8_0 stores q + 128, so that every code is unsigned, and the high bits of q5_0 are transposed
// within their word, so that bit 8 j + g belongs to element 4 g + j. `src/codegen/qnn/panels.ts` writes panels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle {

/// Parameter `format` of the ops on blocks: ggml's own numbers.
enum class BlockFormat : std::uint32_t { Q4_0 = 2, Q5_0 = 6, Q8_0 = 8, Q4_K = 12, Q5_K = 13, Q6_K = 14 };
inline constexpr BlockFormat kBlockFormats[] = {BlockFormat::Q4_0, BlockFormat::Q5_0, BlockFormat::Q8_0,
                                                BlockFormat::Q4_K, BlockFormat::Q5_K, BlockFormat::Q6_K};

struct BlockLayout {
  const char* name;
  std::size_t elements;  ///< of a block; activations share one scale per as many
  std::size_t bytes;     ///< of a block of one row
  std::size_t group;     ///< elements under one integer scale; activations keep one sum per as many
};

constexpr std::size_t kPanelRows = 16;

constexpr BlockLayout layoutOf(BlockFormat format) {
  switch (format) {
    case BlockFormat::Q4_0: return {"q4_0", 32, 18, 32};
    case BlockFormat::Q5_0: return {"q5_0", 32, 22, 32};
    case BlockFormat::Q8_0: return {"q8_0", 32, 34, 32};
    case BlockFormat::Q4_K: return {"q4_k", 256, 144, 32};
    case BlockFormat::Q5_K: return {"q5_k", 256, 176, 32};
    case BlockFormat::Q6_K: return {"q6_k", 256, 210, 16};
  }
  return {nullptr, 1, 0, 1};  // not a format: the number came from outside
}

}  // namespace heddle
