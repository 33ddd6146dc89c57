#include "profile.h"

#include <cstring>
#include <utility>

namespace heddle {

namespace {

constexpr int kMaxDepth = 16;

/// The numeric value of a scalar of any type.
std::uint64_t valueOf(const qnn::ExtendedProfileEvent& event) {
  qnn::Scalar scalar;
  std::memcpy(&scalar, event.data, sizeof scalar);
  switch (scalar.dataType) {
    case qnn::DataType::UINT_64:
    case qnn::DataType::INT_64: return scalar.u64;
    case qnn::DataType::FLOAT_32: return static_cast<std::uint64_t>(scalar.f32);
    case qnn::DataType::FLOAT_64: return static_cast<std::uint64_t>(scalar.f64);
    default: return scalar.u32;
  }
}

/// An event in whichever of the two forms the backend gives; nothing for one whose value is no number.
std::optional<ProfileNode> readEvent(const qnn::Functions& functions, qnn::ProfileEventId id) {
  const auto text = [](const char* identifier) { return std::string(identifier ? identifier : ""); };
  qnn::ProfileEvent event{};
  if (functions.profileGetEventData && functions.profileGetEventData(id, &event) == qnn::kSuccess) {
    return ProfileNode{event.type, event.unit, event.value, text(event.identifier), {}};
  }
  qnn::ExtendedProfileEvent extended;
  if (functions.profileGetExtendedEventData &&
      functions.profileGetExtendedEventData(id, &extended) == qnn::kSuccess &&
      extended.unit != qnn::ProfileUnit::OBJECT) {
    return ProfileNode{extended.type, extended.unit, valueOf(extended), text(extended.identifier), {}};
  }
  return std::nullopt;
}

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
    std::optional<ProfileNode> event = readEvent(backend_.functions(), ids[i]);
    if (!event) continue;
    nodes.push_back(std::move(*event));
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
