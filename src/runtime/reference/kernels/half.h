// IEEE 754 half precision as stored in weights. Arithmetic is always done in float.
#pragma once

#include <cstdint>

namespace heddle {

struct Half {
  std::uint16_t bits;
};
static_assert(sizeof(Half) == 2);

}  // namespace heddle
