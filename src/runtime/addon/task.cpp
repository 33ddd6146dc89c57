#include "task.h"

#include "js_error.h"

namespace heddle {

Task::Task(Napi::Env env, std::shared_ptr<TaskQueue> queue, Work work, Result result)
    : Napi::AsyncWorker(env, "heddle"),
      deferred_(Napi::Promise::Deferred::New(env)),
      queue_(std::move(queue)),
      work_(std::move(work)),
      result_(std::move(result)) {}

void Task::Execute() {
  try {
    work_();
  } catch (...) {
    error_ = std::current_exception();
  }
}

void Task::OnOK() {
  try {
    // First the queue, so that a close that waits for this task frees its handles before JavaScript goes on.
    if (queue_) queue_->finished();
    if (!error_) settle();
    if (error_) reject(error_);
  } catch (const Napi::Error&) {
    // The environment is ending (a worker was terminated): there is no one left to hear about it.
  }
}

void Task::settle() {
  try {
    deferred_.Resolve(result_ ? result_(Env()) : Env().Undefined());
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    error_ = std::current_exception();
  }
}

void Task::reject(const std::exception_ptr& error) { deferred_.Reject(toJsError(Env(), error)); }

Napi::Promise launch(std::unique_ptr<Task> task) {
  const Napi::Promise promise = task->promise();
  task->Queue();
  // From here the worker owns itself: node-addon-api deletes it after OnOK.
  static_cast<void>(task.release());
  return promise;
}

Napi::Promise TaskQueue::submit(std::unique_ptr<Task> task) {
  const Napi::Promise promise = task->promise();
  if (running_) {
    waiting_.push_back(std::move(task));
  } else {
    start(std::move(task));
  }
  return promise;
}

void TaskQueue::start(std::unique_ptr<Task> task) {
  running_ = true;
  launch(std::move(task));
}

void TaskQueue::finished() {
  running_ = false;
  if (!waiting_.empty()) {
    std::unique_ptr<Task> next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  } else if (whenIdle_) {
    std::exchange(whenIdle_, nullptr)();
  }
}

void TaskQueue::close(const std::exception_ptr& reason, std::function<void()> done) {
  for (const auto& task : std::exchange(waiting_, {})) task->reject(reason);
  if (running_) {
    whenIdle_ = std::move(done);
  } else {
    done();
  }
}

}  // namespace heddle
