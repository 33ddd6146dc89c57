#include "state.h"

namespace heddle {

Backend& BackendState::open() const {
  if (!core) throw Misuse("the backend is closed");
  return *core;
}

void BackendState::adopt(const std::shared_ptr<ContextState>& context) {
  std::erase_if(contexts, [](const auto& known) { return known.expired(); });
  contexts.push_back(context);
}

void BackendState::close() {
  for (const auto& known : std::exchange(contexts, {})) {
    if (const auto context = known.lock()) context->close();
  }
  core.reset();
}

Context& ContextState::open() const {
  if (closed) throw Misuse("the context is closed");
  return *core;
}

Context& ContextState::idle() const {
  Context& context = open();
  if (!queue->idle()) throw Misuse("the context is busy; await what it is doing first");
  return context;
}

void ContextState::close() {
  if (closed) return;
  closed = true;
  const auto reason = std::make_exception_ptr(Misuse("the context was closed before this could begin"));
  // The queue outlives this object if a task is running, so what is freed at the end is captured by value.
  queue->close(reason, [context = core, held = std::exchange(pins, {})]() mutable {
    context->release();
    held.clear();
  });
}

}  // namespace heddle
