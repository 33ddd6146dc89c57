#include <cstring>

#include "../compiler.h"
#include "blocks.h"

#define HEDDLE_ISA blocks_portable
#include "../simd/portable.h"
#include "codes_portable.h"
#include "table.h"

namespace heddle::blocks_portable {
extern const BlockKernels kTable;
constinit const BlockKernels kTable = makeBlockTable("portable");
}  // namespace heddle::blocks_portable
