// Kernel speeds beside what bounds them, as JSON: matrix-vector products beside a plain read loop with the same
// threads, matrix products beside a multiply-add loop that never leaves the first-level cache, attention. Each figure
// is the best of the repeats, and what is compared runs in turns, so that a busy machine disturbs both sides alike.
//   make -C test/native bench && .cache/native/plain/bench_kernels [threads] [repeats]
#include "../../src/runtime/reference/ops/attention.h"
#include "../../src/runtime/reference/ops/fixed_linear.h"
#include "../../src/runtime/reference/ops/linear.h"
#include "bench.h"

using namespace heddle;

namespace {

/// Multiply-add rate of the tile kernel on operands that never leave the first-level cache.
double peakSeconds(ThreadPool& pool, const Kernels& k, std::size_t depth, std::size_t rounds, int repeats) {
  const std::vector<float> a(k.gemmRows * depth, 1e-3F), b(k.gemmCols * depth, 1e-3F);
  return bestSeconds(repeats, [&] {
    pool.forEach(pool.threads(), [&](std::size_t, std::size_t) {
      float c[6 * 64] = {};
      // One row of each operand again and again: loads hit the cache, so that only the multiply-add units are measured.
      for (std::size_t i = 0; i < rounds; ++i) {
        k.gemm({k.gemmRows, k.gemmCols, depth, a.data(), 0, 1, 0, b.data(), 0, 0, c, k.gemmCols, false});
      }
    });
  });
}

}  // namespace

