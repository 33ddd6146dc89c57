#include "graph.h"

#include <algorithm>
#include <chrono>

#include "../core/failure.h"

namespace heddle {

using qnn::TensorType;

const TensorInfo* Graph::find(std::uint32_t id) const {
  const auto found = slots_.find(id);
  return found == slots_.end() ? nullptr : &tensors_[found->second];
}

std::uint32_t Graph::addTensor(TensorInfo tensor) {
  const auto refuse = [&](const std::string& why) {
    return Failure(code::TENSOR_INVALID_PARAM, "graph '" + name_ + "': tensor '" + tensor.name + "': " + why);
  };
  if (finalized_)
    throw Failure(code::GRAPH_FINALIZED,
                  "graph '" + name_ + "' is finalized; tensor '" + tensor.name + "' cannot be added");
  if (tensor.name.empty()) throw refuse("needs a name");
  if (names_.contains(tensor.name)) throw refuse("there is already a tensor of this name");
  if (tensor.isStatic()) {
    if (tensor.data == nullptr) throw refuse("is STATIC but has no data");
    const bool aligned = reinterpret_cast<std::uintptr_t>(tensor.data) % sizeOf(tensor.dataType) == 0;
    if (!workplace_.borrowStatic || !aligned) {
      const AlignedBuffer& copy = copies_.emplace_back(tensor.bytes());
      std::memcpy(copy.data(), tensor.data, tensor.bytes());
      tensor.data = copy.data();
    }
  }
  if (tensor.id == 0) tensor.id = workplace_.nextTensorId;
  workplace_.nextTensorId = std::max(workplace_.nextTensorId, tensor.id + 1);
  const auto slot = static_cast<Slot>(tensors_.size());
  if (!slots_.emplace(tensor.id, slot).second) throw refuse("id " + std::to_string(tensor.id) + " is already taken");
  names_.emplace(tensor.name, slot);
  const bool given = tensor.type != TensorType::NATIVE && tensor.type != TensorType::APP_READ;
  produced_.push_back(given);
  return tensors_.emplace_back(std::move(tensor)).id;
}

void Graph::checkProduced(const Node& node) const {
  const auto refuse = [&](const TensorInfo& t, qnn::Error error, const std::string& why) {
    return Failure(error, "node '" + node.name + "' (" + node.type + "): tensor " + t.describe() + " " + why);
  };
  for (const TensorInfo* t : node.inputs) {
    if (t->type != TensorType::NULL_TENSOR && !produced_[slotOf(*t)]) {
      throw refuse(*t, code::GRAPH_UNCONNECTED_NODE,
                   "is read before any node has written it; add nodes in dependency order");
    }
  }
  for (const TensorInfo* t : node.outputs) {
    if (t->type == TensorType::STATIC || t->type == TensorType::APP_WRITE || t->type == TensorType::NULL_TENSOR) {
      throw refuse(*t, code::GRAPH_INVALID_TENSOR, std::string("is ") + nameOf(t->type) + " and cannot be written");
    }
    if (t->type != TensorType::APP_READWRITE && produced_[slotOf(*t)]) {
      throw refuse(*t, code::GRAPH_INVALID_TENSOR, "is already written by another node");
    }
  }
}

void Graph::addNode(Node node) {
  if (finalized_)
    throw Failure(code::GRAPH_FINALIZED,
                  "graph '" + name_ + "' is finalized; node '" + node.name + "' cannot be added");
  validateNode(node, code::GRAPH_INVALID_OP_CONFIG);
  checkProduced(node);
  for (const TensorInfo* t : node.outputs) produced_[slotOf(*t)] = true;
  nodes_.push_back(std::move(node));
}

std::size_t Graph::staticBytes() const {
  std::size_t bytes = 0;
  for (const TensorInfo& t : tensors_) bytes += t.isStatic() ? t.bytes() : 0;
  return bytes;
}

void Graph::bind(const std::vector<Binding>& bindings) {
  std::vector<bool> bound(tensors_.size(), false);
  for (const Binding& b : bindings) {
    const auto found = slots_.find(b.tensorId);
    const auto refuse = [&](const std::string& what) {
      return Failure(code::GRAPH_INVALID_TENSOR, "graph '" + name_ + "': " + what);
    };
    if (found == slots_.end()) throw refuse("no tensor has id " + std::to_string(b.tensorId));
    const TensorInfo& t = tensors_[found->second];
    if (t.type == TensorType::NATIVE || t.type == TensorType::STATIC || t.type == TensorType::NULL_TENSOR) {
      throw refuse("tensor " + t.describe() + " is " + nameOf(t.type) + " and takes no memory of the application");
    }
    if (b.data == nullptr) throw refuse("tensor " + t.describe() + " has no memory bound");
    if (b.bytes != t.bytes()) {
      throw refuse("tensor " + t.describe() + " has " + std::to_string(b.bytes) + " bytes bound, expected " +
                   std::to_string(t.bytes()));
    }
    auto* data = static_cast<std::byte*>(b.data);
    if (bound[found->second] && data_[found->second] != data)
      throw refuse("tensor " + t.describe() + " is bound to two places");
    bound[found->second] = true;
    data_[found->second] = data;
  }
  for (Slot i = 0; i < tensors_.size(); ++i) {
    const TensorInfo& t = tensors_[i];
    const bool application =
        t.type == TensorType::APP_WRITE || t.type == TensorType::APP_READ || t.type == TensorType::APP_READWRITE;
    if (application && !bound[i]) {
      throw Failure(code::GRAPH_INVALID_TENSOR,
                    "graph '" + name_ + "': tensor " + t.describe() + " (" + nameOf(t.type) + ") is not bound");
    }
    if (t.type == TensorType::NATIVE && views_[i].root == i) data_[i] = workplace_.arena.data() + arenaOffsets_[i];
  }
  for (Slot i = 0; i < tensors_.size(); ++i) {
    if (views_[i].root != i) data_[i] = data_[views_[i].root] + views_[i].offset;
  }
}

void Graph::execute(const std::vector<Binding>& bindings, std::vector<double>* times) {
  if (!finalized_) throw Failure(code::GRAPH_NOT_FINALIZED, "graph '" + name_ + "' is not finalized");
  const std::lock_guard lock(workplace_.running);
  bind(bindings);
  using Clock = std::chrono::steady_clock;
  for (const Step& step : steps_) {
    const auto start = times == nullptr ? Clock::time_point{} : Clock::now();
    if (step.run)
      step.run({data_.data(), workplace_.arena.data() + step.workspace, workplace_.pool, workplace_.kernels});
    if (times != nullptr) times->push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
}

}  // namespace heddle
