// Which instructions for blocks this machine has. As in ../select.cpp, tables are only linked for their architecture.
#include "blocks.h"

#if defined(__x86_64__) || defined(_M_X64)
#define HEDDLE_X86 1
#if defined(_MSC_VER)
#include <intrin.h>
#endif
#elif defined(__aarch64__) || defined(_M_ARM64)
#define HEDDLE_ARM 1
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(_WIN32)
#include <windows.h>
#endif
#endif

namespace heddle {

namespace blocks_portable {
extern const BlockKernels kTable;
}

#if defined(HEDDLE_X86)
namespace blocks_avx2 {
extern const BlockKernels kTable;
}
namespace blocks_avx512_vnni {
extern const BlockKernels kTable;
}

namespace {
bool hasVnni() {
#if defined(_MSC_VER)
  int r[4];
  __cpuidex(r, 7, 0);
  return (static_cast<unsigned>(r[2]) & (1U << 11)) != 0;
#else
  return __builtin_cpu_supports("avx512vnni");
#endif
}
}  // namespace
#elif defined(HEDDLE_ARM)
namespace blocks_neon {
extern const BlockKernels kTable;
}
namespace blocks_neon_dotprod {
extern const BlockKernels kTable;
}

namespace {
bool hasDotProducts() {
#if defined(__linux__)
  constexpr unsigned long kAsimdDp = 1UL << 20;
  return (getauxval(AT_HWCAP) & kAsimdDp) != 0;
#elif defined(__APPLE__)
  int value = 0;
  std::size_t bytes = sizeof value;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &bytes, nullptr, 0) == 0 && value != 0;
#elif defined(_WIN32)
  return IsProcessorFeaturePresent(43) != 0;  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
#else
  return false;
#endif
}
}  // namespace
#endif

std::span<const BlockKernels* const> blockKernelsOf(Isa isa) {
  static constexpr const BlockKernels* kPortable[] = {&blocks_portable::kTable};
#if defined(HEDDLE_X86)
  // Without VNNI, wider vectors gain little over AVX2, which every machine with AVX-512 has.
  static constexpr const BlockKernels* kX86[] = {&blocks_avx2::kTable, &blocks_avx512_vnni::kTable};
  if (isa == Isa::AVX2) return std::span(kX86).first(1);
  if (isa == Isa::AVX512) return std::span(kX86).first(hasVnni() ? 2 : 1);
#elif defined(HEDDLE_ARM)
  static constexpr const BlockKernels* kArm[] = {&blocks_neon::kTable, &blocks_neon_dotprod::kTable};
  if (isa == Isa::NEON) return std::span(kArm).first(hasDotProducts() ? 2 : 1);
#endif
  static_cast<void>(isa);
  return kPortable;
}

const BlockKernels& blockKernels(Isa isa) { return *blockKernelsOf(isa).back(); }

}  // namespace heddle
