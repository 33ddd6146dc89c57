// Rings: caches of attention with a window. Position p lies at place p mod capacity. While a run of some tokens is
// written, its first one still wants the window - 1 positions before it, so a ring has room for both.
#pragma once

#include <cstdint>

namespace heddle {

/// A smaller cache holds a sequence that is no longer than it, from its first place on.
constexpr bool isRing(std::uint64_t capacity, std::uint64_t window, std::uint64_t tokens) {
  return window > 0 && capacity >= window + tokens - 1;
}

}  // namespace heddle
