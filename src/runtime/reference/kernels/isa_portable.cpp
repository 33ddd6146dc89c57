#include "compiler.h"
#include "kernels.h"

#define HEDDLE_ISA portable
#include "simd/portable.h"
#include "table.h"

namespace heddle::portable {
extern const Kernels kTable;
constinit const Kernels kTable = makeTable("portable");
}  // namespace heddle::portable
