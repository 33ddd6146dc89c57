#include "binary_info.h"

#include "file_path.h"

namespace heddle {

namespace {

#ifdef _WIN32
constexpr const char* kSystemLibrary = "QnnSystem.dll";
#else
constexpr const char* kSystemLibrary = "libQnnSystem.so";
#endif

constexpr std::uint32_t kSystemMajor = 1;

const qnn::SystemInterface* chooseSystem(const SharedLibrary& library) {
  const auto getProviders = library.find<qnn::GetSystemProviders>(qnn::kGetSystemProviders);
  const qnn::SystemInterface** providers = nullptr;
  std::uint32_t count = 0;
  if (!getProviders || getProviders(&providers, &count) != qnn::kSuccess || !providers) return nullptr;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (providers[i] && providers[i]->version.major == kSystemMajor) return providers[i];
  }
  return nullptr;
}

/// A system context, whose life is that of the descriptions it hands out.
class SystemContext {
 public:
  explicit SystemContext(const Backend& backend, const qnn::SystemFunctions& functions)
      : backend_(backend), functions_(functions) {
    backend.call("systemContextCreate", functions.contextCreate, {}, &handle_);
  }
  ~SystemContext() {
    if (handle_ && functions_.contextFree) functions_.contextFree(handle_);
  }
  SystemContext(const SystemContext&) = delete;
  SystemContext& operator=(const SystemContext&) = delete;

  const qnn::BinaryInfo* describe(std::span<const std::byte> binary) const {
    const qnn::BinaryInfo* info = nullptr;
    std::uint64_t bytes = 0;
    // The call takes mutable memory but only reads it.
    backend_.call("systemContextGetBinaryInfo", functions_.contextGetBinaryInfo, {}, handle_,
                  const_cast<std::byte*>(binary.data()), static_cast<std::uint64_t>(binary.size()), &info, &bytes);
    return info;
  }

 private:
  const Backend& backend_;
  const qnn::SystemFunctions& functions_;
  qnn::SystemContextHandle handle_ = nullptr;
};

GraphInterface copy(const qnn::GraphInfoV3& graph) {
  GraphInterface result{graph.name ? graph.name : "", {}, {}};
  for (std::uint32_t i = 0; i < graph.inputCount; ++i) result.inputs.emplace_back(graph.inputs[i]);
  for (std::uint32_t i = 0; i < graph.outputCount; ++i) result.outputs.emplace_back(graph.outputs[i]);
  return result;
}

/// What both layouts of the description have.
template <class Info>
BinaryContents copyCommon(const Info& info) {
  const auto text = [](const char* t) { return std::string(t ? t : ""); };
  BinaryContents result;
  result.buildId = text(info.buildId);
  result.coreVersion = info.coreVersion;
  result.backendVersion = info.backendVersion;
  result.backendId = info.backendId;
  result.socVersion = text(info.socVersion);
  for (std::uint32_t i = 0; i < info.graphCount; ++i) result.graphs.push_back(copy(info.graphs[i].v3));
  return result;
}

BinaryContents copy(const qnn::BinaryInfo* info) {
  if (!info || info->version < 1 || info->version > 3) {
    throw LibraryError("the context binary's description has version " + std::to_string(info ? info->version : 0) +
                       "; Heddle reads versions 1 to 3");
  }
  if (info->version < 3) return copyCommon(info->v1);
  BinaryContents result = copyCommon(info->v3);
  result.socModel = info->v3.socModel;
  return result;
}

}  // namespace

BinaryContents readBinaryInfo(const Backend& backend, std::span<const std::byte> binary) {
  if (const auto* own = chooseSystem(backend.library())) {
    return copy(SystemContext(backend, own->functions).describe(binary));
  }
  const auto beside = filePath(backend.library().path()).parent_path() / kSystemLibrary;
  const auto text = beside.u8string();
  const SharedLibrary library(std::string(text.begin(), text.end()));
  const auto* system = chooseSystem(library);
  if (!system) throw LibraryError(library.path() + " does not provide version 1 of the QNN system interface");
  return copy(SystemContext(backend, system->functions).describe(binary));
}

}  // namespace heddle
