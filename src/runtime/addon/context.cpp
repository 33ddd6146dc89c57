#include "context.h"

#include <algorithm>
#include <mutex>

#include "binary_info.h"

namespace heddle {

namespace {

ConfigList contextConfigs(const Backend& backend, const ContextOptions& options) {
  ConfigList configs;
  const std::string provider = backend.provider();
  if (options.borrowStatic) {
    if (!backend.isReference()) {
      throw BadInput("borrowStatic is an option of Heddle's reference backend; this backend is " + provider);
    }
    configs.add(qnn::reference::BORROW_STATIC, 1);
  }
  if ((options.weightSharing || options.prepareOnly) && !backend.isHtp()) {
    throw BadInput("weightSharing and prepareOnly are options of Qualcomm's HTP backend; this backend is " + provider);
  }
  const auto flag = [&configs](std::uint32_t option) {
    qnn::CustomConfig config;
    config.option = option;
    config.flag = 1;
    configs.add(config);
  };
  if (options.weightSharing) flag(qnn::htp::WEIGHT_SHARING);
  if (options.prepareOnly) flag(qnn::htp::PREPARE_ONLY);
  return configs;
}

/// Qualcomm's simulator calls a null pointer when it refuses a binary in a process that has created no graph yet: one that
/// shares weights, for example. After a graph was created it returns its error as it should. NPUs have no such need.
void prepareForRefusal(const Backend& backend) {
#if defined(__x86_64__) || defined(_M_X64)
  if (!backend.isHtp()) return;
  const qnn::Functions& functions = backend.functions();
  qnn::ContextHandle context = nullptr;
  qnn::GraphHandle graph = nullptr;
  backend.call("contextCreate", functions.contextCreate, {}, backend.handle(), backend.device(), nullptr, &context);
  functions.graphCreate(context, "heddle", nullptr, &graph);
  functions.contextFree(context, nullptr);
#endif
}

}  // namespace

Context::Context(std::shared_ptr<Backend> backend, const ContextOptions& options) : backend_(std::move(backend)) {
  ConfigList configs = contextConfigs(*backend_, options);
  const std::lock_guard lock(backend_->creation());
  backend_->call("contextCreate", backend_->functions().contextCreate, {}, backend_->handle(), backend_->device(),
                 configs.get(), &handle_);
}

Context::Context(std::shared_ptr<Backend> backend, const ContextOptions& options, std::span<const std::byte> binary)
    : backend_(std::move(backend)) {
  ConfigList configs = contextConfigs(*backend_, options);
  const std::lock_guard lock(backend_->creation());
  BinaryContents contents = readBinaryInfo(*backend_, binary);
  prepareForRefusal(*backend_);
  backend_->call("contextCreateFromBinary", backend_->functions().contextCreateFromBinary, {}, backend_->handle(),
                 backend_->device(), configs.get(), static_cast<const void*>(binary.data()),
                 static_cast<std::uint64_t>(binary.size()), &handle_, nullptr);
  try {
    for (GraphInterface& interface : contents.graphs) {
      graphs_.push_back(std::make_unique<Graph>(*backend_, handle_, std::move(interface)));
    }
  } catch (...) {
    release();
    throw;
  }
}

Graph& Context::addGraph(const GraphDescription& description, const GraphOptions& options) {
  requireWhole();
  if (find(description.name)) throw BadInput("the context already has a graph named '" + description.name + "'");
  Graph::validate(*backend_, description);
  broken_ = description.name;
  graphs_.push_back(std::make_unique<Graph>(*backend_, handle_, description, options));
  broken_.clear();
  return *graphs_.back();
}

Graph* Context::find(const std::string& name) const {
  const auto found = std::ranges::find(graphs_, name, [](const auto& graph) { return graph->name(); });
  return found == graphs_.end() ? nullptr : found->get();
}

std::map<const Graph*, std::vector<ProfileNode>> Context::finalize(std::optional<qnn::ProfileLevel> level) {
  requireWhole();
  if (graphs_.empty()) throw Misuse("the context has no graph to finalize; call addGraph first");
  std::map<const Graph*, std::vector<ProfileNode>> events;
  for (const auto& graph : graphs_) {
    if (!graph->finalized()) events[graph.get()] = graph->finalize(level);
  }
  return events;
}

SavedContext Context::save() const {
  requireWhole();
  for (const auto& graph : graphs_) {
    if (!graph->finalized()) throw Misuse("graph '" + graph->name() + "' is not finalized; await context.finalize() first");
  }
  std::uint64_t bytes = 0;
  backend_->call("contextGetBinarySize", backend_->functions().contextGetBinarySize, {}, handle_, &bytes);
  // Not filled with zeros: what the binary does not need is then never touched, and takes no memory.
  SavedContext binary{std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(bytes)), 0};
  std::uint64_t written = 0;
  backend_->call("contextGetBinary", backend_->functions().contextGetBinary, {}, handle_,
                 static_cast<void*>(binary.data.get()), bytes, &written);
  if (written > bytes) throw LibraryError("the backend wrote more bytes than it announced");
  binary.bytes = static_cast<std::size_t>(written);
  return binary;
}

void Context::release() {
  if (!backend_) return;
  // Before the graphs, which own inline constants that a backend may have borrowed.
  if (handle_ && backend_->functions().contextFree) backend_->functions().contextFree(handle_, nullptr);
  handle_ = nullptr;
  graphs_.clear();
  backend_.reset();
}

void Context::requireWhole() const {
  if (broken_.empty()) return;
  throw Misuse("graph '" + broken_ + "' of this context could not be built and QNN cannot remove it; create a new context");
}

}  // namespace heddle
