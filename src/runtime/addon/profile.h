// Profiling: a handle for one call, and the tree of events it leaves.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend.h"

namespace heddle {

struct ProfileNode {
  std::uint32_t type;  ///< backend-specific event type
  qnn::ProfileUnit unit;
  std::uint64_t value;
  std::string identifier;
  std::vector<ProfileNode> children;
};

class Profile {
 public:
  /// No level: no profiling, and a null handle.
  Profile(const Backend& backend, std::optional<qnn::ProfileLevel> level);
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  qnn::ProfileHandle handle() const { return handle_; }
  std::vector<ProfileNode> events() const;

 private:
  std::vector<ProfileNode> read(const qnn::ProfileEventId* ids, std::uint32_t count, int depth) const;

  const Backend& backend_;
  qnn::ProfileHandle handle_ = nullptr;
};

}  // namespace heddle
