#include <cstring>

#include "../compiler.h"
#include "blocks.h"

#define HEDDLE_DOTPROD

#define HEDDLE_ISA blocks_neon_dotprod
#include "../simd/neon.h"
#include "codes_neon.h"
#include "table.h"

namespace heddle::blocks_neon_dotprod {
extern const BlockKernels kTable;
constinit const BlockKernels kTable = makeBlockTable("neon dotprod");
}  // namespace heddle::blocks_neon_dotprod
