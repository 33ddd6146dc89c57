// Threads and memory: the pool, two contexts at once, the arena.
#include <array>
#include <atomic>
#include <thread>

#include "../../src/runtime/reference/core/buffer.h"
#include "../../src/runtime/reference/core/thread_pool.h"
#include "../../src/runtime/reference/graph/memory_plan.h"
#include "small_graph.h"

using namespace testing;

TEST(two_contexts_execute_at_once) {
  const Weights weights;
  std::atomic<int> wrong{0};
  Host a(backend()), b(backend());
  buildSmall(a, weights.w, weights.b);
  buildSmall(b, weights.w, weights.b);
  const SmallRun expected(a, weights.x);
  const auto loop = [&](Host& h) {
    for (int i = 0; i < 300; ++i) wrong += SmallRun(h, weights.x).out != expected.out;
  };
  std::thread first(loop, std::ref(a)), second(loop, std::ref(b)), third(loop, std::ref(a));
  first.join();
  second.join();
  third.join();
  CHECK_EQUAL(wrong.load(), 0);
}

TEST(thread_pool_runs_every_task_once) {
  heddle::ThreadPool pool(4);
  for (int round = 0; round < 2000; ++round) {
    std::array<std::atomic<int>, 37> done{};
    pool.forEach(done.size(),
                 [&](std::size_t task, std::size_t thread) { done[task] += thread < pool.threads() ? 1 : 100; });
    for (const auto& d : done) CHECK_EQUAL(d.load(), 1);
    if (round % 500 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // lets the workers fall asleep
  }
}

TEST(memory_plan_never_overlaps) {
  Random random;
  for (int round = 0; round < 50; ++round) {
    std::vector<heddle::Lifetime> lives(60);
    std::size_t total = 0;
    for (auto& l : lives) {
      l.first = random.next() % 40;
      l.last = l.first + random.next() % 8;
      l.bytes = random.next() % 1000;
      total += heddle::alignUp(l.bytes);
    }
    const auto plan = heddle::planMemory(lives);
    CHECK(plan.bytes <= total);
    for (std::size_t i = 0; i < lives.size(); ++i) {
      CHECK(plan.offsets[i] % 64 == 0 && plan.offsets[i] + lives[i].bytes <= plan.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together =
            lives[i].first <= lives[j].last && lives[j].first <= lives[i].last && lives[i].bytes && lives[j].bytes;
        CHECK(!together || plan.offsets[i] + lives[i].bytes <= plan.offsets[j] ||
              plan.offsets[j] + lives[j].bytes <= plan.offsets[i]);
      }
    }
  }
}

TEST(chain_reuses_memory_and_views_cost_nothing) {
  Host h(backend());
  infoLines().clear();
  h.tensor("t0", IN, {1, 1024});
  for (int i = 1; i <= 20; ++i) {
    const std::string from = "t" + std::to_string(i - 1), to = "t" + std::to_string(i);
    h.tensor(to, i == 20 ? OUT : TensorType::NATIVE, i % 2 == 0 ? Dims{1, 1024} : Dims{1024, 1});
    if (i % 2 == 0)
      h.node("Transpose", {Param::list<U>("perm", {1, 0})}, {from}, {to});
    else
      h.node("Reshape", {}, {from}, {to});
    if (i % 5 != 0 || i == 20) continue;
    h.tensor(to + "x", TensorType::NATIVE, i % 2 == 0 ? Dims{1, 1024} : Dims{1024, 1});
    h.node("Tanh", {}, {to}, {to + "x"});
    h.tensors[to] = h.tensors[to + "x"];
  }
  h.finalize();
  CHECK(!infoLines().empty() && infoLines().back().find(" 8192 bytes of arena") != std::string::npos);
  std::vector<float> x(1024, 0.25F), y(1024);
  h.run({{"t0", x}, {"t20", y}});
  CHECK(std::fabs(y[1023] - std::tanh(std::tanh(std::tanh(0.25F)))) < 1e-6F);
}

int main() { return testing::main(); }
