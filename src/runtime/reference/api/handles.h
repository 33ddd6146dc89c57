// Live objects by the handle the application holds, so that a stale or foreign handle is an error code and not a crash.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

namespace heddle {

template <class T>
class HandleTable {
 public:
  /// Returns the handle, which is the object's address.
  void* add(std::shared_ptr<T> object) {
    void* handle = object.get();
    return add(handle, std::move(object));
  }
  void* add(void* handle, std::shared_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    objects_.insert_or_assign(handle, std::move(object));
    return handle;
  }
  /// Null for an unknown handle.
  std::shared_ptr<T> find(const void* handle) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(const_cast<void*>(handle));
    return found == objects_.end() ? nullptr : found->second;
  }
  /// The object, no longer in the table; null for an unknown handle.
  std::shared_ptr<T> take(void* handle) {
    const std::lock_guard lock(mutex_);
    const auto node = objects_.extract(handle);
    return node.empty() ? nullptr : std::move(node.mapped());
  }
  template <class F>
  void each(const F& f) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, object] : objects_) f(*object);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<void*, std::shared_ptr<T>> objects_;
};

/// The table of a kind of object.
template <class T>
HandleTable<T>& handles() {
  static HandleTable<T> table;
  return table;
}

}  // namespace heddle
