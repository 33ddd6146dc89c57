// Where intermediate tensors lie: values whose lives do not overlap share memory.
#pragma once

#include <cstddef>
#include <vector>

namespace heddle {

struct Lifetime {
  std::size_t first, last;  ///< node indices, inclusive
  std::size_t bytes;
};

struct MemoryPlan {
  std::vector<std::size_t> offsets;  ///< per lifetime, 64-byte aligned
  std::size_t bytes = 0;             ///< of the whole arena
};

/// Greedy by size: the largest value first, each at the lowest offset that no overlapping value occupies.
MemoryPlan planMemory(const std::vector<Lifetime>&);

}  // namespace heddle
