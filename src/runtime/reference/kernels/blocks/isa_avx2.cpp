#include <cstring>

#include "../compiler.h"
#include "blocks.h"

#define HEDDLE_ISA blocks_avx2
#include "../simd/avx2.h"
#include "codes_avx2.h"
#include "table.h"

namespace heddle::blocks_avx2 {
extern const BlockKernels kTable;
constinit const BlockKernels kTable = makeBlockTable("avx2");
}  // namespace heddle::blocks_avx2
