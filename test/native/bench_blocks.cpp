// Products of weights in block formats, as JSON: bytes read per second beside a plain read loop with the same threads
// (one activation row), and multiply-adds per second (128 rows), on shapes of Gemma 3 270M. As in bench_kernels.cpp, each
// figure is the best of the repeats and what is compared runs in turns. Kernels ask for memory ahead and the read loop does not,
// so they may be the faster ones. The last shapes stay in the cache.
//   make -C test/native bench && .cache/native/plain/bench_blocks [threads] [repeats] [avx2 | avx512 | neon | portable]
#include <string>
#include <string_view>

#include "../../src/runtime/reference/ops/block_linear.h"
#include "bench.h"

using namespace heddle;

namespace {

struct Shape {
  BlockFormat format;
  std::size_t n, k;
};

/// The best of this machine, or what was asked for. Ends the process where the machine lacks it.
const Kernels& kernelsNamed(std::string_view name) {
  if (name.empty()) return bestKernels();
  for (const Isa isa : {Isa::PORTABLE, Isa::AVX2, Isa::AVX512, Isa::NEON}) {
    const Kernels* k = kernelsOf(isa);
    if (k != nullptr && k->name == name) return *k;
  }
  std::fprintf(stderr, "this machine has no kernels '%s'\n", std::string(name).c_str());
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  ThreadPool pool(argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 0);
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 5;
  const Kernels& k = kernelsNamed(argc > 3 ? argv[3] : "");
  constexpr std::size_t kBytes = 262144 * 680;
  const Aligned<std::byte> w(kBytes);
  std::memset(w.data(), 0x2b, kBytes);
  const Aligned<float> x(128 * 2048), y(128 * 4096 + 262144);
  std::fill_n(x.data(), 128 * 2048, 0.01F);
  std::printf("{ \"simd\": \"%s\", \"threads\": %zu", blockKernels(k.isa).name, pool.threads());
  for (const Shape s : {Shape{BlockFormat::Q8_0, 262144, 640},
                        {BlockFormat::Q5_0, 65536, 640},
                        {BlockFormat::Q4_0, 65536, 640},
                        {BlockFormat::Q4_K, 32768, 2048},
                        {BlockFormat::Q5_K, 32768, 2048},
                        {BlockFormat::Q6_K, 32768, 2048},
                        {BlockFormat::Q5_0, 4096, 640},
                        {BlockFormat::Q4_K, 640, 1024},
                        {BlockFormat::Q6_K, 640, 2048},
                        {BlockFormat::Q8_0, 640, 2048}}) {
    const BlockLayout layout = layoutOf(s.format);
    const std::size_t bytes = s.n * s.k / layout.elements * layout.bytes;
    for (const std::size_t m : {1, 128}) {
      if (m > 1 && s.n > 4096) continue;
      BenchPlanner planner(k, pool.threads());
      const BlockLinear op({m, s.n, s.k}, s.format, Activation::NONE, planner);
      const AlignedBuffer workspace(planner.bytes());
      const auto best = bestSeconds(
          repeats, {[&] { readAll(pool, k, reinterpret_cast<const float*>(w.data()), bytes / sizeof(float)); },
                    [&] { op.run({nullptr, workspace.data(), pool, k}, {x.data(), w.data(), nullptr, nullptr, y.data()}); }});
      const double rate = static_cast<double>(bytes) * 1e-9, work = 1e-9 * static_cast<double>(m * s.n * s.k);
      std::printf(",\n  \"%s_%zux%zux%zu\": { \"us\": %.1f, \"read_gb_per_s\": %.1f, \"gb_per_s\": %.1f, \"gmac_per_s\": %.1f }",
                  layout.name, m, s.n, s.k, best[1] * 1e6, rate / best[0], rate / best[1], work / best[1]);
    }
  }
  std::printf(" }\n");
}
