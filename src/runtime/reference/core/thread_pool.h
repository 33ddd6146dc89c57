// Threads for the ops of a graph: a decode step runs some two hundred of them in twenty milliseconds, so handing out
// work must cost a few microseconds and never a wait for a thread that is asleep.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

namespace heddle {

class ThreadPool {
 public:
  /// `threads` counts the calling thread; 0: one per core. Throws std::system_error where the system has no more
  /// threads.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::size_t threads() const { return workers_.size() + 1; }

  /// Calls f(task, thread) for every task, on the calling thread (thread 0) and on the workers that are awake in time.
  /// Returns when all are done. f must not throw. When another caller holds the pool, the calling thread does all the
  /// work itself.
  template <class F>
  void forEach(std::size_t tasks, const F& f) {
    run(
        tasks,
        [](const void* body, std::size_t task, std::size_t thread) { (*static_cast<const F*>(body))(task, thread); },
        &f);
  }

 private:
  using Body = void (*)(const void* body, std::size_t task, std::size_t thread);
  void run(std::size_t tasks, Body call, const void* body);
  void serve(std::size_t thread);
  void stop();
  void drain(std::size_t thread);

  std::mutex owner_;  // of the job below
  Body call_ = nullptr;
  const void* body_ = nullptr;
  std::size_t tasks_ = 0;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> open_{false};   // the job may be joined
  std::atomic<int> joined_{0};      // workers that may be reading the job
  std::atomic<int> generation_{0};  // of jobs; workers sleep on it (an int, so that a futex serves it directly)
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

}  // namespace heddle
