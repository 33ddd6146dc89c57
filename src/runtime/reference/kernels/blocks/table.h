// Included last by each isa_*.cpp of this folder, after HEDDLE_ISA, the vector type and the codes. As in ../table.h,
// nothing may use inline functions of the standard library.
#pragma once

#include <limits>
#include <type_traits>
#include <utility>

#include "unpack.h"
#include "product.h"
#include "tiles.h"
#include "quantize.h"

namespace heddle::HEDDLE_ISA {

constexpr BlockKernels makeBlockTable(const char* name) {
  return {name, kBlockTileRows, quantizeRows, blockProduct};
}

}  // namespace heddle::HEDDLE_ISA
