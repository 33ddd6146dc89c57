#include "graph.h"

#include <utility>

namespace heddle {

namespace {

/// The op configuration of a node and the arrays that it points into.
class NodeConfig {
 public:
  NodeConfig(const NodeDescription& node, const std::deque<OwnedTensor>& tensors) {
    for (const ParamDescription& param : node.params) {
      qnn::Param& raw = params_.emplace_back();
      raw.name = param.name.c_str();
      if (const auto* scalar = std::get_if<qnn::Scalar>(&param.value)) {
        raw.kind = qnn::ParamKind::SCALAR;
        raw.scalar = *scalar;
      } else {
        raw.kind = qnn::ParamKind::TENSOR;
        raw.tensor = tensors[std::get<std::size_t>(param.value)].raw();
      }
    }
    for (const std::size_t input : node.inputs) inputs_.push_back(tensors[input].raw());
    for (const std::size_t output : node.outputs) outputs_.push_back(tensors[output].raw());
    config_.name = node.name.c_str();
    config_.package = node.package.c_str();
    config_.type = node.type.c_str();
    config_.paramCount = static_cast<std::uint32_t>(params_.size());
    config_.params = params_.data();
    config_.inputCount = static_cast<std::uint32_t>(inputs_.size());
    config_.inputs = inputs_.data();
    config_.outputCount = static_cast<std::uint32_t>(outputs_.size());
    config_.outputs = outputs_.data();
  }
  NodeConfig(const NodeConfig&) = delete;
  NodeConfig& operator=(const NodeConfig&) = delete;

  const qnn::OpConfig& raw() const { return config_; }

 private:
  std::vector<qnn::Param> params_;
  std::vector<qnn::Tensor> inputs_, outputs_;
  qnn::OpConfig config_;
};

Where whereIs(const GraphDescription& graph, const NodeDescription& node) {
  return {.graph = graph.name, .node = node.name, .op = node.type, .tensor = {}, .location = node.location};
}

Where whereIs(const std::string& graph) {
  return {.graph = graph, .node = {}, .op = {}, .tensor = {}, .location = {}};
}

ConfigList graphConfigs(const Backend& backend, const GraphOptions& options) {
  ConfigList configs;
  if (!options.optimization && !options.vtcmMegabytes && !options.hvxThreads) return configs;
  if (!backend.isHtp()) {
    throw BadInput("optimization, vtcm and hvxThreads are options of Qualcomm's HTP backend; this backend is " +
                   backend.provider());
  }
  if (options.optimization) {
    qnn::CustomConfig config;
    config.option = qnn::htp::OPTIMIZATION;
    config.optimization = {qnn::htp::kFinalizeOptimizationFlag, static_cast<float>(*options.optimization)};
    configs.add(config);
  }
  if (options.vtcmMegabytes) configs.add(qnn::htp::VTCM_SIZE, *options.vtcmMegabytes);
  if (options.hvxThreads) configs.add(qnn::htp::HVX_THREADS, *options.hvxThreads);
  return configs;
}

}  // namespace

namespace {

/// Calls `refused` with the failure of each node.
template <class Refused>
void validateNodes(const Backend& backend, const GraphDescription& description, Refused refused) {
  if (!backend.functions().backendValidateOpConfig) return;
  std::deque<OwnedTensor> tensors;
  for (const TensorDescription& tensor : description.tensors) tensors.emplace_back(tensor);
  for (const NodeDescription& node : description.nodes) {
    const NodeConfig config(node, tensors);
    try {
      backend.call("backendValidateOpConfig", backend.functions().backendValidateOpConfig, whereIs(description, node),
                   backend.handle(), config.raw());
    } catch (const QnnFailure& failure) {
      refused(failure);
    }
  }
}

}  // namespace

void Graph::validate(const Backend& backend, const GraphDescription& description) {
  validateNodes(backend, description, [](const QnnFailure& failure) { throw failure; });
}

std::vector<QnnFailure> Graph::refusals(const Backend& backend, const GraphDescription& description) {
  std::vector<QnnFailure> all;
  validateNodes(backend, description, [&all](const QnnFailure& failure) { all.push_back(failure); });
  return all;
}

Graph::Graph(const Backend& backend, qnn::ContextHandle context, const GraphDescription& description,
             const GraphOptions& options)
    : backend_(backend), name_(description.name) {
  ConfigList configs = graphConfigs(backend, options);
  backend.call("graphCreate", backend.functions().graphCreate, whereIs(name_), context, name_.c_str(), configs.get(),
               &handle_);
  for (const TensorDescription& tensor : description.tensors) {
    Where where = whereIs(name_);
    where.tensor = tensor.name;
    backend.call("tensorCreateGraphTensor", backend.functions().tensorCreateGraphTensor, where, handle_,
                 &tensors_.emplace_back(tensor).raw());
  }
  for (const NodeDescription& node : description.nodes) {
    const NodeConfig config(node, tensors_);
    backend.call("graphAddNode", backend.functions().graphAddNode, whereIs(description, node), handle_, config.raw());
  }
  for (const std::size_t input : description.inputs) inputs_.push_back(&tensors_[input]);
  for (const std::size_t output : description.outputs) outputs_.push_back(&tensors_[output]);
  prepareInterface();
}

Graph::Graph(const Backend& backend, qnn::ContextHandle context, GraphInterface&& interface)
    : backend_(backend), name_(interface.name), finalized_(true) {
  backend.call("graphRetrieve", backend.functions().graphRetrieve, whereIs(name_), context, name_.c_str(), &handle_);
  for (const OwnedTensor& input : interface.inputs) inputs_.push_back(&tensors_.emplace_back(input.raw()));
  for (const OwnedTensor& output : interface.outputs) outputs_.push_back(&tensors_.emplace_back(output.raw()));
  prepareInterface();
}

void Graph::prepareInterface() {
  for (const OwnedTensor* input : inputs_) rawInputs_.push_back(input->raw());
  for (const OwnedTensor* output : outputs_) rawOutputs_.push_back(output->raw());
}

std::vector<ProfileNode> Graph::finalize(std::optional<qnn::ProfileLevel> level) {
  const Profile profile(backend_, level);
  backend_.call("graphFinalize", backend_.functions().graphFinalize, whereIs(name_), handle_, profile.handle(), nullptr);
  finalized_ = true;
  return profile.events();
}

std::vector<ProfileNode> Graph::run(std::span<void* const> inputs, std::span<void* const> outputs,
                                    std::optional<qnn::ProfileLevel> level) {
  if (!finalized_) throw Misuse("graph '" + name_ + "' is not finalized; await context.finalize() first");
  const auto bind = [](std::vector<qnn::Tensor>& tensors, const std::vector<const OwnedTensor*>& owners,
                       std::span<void* const> buffers) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      tensors[i].v1.buffer = {buffers[i], static_cast<std::uint32_t>(owners[i]->bytes())};
    }
  };
  bind(rawInputs_, inputs_, inputs);
  bind(rawOutputs_, outputs_, outputs);
  const Profile profile(backend_, level);
  backend_.call("graphExecute", backend_.functions().graphExecute, whereIs(name_), handle_, rawInputs_.data(),
                static_cast<std::uint32_t>(rawInputs_.size()), rawOutputs_.data(),
                static_cast<std::uint32_t>(rawOutputs_.size()), profile.handle(), nullptr);
  return profile.events();
}

}  // namespace heddle
