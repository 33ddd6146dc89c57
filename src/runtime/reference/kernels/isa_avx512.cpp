#include "compiler.h"
#include "kernels.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored \
    "-Wmaybe-uninitialized"  // both: false alarms inside GCC 12's own AVX-512 header (bug 105593)
#endif

#define HEDDLE_ISA avx512
#include "simd/avx512.h"
#include "table.h"

namespace heddle::avx512 {
extern const Kernels kTable;
constinit const Kernels kTable = makeTable("avx512");
}  // namespace heddle::avx512
