#include "compiler.h"
#include "kernels.h"

#define HEDDLE_ISA neon
#include "simd/neon.h"
#include "table.h"

namespace heddle::neon {
extern const Kernels kTable;
constinit const Kernels kTable = makeTable("neon");
}  // namespace heddle::neon
