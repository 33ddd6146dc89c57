// Profiles: trees of events that finalize and execute leave behind.
#include "api.h"

namespace heddle {

ProfileRecord& Profile::add(ProfileRecord* parent, std::uint32_t type, qnn::ProfileUnit unit, std::uint64_t value,
                            std::string identifier) {
  auto record = std::make_unique<ProfileRecord>();
  ProfileRecord& r = *record;
  r.identifier = std::move(identifier);
  r.data = {type, unit, value, r.identifier.c_str()};
  (parent == nullptr ? ids : parent->childIds).push_back(reinterpret_cast<qnn::ProfileEventId>(&r));
  (parent == nullptr ? events : parent->children).push_back(std::move(record));
  return r;
}

namespace {

/// An event id of a profile that is still alive is the address of a record of it.
const ProfileRecord* recordOf(qnn::ProfileEventId id) { return reinterpret_cast<const ProfileRecord*>(id); }

}  // namespace

namespace api {

Error profileCreate(BackendHandle backendHandle, ProfileLevel level, ProfileHandle* handle) {
  const auto backend = handles<Backend>().find(backendHandle);
  if (backend == nullptr) return code::BACKEND_INVALID_HANDLE;
  if (handle == nullptr || (level != ProfileLevel::BASIC && level != ProfileLevel::DETAILED))
    return code::INVALID_ARGUMENT;
  return guarded(backend->log.get(), [&] {
    auto profile = std::make_shared<Profile>();
    profile->level = level;
    *handle = handles<Profile>().add(std::move(profile));
  });
}

Error profileGetEvents(ProfileHandle handle, const ProfileEventId** events, std::uint32_t* count) {
  const auto profile = handles<Profile>().find(handle);
  if (profile == nullptr) return code::PROFILE_INVALID_HANDLE;
  if (events == nullptr || count == nullptr) return code::INVALID_ARGUMENT;
  *events = profile->ids.data();
  *count = static_cast<std::uint32_t>(profile->ids.size());
  return kSuccess;
}

Error profileGetSubEvents(ProfileEventId id, const ProfileEventId** events, std::uint32_t* count) {
  if (id == 0 || events == nullptr || count == nullptr) return code::INVALID_ARGUMENT;
  *events = recordOf(id)->childIds.data();
  *count = static_cast<std::uint32_t>(recordOf(id)->childIds.size());
  return kSuccess;
}

Error profileGetEventData(ProfileEventId id, ProfileEvent* data) {
  if (id == 0 || data == nullptr) return code::INVALID_ARGUMENT;
  *data = recordOf(id)->data;
  return kSuccess;
}

Error profileFree(ProfileHandle handle) {
  return handles<Profile>().take(handle) == nullptr ? code::PROFILE_INVALID_HANDLE : kSuccess;
}

}  // namespace api
}  // namespace heddle
