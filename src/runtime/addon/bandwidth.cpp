#include "bandwidth.h"

#include "js_error.h"

#include <barrier>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace heddle {
namespace {

void prefetch(const void* p) {
#if defined(_MSC_VER) && defined(_M_X64)
  _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
#elif defined(_MSC_VER)
  __prefetch(p);
#else
  __builtin_prefetch(p);
#endif
}

// Eight independent sums keep the loads in flight; the compiler turns them into vector registers.
template <bool FetchAhead>
std::uint64_t sumWords(const std::uint64_t* words, std::size_t count) {
  constexpr std::size_t kWordsAhead = 512;  // 4 KiB: a processor fetches ahead by itself within a page
  std::uint64_t lanes[8] = {};
  for (std::size_t i = 0; i + 8 <= count; i += 8) {
    if constexpr (FetchAhead) prefetch(words + (i + kWordsAhead < count ? i + kWordsAhead : i));
    for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += words[i + lane];
  }
  std::uint64_t total = 0;
  for (const std::uint64_t lane : lanes) total += lane;
  return total;
}

std::vector<double> timeReads(std::size_t bytes, unsigned threads, unsigned repeats, bool fetchAhead) {
  using clock = std::chrono::steady_clock;
  std::vector<std::uint64_t> memory(bytes / sizeof(std::uint64_t), 1);
  std::vector<std::uint64_t> sums(threads);
  std::vector<double> seconds;
  clock::time_point start;
  std::barrier sync(static_cast<std::ptrdiff_t>(threads));
  const auto sum = fetchAhead ? sumWords<true> : sumWords<false>;
  const std::size_t part = memory.size() / threads;
  const auto read = [&](unsigned thread) {
    for (unsigned repeat = 0; repeat < repeats; ++repeat) {
      sync.arrive_and_wait();
      if (thread == 0) start = clock::now();
      sums[thread] += sum(memory.data() + part * thread, part);
      sync.arrive_and_wait();
      if (thread == 0) seconds.push_back(std::chrono::duration<double>(clock::now() - start).count());
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned thread = 1; thread < threads; ++thread) others.emplace_back(read, thread);
    read(0);
  }
  // The sums are used, so the reads cannot be removed.
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) total += sum;
  if (total == 0) seconds.clear();
  return seconds;
}

}  // namespace

Napi::Value readBandwidth(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto number = [&](const char* key) {
    const Napi::Value value = info.Length() > 0 && info[0].IsObject() ? info[0].As<Napi::Object>().Get(key) : env.Undefined();
    return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0.0;
  };
  const double bytes = number("bytes"), threads = number("threads"), repeats = number("repeats");
  if (!(bytes >= 4096 && bytes <= 16e9) || !(threads >= 1 && threads <= 256) || !(repeats >= 1 && repeats <= 1000))
    throw Napi::RangeError::New(env, "readBandwidth takes { bytes: 4096..16e9, threads: 1..256, repeats: 1..1000 }");
  const bool fetchAhead = info[0].As<Napi::Object>().Get("fetchAhead").ToBoolean();
  return guarded(env, [&]() -> Napi::Value {
    const std::vector<double> seconds = timeReads(static_cast<std::size_t>(bytes), static_cast<unsigned>(threads),
                                                  static_cast<unsigned>(repeats), fetchAhead);
    Napi::Float64Array result = Napi::Float64Array::New(env, seconds.size());
    for (std::size_t i = 0; i < seconds.size(); ++i) result[i] = seconds[i];
    return result;
  });
}

}  // namespace heddle
