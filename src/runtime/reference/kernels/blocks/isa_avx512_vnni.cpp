#include <cstring>

#include "../compiler.h"
#include "blocks.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored \
    "-Wmaybe-uninitialized"  // both: false alarms inside GCC 12's own AVX-512 header (bug 105593)
#endif

#define HEDDLE_ISA blocks_avx512_vnni
#include "../simd/avx512.h"
#include "codes_avx512_vnni.h"
#include "table.h"

namespace heddle::blocks_avx512_vnni {
extern const BlockKernels kTable;
constinit const BlockKernels kTable = makeBlockTable("avx512 vnni");
}  // namespace heddle::blocks_avx512_vnni
