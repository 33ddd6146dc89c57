// What the JavaScript objects share. A context may be closed while a run is under way; these keep the order of freeing right.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "context.h"
#include "task.h"

namespace heddle {

struct ContextState;

/// Shared by a Backend object and the contexts made from it.
struct BackendState {
  std::shared_ptr<Backend> core;  ///< null once closed
  std::vector<std::weak_ptr<ContextState>> contexts;

  Backend& open() const;
  /// Closes all contexts. The library is let go when the last of them has stopped running.
  void close();
  void adopt(const std::shared_ptr<ContextState>& context);
};

struct GraphProfile {
  std::vector<ProfileNode> finalize, execute;
};

/// Shared by a Context object, its Graph objects and its tasks.
struct ContextState {
  std::vector<std::shared_ptr<Pin>> pins;  ///< weights that the backend may still read; declared first, so they go last
  std::shared_ptr<Context> core;
  std::shared_ptr<TaskQueue> queue = std::make_shared<TaskQueue>();
  std::map<const Graph*, GraphProfile> profiles;
  bool borrowStatic = false;
  bool closed = false;

  Context& open() const;
  /// As `open`, and nothing may be running.
  Context& idle() const;
  void close();
};

}  // namespace heddle
