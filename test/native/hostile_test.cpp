// Graphs made to reach memory that is not theirs, and a machine without threads.
#if !defined(_WIN32)
#include <sys/resource.h>
#endif

#include <algorithm>
#include <atomic>
#include <limits>
#include <system_error>

#include "../../src/runtime/reference/core/thread_pool.h"
#include "small_graph.h"

using namespace testing;

TEST(lengths_that_wrap_around_are_refused) {
  Host h(backend());
  // 4,096 times 2^20 + 1 is 4,096 modulo 2^32: an output of that length would take 4 GiB.
  h.tensor<std::uint8_t>("part", IN, {(1U << 20) + 1});
  h.tensor<std::uint8_t>("whole", OUT, {4096});
  const std::vector<std::string> parts(4096, "part");
  CHECK(h.tryNode("qti.aisw", "Concat", {Param::u32("axis", 0)}, parts, {"whole"}) == 6005 &&
        says("the inputs have a length of 4294971392 together, which is too large"));
}

TEST(a_tensor_is_below_4_gib) {
  Host h(backend());
  CHECK(h.add("large", TensorType::NATIVE, DataType::FLOAT_32, {65536, 16384}) == 7004 && says("less than 4 GiB"));
  CHECK(h.add("huge", TensorType::NATIVE, DataType::BOOL_8, {0xffffffffU, 0xffffffffU, 0xffffffffU}) == 7004);
  CHECK_EQUAL(h.add("fits", TensorType::NATIVE, DataType::FLOAT_32, {65536, 16383}), qnn::kSuccess);
}

TEST(a_value_is_written_once) {
  Host h(backend());
  h.tensor("x", IN, {2});
  h.tensor("t", TensorType::NATIVE, {2});
  h.node("Tanh", {}, {"x"}, {"t"});
  CHECK(h.tryNode("qti.aisw", "Tanh", {}, {"t"}, {"t"}) == 6004 && says("is already written by another node"));
}

TEST(indices_outside_are_refused_wherever_they_stand) {
  Host h(backend());
  h.tensor("table", IN, {4, 2});
  h.tensor<std::int32_t>("index", IN, {3});
  h.tensor("rows", OUT, {3, 2});
  h.node("Gather", {Param::i32("axis", 0)}, {"table", "index"}, {"rows"});
  h.finalize();
  std::vector<float> table = {0, 1, 2, 3, 4, 5, 6, 7}, rows(6);
  using Limits = std::numeric_limits<std::int32_t>;
  for (const std::int32_t bad : {-1, 4, Limits::min(), Limits::max()}) {
    std::vector<std::int32_t> index = {3, 0, bad};
    CHECK(h.tryRun({{"table", table}, {"index", index}, {"rows", rows}}) == 6004 && says("at 2 is outside 0 to 3"));
  }
}

TEST(positions_far_outside_a_cache) {
  const Weights weights;
  Host h(backend());
  buildSmall(h, weights.w, weights.b);
  std::vector<float> x = weights.x, cache(32), out(8);
  for (const std::int32_t at : {4, 5, std::numeric_limits<std::int32_t>::max()}) {
    std::vector<std::int32_t> position = {at};
    h.run({{"x", x}, {"cache", cache}, {"position", position}, {"out", out}});
    CHECK(cache == std::vector<float>(32));
  }
  std::vector<std::int32_t> position = {std::numeric_limits<std::int32_t>::min()};
  CHECK(h.tryRun({{"x", x}, {"cache", cache}, {"position", position}, {"out", out}}) == 6000 && says("is negative"));
}

TEST(constants_at_odd_addresses_are_copied) {
  const Weights weights;
  std::vector<std::byte> odd(1 + weights.w.size() * sizeof(float));
  std::memcpy(odd.data() + 1, weights.w.data(), odd.size() - 1);
  Host h(backend(), true);
  h.tensor("x", IN, {1, 8});
  CHECK_EQUAL(h.add("w", TensorType::STATIC, DataType::FLOAT_32, {8, 8}, odd.data() + 1, odd.size() - 1),
              qnn::kSuccess);
  h.tensor("y", OUT, {1, 8});
  h.node("FullyConnected", {}, {"x", "w"}, {"y"});
  h.finalize();
  std::vector<float> x = weights.x, y(8);
  h.run({{"x", x}, {"y", y}});
  for (std::size_t i = 0; i < 8; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < 8; ++k) sum += double{x[k]} * weights.w[i * 8 + k];
    CHECK(std::fabs(y[i] - sum) < 1e-5);
  }
}

#if !defined(_WIN32)
TEST(a_machine_without_threads_is_an_error_not_an_end) {
  rlimit before{};
  CHECK_EQUAL(getrlimit(RLIMIT_AS, &before), 0);
#if !defined(__SANITIZE_ADDRESS__)  // which needs more address space than there is
  const rlimit little{std::min<rlim_t>(rlim_t{1} << 30, before.rlim_max), before.rlim_max};
  CHECK_EQUAL(setrlimit(RLIMIT_AS, &little), 0);
#endif
  try {
    const heddle::ThreadPool pool(1024);
  } catch (const std::system_error&) {
    // What the process still has to do is to get here.
  }
  CHECK_EQUAL(setrlimit(RLIMIT_AS, &before), 0);
  std::atomic<int> done{0};
  heddle::ThreadPool(2).forEach(10, [&](std::size_t, std::size_t) { ++done; });
  CHECK_EQUAL(done.load(), 10);
}
#endif

int main() { return testing::main(); }
