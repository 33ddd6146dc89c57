// Which instruction sets this machine has. The per-set tables are only linked for their architecture.
#include <initializer_list>

#include "kernels.h"

#if defined(__x86_64__) || defined(_M_X64)
#define HEDDLE_X86 1
#if defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#endif
#elif defined(__aarch64__) || defined(_M_ARM64)
#define HEDDLE_ARM 1
#endif

namespace heddle {

namespace portable {
extern const Kernels kTable;
}

#if defined(HEDDLE_X86)
namespace avx2 {
extern const Kernels kTable;
}
namespace avx512 {
extern const Kernels kTable;
}

namespace {
#if defined(_MSC_VER)
struct Features {
  bool avx2, avx512;
};
Features detect() {
  int r[4];
  __cpuid(r, 1);
  const bool osSavesVectors = (r[2] & (1 << 27)) != 0;
  const bool fma = (r[2] & (1 << 12)) != 0, f16c = (r[2] & (1 << 29)) != 0;
  const unsigned long long state = osSavesVectors ? _xgetbv(0) : 0;
  __cpuidex(r, 7, 0);
  const unsigned b = static_cast<unsigned>(r[1]);
  const bool avx2 = fma && f16c && (state & 0x6) == 0x6 && (b & (1U << 5)) != 0;
  constexpr unsigned kF = 1U << 16, kDq = 1U << 17, kBw = 1U << 30, kVl = 1U << 31;
  const bool avx512 = avx2 && (state & 0xe6) == 0xe6 && (b & (kF | kDq | kBw | kVl)) == (kF | kDq | kBw | kVl);
  return {avx2, avx512};
}
bool hasAvx2() { return detect().avx2; }
bool hasAvx512() { return detect().avx512; }
#else
/// Every processor with AVX2 has F16C, which some compilers cannot ask for.
bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif
}  // namespace
#elif defined(HEDDLE_ARM)
namespace neon {
extern const Kernels kTable;
}
#endif

const Kernels* kernelsOf(Isa isa) {
  switch (isa) {
    case Isa::PORTABLE: return &portable::kTable;
#if defined(HEDDLE_X86)
    case Isa::AVX2: return hasAvx2() ? &avx2::kTable : nullptr;
    case Isa::AVX512: return hasAvx512() ? &avx512::kTable : nullptr;
#elif defined(HEDDLE_ARM)
    case Isa::NEON: return &neon::kTable;
#endif
    default: return nullptr;
  }
}

const Kernels& bestKernels() {
  for (const Isa isa : {Isa::AVX512, Isa::AVX2, Isa::NEON}) {
    if (const Kernels* table = kernelsOf(isa)) return *table;
  }
  return portable::kTable;
}

}  // namespace heddle
