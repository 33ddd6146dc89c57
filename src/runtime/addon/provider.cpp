#include "provider.h"

#include "failure.h"

namespace heddle {

namespace {

std::string toString(const qnn::Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.patch);
}

bool fits(const qnn::Version& core) {
  return core.major == qnn::kCoreVersion.major && core.minor >= qnn::kMinimumCoreMinor;
}

bool newer(const qnn::Version& a, const qnn::Version& b) {
  return a.minor != b.minor ? a.minor > b.minor : a.patch > b.patch;
}

}  // namespace

const qnn::Interface& chooseInterface(const SharedLibrary& library) {
  const auto getProviders = library.find<qnn::GetProviders>(qnn::kGetProviders);
  if (!getProviders) {
    throw LibraryError(library.path() + " is not a QNN backend library: it does not export " + qnn::kGetProviders);
  }
  const qnn::Interface** providers = nullptr;
  std::uint32_t count = 0;
  const qnn::Error error = getProviders(&providers, &count);
  if (error != qnn::kSuccess || !providers || count == 0) {
    throw LibraryError(library.path() + " provides no QNN interface (" + qnn::kGetProviders + " returned " +
                       std::to_string(qnn::codeOf(error)) + " and " + std::to_string(count) + " providers)");
  }
  const qnn::Interface* best = nullptr;
  std::string offered;
  for (std::uint32_t i = 0; i < count; ++i) {
    const qnn::Interface* candidate = providers[i];
    if (!candidate) continue;
    const qnn::Version& core = candidate->version.core;
    offered += (offered.empty() ? "" : ", ") + toString(core);
    if (fits(core) && (!best || newer(core, best->version.core))) best = candidate;
  }
  if (!best) {
    throw LibraryError(library.path() + " provides QNN core API " + offered + "; Heddle needs " +
                       std::to_string(qnn::kCoreVersion.major) + "." + std::to_string(qnn::kMinimumCoreMinor) +
                       " or a newer 2.x");
  }
  return *best;
}

}  // namespace heddle
