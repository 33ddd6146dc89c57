// Work off the JavaScript thread, with a promise, and the queue that keeps the work of one context in order.
#pragma once

#include <napi.h>

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "bytes.h"

namespace heddle {

class TaskQueue;

/// One piece of work. Created, completed and destroyed on the JavaScript thread; only `work` runs elsewhere.
class Task final : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  /// `queue` may be null. `result` makes the value of the promise on the JavaScript thread; without it the value is undefined.
  Task(Napi::Env env, std::shared_ptr<TaskQueue> queue, Work work, Result result);

  /// Keeps a buffer alive until the work is done.
  void hold(std::shared_ptr<Pin> pin) { pins_.push_back(std::move(pin)); }
  Napi::Promise promise() const { return deferred_.Promise(); }
  void reject(const std::exception_ptr& error);

 protected:
  void Execute() override;
  void OnOK() override;

 private:
  /// Resolves the promise; an error in making its value is kept for rejection.
  void settle();

  Napi::Promise::Deferred deferred_;
  std::shared_ptr<TaskQueue> queue_;
  Work work_;
  Result result_;
  std::exception_ptr error_;
  std::vector<std::shared_ptr<Pin>> pins_;
};

/// Runs tasks one at a time, in order. QNN handles are not thread-safe, so every context has one.
class TaskQueue : public std::enable_shared_from_this<TaskQueue> {
 public:
  /// Starts `task` now or when its turn comes, and returns its promise.
  Napi::Promise submit(std::unique_ptr<Task> task);
  bool idle() const { return !running_; }
  /// Rejects what has not begun, then calls `done` when nothing runs any more (perhaps at once).
  void close(const std::exception_ptr& reason, std::function<void()> done);

 private:
  friend class Task;
  void finished();
  void start(std::unique_ptr<Task> task);

  std::deque<std::unique_ptr<Task>> waiting_;
  std::function<void()> whenIdle_;
  bool running_ = false;
};

/// Runs a task that belongs to no queue.
Napi::Promise launch(std::unique_ptr<Task> task);

}  // namespace heddle
