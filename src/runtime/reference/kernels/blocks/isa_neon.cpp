#include <cstring>

#include "../compiler.h"
#include "blocks.h"

#define HEDDLE_ISA blocks_neon
#include "../simd/neon.h"
#include "codes_neon.h"
#include "table.h"

namespace heddle::blocks_neon {
extern const BlockKernels kTable;
constinit const BlockKernels kTable = makeBlockTable("neon");
}  // namespace heddle::blocks_neon
