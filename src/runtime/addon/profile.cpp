#include "profile.h"

namespace heddle {

namespace {

constexpr int kMaxDepth = 16;

}  // namespace

Profile::Profile(const Backend& backend, std::optional<qnn::ProfileLevel> level) : backend_(backend) {
  if (level) backend.call("profileCreate", backend.functions().profileCreate, {}, backend.handle(), *level, &handle_);
}

Profile::~Profile() {
  if (handle_ && backend_.functions().profileFree) backend_.functions().profileFree(handle_);
}

std::vector<ProfileNode> Profile::events() const {
  if (!handle_) return {};
  const qnn::ProfileEventId* ids = nullptr;
  std::uint32_t count = 0;
  backend_.call("profileGetEvents", backend_.functions().profileGetEvents, {}, handle_, &ids, &count);
  return read(ids, count, 0);
}

std::vector<ProfileNode> Profile::read(const qnn::ProfileEventId* ids, std::uint32_t count, int depth) const {
  std::vector<ProfileNode> nodes;
  for (std::uint32_t i = 0; ids && i < count; ++i) {
    qnn::ProfileEvent event{};
    backend_.call("profileGetEventData", backend_.functions().profileGetEventData, {}, ids[i], &event);
    nodes.push_back({event.type, event.unit, event.value, event.identifier ? event.identifier : "", {}});
    const qnn::ProfileEventId* children = nullptr;
    std::uint32_t childCount = 0;
    // An event without sub-events may answer with an error, which means none.
    const auto getSubEvents = backend_.functions().profileGetSubEvents;
    if (depth < kMaxDepth && getSubEvents && getSubEvents(ids[i], &children, &childCount) == qnn::kSuccess) {
      nodes.back().children = read(children, childCount, depth + 1);
    }
  }
  return nodes;
}

}  // namespace heddle
