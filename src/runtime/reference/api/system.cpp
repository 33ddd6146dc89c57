// The system interface: describes a context binary without loading it.
#include "../binary/binary.h"
#include "api.h"

namespace heddle {

qnn::Tensor tensorView(const TensorInfo& t) {
  qnn::Tensor r;
  r.v1.id = t.id;
  r.v1.name = t.name.c_str();
  r.v1.type = t.type;
  r.v1.dataType = t.dataType;
  r.v1.rank = static_cast<std::uint32_t>(t.rank());
  r.v1.dims = const_cast<std::uint32_t*>(t.dims.data());  // the interface has no const here; nobody writes to it
  return r;
}

namespace {

/// Owns what a description points to.
struct SystemContext {
  struct Graph {
    BinaryGraph content;
    std::vector<qnn::Tensor> inputs, outputs;
  };
  std::deque<Graph> graphs;
  std::vector<qnn::GraphInfo> infos;
  qnn::BinaryInfo info{};

  void describe(std::span<const std::byte> binary) {
    graphs.clear();
    infos.clear();
    BinaryReader reader(binary);
    for (BinaryGraph& content : reader.graphs()) {
      Graph& g = graphs.emplace_back(Graph{std::move(content), {}, {}});
      for (const TensorInfo& t : g.content.tensors) {
        // State that the graph updates in place is listed once, as an input.
        if (t.type == qnn::TensorType::APP_WRITE || t.type == qnn::TensorType::APP_READWRITE)
          g.inputs.push_back(tensorView(t));
        if (t.type == qnn::TensorType::APP_READ) g.outputs.push_back(tensorView(t));
      }
      qnn::GraphInfo& i = infos.emplace_back();
      i.version = 1;
      i.v3.name = g.content.name.c_str();
      i.v3.inputCount = static_cast<std::uint32_t>(g.inputs.size());
      i.v3.inputs = g.inputs.data();
      i.v3.outputCount = static_cast<std::uint32_t>(g.outputs.size());
      i.v3.outputs = g.outputs.data();
    }
    info = {};
    info.version = 1;
    info.v1.backendId = qnn::reference::kBackendId;
    info.v1.buildId = kBuildId;
    info.v1.coreVersion = qnn::kCoreVersion;
    info.v1.backendVersion = kBackendVersion;
    info.v1.socVersion = "";
    info.v1.contextBlobVersion = {kBinaryVersion, 0, 0};
    info.v1.contextBlobBytes = binary.size();
    info.v1.graphCount = static_cast<std::uint32_t>(infos.size());
    info.v1.graphs = infos.data();
  }
};

}  // namespace

namespace api {

Error systemContextCreate(SystemContextHandle* handle) {
  if (handle == nullptr) return code::SYSTEM_INVALID_ARGUMENT;
  return guarded(nullptr, [&] { *handle = handles<SystemContext>().add(std::make_shared<SystemContext>()); });
}

Error systemContextGetMetaData(SystemContextHandle handle, const void* binary, std::uint64_t bytes,
                               const BinaryInfo** info) {
  const auto context = handles<SystemContext>().find(handle);
  if (context == nullptr) return code::SYSTEM_INVALID_HANDLE;
  if (binary == nullptr || info == nullptr) return code::SYSTEM_INVALID_ARGUMENT;
  const auto refuse = [](const std::exception& why) {
    // The system interface is given no log, so its refusals go to the log of every backend in use.
    handles<Log>().each([&](const Log& log) { log.write(LogLevel::ERROR_LEVEL, why.what()); });
  };
  return guarded(nullptr, [&] {
    try {
      context->describe({static_cast<const std::byte*>(binary), bytes});
    } catch (const std::exception& why) {
      refuse(why);
      throw;
    }
    *info = &context->info;
  });
}

Error systemContextGetBinaryInfo(SystemContextHandle handle, void* binary, std::uint64_t bytes, const BinaryInfo** info,
                                 std::uint64_t* infoBytes) {
  if (infoBytes == nullptr) return code::SYSTEM_INVALID_ARGUMENT;
  *infoBytes = sizeof(BinaryInfo);
  return systemContextGetMetaData(handle, binary, bytes, info);
}

Error systemContextFree(SystemContextHandle handle) {
  return handles<SystemContext>().take(handle) == nullptr ? code::SYSTEM_INVALID_HANDLE : kSuccess;
}

}  // namespace api
}  // namespace heddle
