#include "thread_pool.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace heddle {
namespace {

constexpr int kSpins =
    2000;  // some 40 microseconds: longer than the gap between two ops, shorter than a scheduler tick

void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

}  // namespace

ThreadPool::ThreadPool(unsigned threads) {
  if (threads == 0) threads = std::thread::hardware_concurrency();
  try {
    for (unsigned i = 1; i < threads; ++i) workers_.emplace_back([this, i] { serve(i); });
  } catch (...) {
    stop();  // a thread that nobody joins would end the process
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stopping_ = true;
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(std::size_t tasks, Body call, const void* body) {
  std::unique_lock lock(owner_, std::defer_lock);
  if (tasks <= 1 || workers_.empty() || !lock.try_lock()) {
    for (std::size_t i = 0; i < tasks; ++i) call(body, i, 0);
    return;
  }
  call_ = call;
  body_ = body;
  tasks_ = tasks;
  next_.store(0, std::memory_order_relaxed);
  open_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  drain(0);
  // A worker first counts itself in, then looks whether the job is open; closing before reading the count (all
  // sequentially consistent) means that nobody can join unseen.
  open_.store(false);
  while (joined_.load() != 0) relax();
}

void ThreadPool::drain(std::size_t thread) {
  for (std::size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < tasks_;) call_(body_, i, thread);
}

void ThreadPool::serve(std::size_t thread) {
  int seen = 0;
  while (!stopping_.load()) {
    int now = generation_.load();
    for (int i = 0; now == seen && i < kSpins; ++i) {
      relax();
      now = generation_.load();
    }
    if (now == seen) {
      generation_.wait(seen);
      continue;
    }
    seen = now;
    joined_.fetch_add(1);
    if (open_.load()) drain(thread);
    joined_.fetch_sub(1);
  }
}

}  // namespace heddle
