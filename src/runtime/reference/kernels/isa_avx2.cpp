#include "compiler.h"
#include "kernels.h"

#define HEDDLE_ISA avx2
#include "simd/avx2.h"
#include "table.h"

namespace heddle::avx2 {
extern const Kernels kTable;
constinit const Kernels kTable = makeTable("avx2");
}  // namespace heddle::avx2
