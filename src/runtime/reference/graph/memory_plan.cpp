#include "memory_plan.h"

#include <algorithm>
#include <numeric>

#include "../core/buffer.h"

namespace heddle {

MemoryPlan planMemory(const std::vector<Lifetime>& lives) {
  MemoryPlan plan;
  plan.offsets.assign(lives.size(), 0);
  std::vector<std::size_t> order(lives.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return lives[i].bytes; });
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    const Lifetime& life = lives[i];
    if (life.bytes == 0) continue;
    const std::size_t bytes = alignUp(life.bytes);
    std::size_t at = 0;
    for (const std::size_t j : placed) {
      if (lives[j].last < life.first || life.last < lives[j].first) continue;
      if (at + bytes <= plan.offsets[j]) break;
      at = std::max(at, plan.offsets[j] + alignUp(lives[j].bytes));
    }
    plan.offsets[i] = at;
    plan.bytes = std::max(plan.bytes, at + bytes);
    placed.insert(std::ranges::upper_bound(placed, at, {}, [&](std::size_t j) { return plan.offsets[j]; }), i);
  }
  return plan;
}

}  // namespace heddle
