// Contexts and their binaries.
#include "../binary/binary.h"
#include "api.h"
#include "config.h"

namespace heddle {
namespace {

bool borrowsStatic(const qnn::Config** configs) {
  bool borrow = false;
  readConfigs(configs, "context", code::CONTEXT_INVALID_CONFIG, [&](std::uint32_t option, std::uint32_t value) {
    borrow = value != 0;
    return option == qnn::reference::BORROW_STATIC;
  });
  return borrow;
}

/// Runs f with the context behind a handle.
template <class F>
qnn::Error withContext(qnn::ContextHandle handle, const F& f) {
  const auto context = handles<Context>().find(handle);
  if (context == nullptr) return code::CONTEXT_INVALID_HANDLE;
  return guarded(context->backend->log.get(), [&] { f(*context); });
}

void requireFinalized(const Context& context) {
  for (const auto& graph : context.graphs) {
    if (!graph->finalized())
      throw Failure(code::CONTEXT_NOT_FINALIZED, "graph '" + graph->name() + "' is not finalized");
  }
}

std::vector<const Graph*> graphsOf(const Context& context) {
  std::vector<const Graph*> graphs;
  for (const auto& graph : context.graphs) graphs.push_back(graph.get());
  return graphs;
}

}  // namespace

namespace api {

Error contextCreate(BackendHandle backendHandle, DeviceHandle, const Config** configs, ContextHandle* handle) {
  const auto backend = handles<Backend>().find(backendHandle);
  if (backend == nullptr) return code::BACKEND_INVALID_HANDLE;
  if (handle == nullptr) return code::CONTEXT_INVALID_ARGUMENT;
  return guarded(backend->log.get(),
                 [&] { *handle = handles<Context>().add(std::make_shared<Context>(backend, borrowsStatic(configs))); });
}

Error contextGetBinarySize(ContextHandle handle, std::uint64_t* bytes) {
  if (bytes == nullptr) return code::CONTEXT_INVALID_ARGUMENT;
  return withContext(handle, [&](const Context& context) {
    requireFinalized(context);
    *bytes = BinaryWriter(graphsOf(context)).bytes();
  });
}

Error contextGetBinary(ContextHandle handle, void* buffer, std::uint64_t bytes, std::uint64_t* written) {
  if (buffer == nullptr || written == nullptr) return code::CONTEXT_INVALID_ARGUMENT;
  return withContext(handle, [&](const Context& context) {
    requireFinalized(context);
    const BinaryWriter writer(graphsOf(context));
    if (bytes < writer.bytes()) {
      throw Failure(code::CONTEXT_GET_BINARY_FAILED, "the buffer has " + std::to_string(bytes) +
                                                         " bytes, the context binary needs " +
                                                         std::to_string(writer.bytes()));
    }
    writer.write(static_cast<std::byte*>(buffer));
    *written = writer.bytes();
  });
}

Error contextCreateFromBinary(BackendHandle backendHandle, DeviceHandle, const Config** configs, const void* binary,
                              std::uint64_t bytes, ContextHandle* handle, ProfileHandle) {
  const auto backend = handles<Backend>().find(backendHandle);
  if (backend == nullptr) return code::BACKEND_INVALID_HANDLE;
  if (binary == nullptr || handle == nullptr) return code::CONTEXT_INVALID_ARGUMENT;
  return guarded(backend->log.get(), [&] {
    const bool borrow =
        borrowsStatic(configs) && reinterpret_cast<std::uintptr_t>(binary) % alignof(std::max_align_t) == 0;
    // Either way the constants stay where they are in the binary: in the caller's memory, or in the context's one copy
    // of it.
    auto context = std::make_shared<Context>(backend, true);
    std::span<const std::byte> content(static_cast<const std::byte*>(binary), bytes);
    BinaryReader::checkHeader(content);
    if (!borrow) {
      context->binary = AlignedBuffer(content.size());
      std::memcpy(context->binary.data(), content.data(), content.size());
      content = {context->binary.data(), content.size()};
    }
    BinaryReader reader(content);
    for (BinaryGraph& read : reader.graphs()) {
      const auto graph = std::make_shared<Graph>(std::move(read.name), context->workplace);
      for (TensorInfo& t : read.tensors) graph->addTensor(std::move(t));
      for (BinaryNode& node : read.nodes) graph->addNode(node.resolve(graph->tensors()));
      graph->finalize();
      context->graphs.push_back(graph);
    }
    *handle = handles<Context>().add(std::move(context));
  });
}

Error contextFree(ContextHandle handle, ProfileHandle) {
  const auto context = handles<Context>().take(handle);
  if (context == nullptr) return code::CONTEXT_INVALID_HANDLE;
  for (const auto& graph : context->graphs) handles<GraphRef>().take(graph.get());
  return kSuccess;
}

}  // namespace api
}  // namespace heddle