int main(int argc, char** argv) {
  ThreadPool pool(argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 0);
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 5;
  const Kernels& k = bestKernels();
  const std::size_t n = 50257, depth = 768;
  const Aligned<float> w(n * depth), x(1024 * 3072), y(1024 * 3072);
  const Aligned<Half> h(n * depth);
  std::fill_n(w.data(), n * depth, 0.01F);
  std::fill_n(x.data(), 1024 * 3072, 0.01F);
  k.floatToHalf(w.data(), h.data(), n * depth);
  std::printf("{ \"simd\": \"%s\", \"threads\": %zu,\n", k.name, pool.threads());
  const auto linear = [&](std::size_t m, std::size_t cols, std::size_t inner, bool half) -> std::function<void()> {
    BenchPlanner planner(k, pool.threads());
    const Linear op({m, cols, inner}, half ? qnn::DataType::FLOAT_16 : qnn::DataType::FLOAT_32, Activation::NONE,
                    planner);
    const auto workspace = std::make_shared<AlignedBuffer>(planner.bytes());
    const void* weights = half ? static_cast<const void*>(h.data()) : w.data();
    return [=, &pool, &k, &x, &y] {
      op.run({nullptr, workspace->data(), pool, k}, {x.data(), weights, nullptr, nullptr, y.data()});
    };
  };
  // Weights of 8 bits and a scale per row, activations of 16.
  const auto fixed = [&](std::size_t m, std::size_t cols, std::size_t inner) -> std::function<void()> {
    using enum qnn::DataType;
    struct Layer {
      TensorInfo x, w, y;
      Node node;
      Executable run;
      std::unique_ptr<AlignedBuffer> workspace;
      std::vector<std::byte*> data;
    };
    const auto layer = std::make_shared<Layer>();
    const auto describe = [&](TensorInfo& t, qnn::DataType type, std::size_t rows, std::size_t columns) {
      t.dataType = type;
      t.dims = {static_cast<std::uint32_t>(rows), static_cast<std::uint32_t>(columns)};
      t.quantization = {qnn::Definition::DEFINED, qnn::Encoding::SCALE_OFFSET, 0, 0, {0.01F}, {-32768}};
    };
    describe(layer->x, UFIXED_POINT_16, m, inner);
    describe(layer->w, SFIXED_POINT_8, cols, inner);
    describe(layer->y, UFIXED_POINT_16, m, cols);
    layer->w.data = reinterpret_cast<const std::byte*>(w.data());
    layer->w.quantization = {
        qnn::Definition::DEFINED, qnn::Encoding::AXIS_SCALE_OFFSET, 0, 0, std::vector<float>(cols, 0.01F), {}};
    layer->node.inputs = {&layer->x, &layer->w};
    layer->node.outputs = {&layer->y};
    BenchPlanner planner(k, pool.threads());
    layer->run = planFixedLinear(layer->node, planner);
    layer->workspace = std::make_unique<AlignedBuffer>(planner.bytes());
    // All slots are one here, so activations, weights and results share memory: what is computed does not matter.
    layer->data = {reinterpret_cast<std::byte*>(w.data())};
    return [layer, &pool, &k] { layer->run({layer->data.data(), layer->workspace->data(), pool, k}); };
  };
  for (const std::size_t m : {1, 2, 4, 8}) {
    const double bytes = static_cast<double>(n * depth) * 4e-9;
    const auto best = bestSeconds(repeats, {[&] { readAll(pool, k, w.data(), n * depth); }, linear(m, n, depth, false),
                                            linear(m, n, depth, true), fixed(m, n, depth)});
    std::printf(
        "  \"gemv_m%zu\": { \"read_gb_per_s\": %.1f, \"f32_gb_per_s\": %.1f, \"of_read\": %.2f, \"f16_gb_per_s\": "
        "%.1f, \"f16_over_f32\": %.2f, \"w8a16_gb_per_s\": %.1f, \"w8a16_over_f32\": %.2f },\n",
        m, bytes / best[0], bytes / best[1], best[0] / best[1], bytes / 2 / best[2], best[1] / best[2],
        bytes / 4 / best[3], best[1] / best[3]);
  }
  const double peakFlops =
      2.0 * 24 * 256 * 2000 * static_cast<double>(k.gemmRows * k.gemmCols) / 24 * static_cast<double>(pool.threads());
  const double peak = peakFlops / peakSeconds(pool, k, 256, 2000, repeats) * 1e-9;
  std::printf("  \"fma_peak_gflops\": %.1f,\n", peak);
  struct Shape {
    std::size_t m, n, k;
  };
  for (const Shape s : {Shape{16, 3072, 768},
                        {64, 3072, 768},
                        {128, 2304, 768},
                        {256, 3072, 768},
                        {1024, 3072, 768},
                        {256, 768, 3072}}) {
    for (const bool half : {false, true}) {
      const double seconds = bestSeconds(repeats, linear(s.m, s.n, s.k, half));
      const double rate = 2e-9 * static_cast<double>(s.m * s.n * s.k) / seconds;
      std::printf("  \"gemm_%s_%zux%zux%zu\": { \"gflops\": %.1f, \"of_peak\": %.2f },\n", half ? "f16" : "f32", s.m,
                  s.n, s.k, rate, rate / peak);
    }
    const double rate = 2e-9 * static_cast<double>(s.m * s.n * s.k) / bestSeconds(repeats, fixed(s.m, s.n, s.k));
    std::printf("  \"gemm_w8a16_%zux%zux%zu\": { \"gops\": %.1f, \"of_f32_peak\": %.2f },\n", s.m, s.n, s.k, rate,
                rate / peak);
  }
  for (const std::size_t t : {1, 128, 1024}) {
    const std::size_t heads = 12, d = 64, keys = 1024;
    std::vector<float> scratch(attentionScratch(std::min<std::size_t>(t, 64), d, 64, k.gemmCols) * pool.threads());
    const std::size_t blocks = (t + 63) / 64;
    const double seconds = bestSeconds(repeats, [&] {
      pool.forEach(heads * blocks, [&](std::size_t task, std::size_t thread) {
        const std::size_t head = task % heads, block = task / heads;
        k.attention({block * 64, std::min(t, block * 64 + 64), d, keys, keys - t, true, 0, 64, 0.125F, x.data(),
                     w.data() + head * d * keys, true, keys, w.data() + head * d * keys, y.data(),
                     scratch.data() + thread * (scratch.size() / pool.threads())});
      });
    });
    const double pairs = static_cast<double>(t) * (static_cast<double>(keys - t) + static_cast<double>(t + 1) / 2);
    std::printf("  \"cached_attention_%zu_of_1024\": { \"us\": %.0f, \"gflops\": %.1f },\n", t, seconds * 1e6,
                4e-9 * heads * d * pairs / seconds);
  }
  const double dispatch = bestSeconds(repeats, [&] {
    for (int i = 0; i < 1000; ++i) pool.forEach(pool.threads(), [](std::size_t, std::size_t) {});
  });
  std::printf("  \"dispatch_us\": %.2f }\n", dispatch * 1e3);
}
