// Finalization: each op becomes an executable, then intermediates and workspaces get their places in the arena.
#include "../core/failure.h"
#include "graph.h"
#include "memory_plan.h"

namespace heddle {

using qnn::TensorType;

class Graph::Plan final : public Planner {
 public:
  explicit Plan(Graph& graph) : graph_(graph), lastUse_(graph.tensors_.size(), 0), firstUse_(graph.tensors_.size(), 0) {
    graph.steps_.clear();  // of an attempt that ran out of memory
    graph.kept_.clear();
    graph.views_.clear();
    for (Slot i = 0; i < graph.tensors_.size(); ++i) graph.views_.push_back({i, 0});
  }

  const Kernels& kernels() const override { return graph_.workplace_.kernels; }
  std::size_t threads() const override { return graph_.workplace_.pool.threads(); }
  Slot slot(const TensorInfo& t) const override { return graph_.slotOf(t); }

  std::size_t workspace(std::size_t bytes) override {
    const std::size_t at = workspace_;
    workspace_ += alignUp(bytes);
    return at;
  }

  bool alias(const TensorInfo& output, const TensorInfo& input, std::size_t byteOffset) override {
    if (output.type != TensorType::NATIVE) return false;
    const View& source = graph_.views_[slot(input)];
    // State changes under its readers when a later node appends to it: a view would see that, so it needs a copy.
    if (graph_.tensors_[source.root].type == TensorType::APP_READWRITE) return false;
    graph_.views_[slot(output)] = {source.root, source.offset + byteOffset};
    return true;
  }

  float* keep(std::vector<float> values) override { return graph_.kept_.emplace_back(std::move(values)).data(); }

  void run() {
    for (std::size_t i = 0; i < graph_.nodes_.size(); ++i) {
      const Node& node = graph_.nodes_[i];
      workspace_ = 0;
      graph_.steps_.push_back({findOp(node.package, node.type)->plan(node, *this), 0});
      workspaces_.push_back(workspace_);
      for (const TensorInfo* t : node.inputs) touch(*t, i);
      for (const TensorInfo* t : node.outputs) touch(*t, i);
    }
    place();
  }

 private:
  void touch(const TensorInfo& t, std::size_t node) {
    if (t.type == TensorType::NULL_TENSOR) return;
    const Slot root = graph_.views_[slot(t)].root;
    if (lastUse_[root] == 0) firstUse_[root] = node;
    lastUse_[root] = node + 1;
  }

  void place() {
    std::vector<Lifetime> lives;
    const std::size_t count = graph_.tensors_.size();
    for (Slot i = 0; i < count; ++i) {
      const TensorInfo& t = graph_.tensors_[i];
      const bool owns = t.type == TensorType::NATIVE && graph_.views_[i].root == i && lastUse_[i] != 0;
      lives.push_back(owns ? Lifetime{firstUse_[i], lastUse_[i] - 1, t.bytes()} : Lifetime{0, 0, 0});
    }
    for (std::size_t i = 0; i < workspaces_.size(); ++i) lives.push_back({i, i, workspaces_[i]});
    MemoryPlan plan = planMemory(lives);
    for (std::size_t i = 0; i < workspaces_.size(); ++i) graph_.steps_[i].workspace = plan.offsets[count + i];
    plan.offsets.resize(count);
    graph_.arenaOffsets_ = std::move(plan.offsets);
    graph_.arenaBytes_ = plan.bytes;
  }

  Graph& graph_;
  std::vector<std::size_t> lastUse_, firstUse_;  // by slot; last use is one past, 0: unused
  std::vector<std::size_t> workspaces_;          // bytes by node
  std::size_t workspace_ = 0;
};

void Graph::finalize() {
  if (finalized_) throw Failure(code::GRAPH_FINALIZED, "graph '" + name_ + "' is already finalized");
  if (nodes_.empty()) throw Failure(code::GRAPH_FINALIZE_FAILED, "graph '" + name_ + "' has no nodes");
  for (Slot i = 0; i < tensors_.size(); ++i) {
    if (tensors_[i].type == TensorType::APP_READ && !produced_[i]) {
      throw Failure(code::GRAPH_FINALIZE_FAILED,
                    "graph '" + name_ + "': output " + tensors_[i].describe() + " is written by no node");
    }
  }
  const std::lock_guard lock(workplace_.running);
  Plan(*this).run();
  data_.assign(tensors_.size(), nullptr);
  for (Slot i = 0; i < tensors_.size(); ++i) {
    // Constants are only read; the table is mutable for the tensors that are not.
    if (tensors_[i].isStatic()) data_[i] = const_cast<std::byte*>(tensors_[i].data);
  }
  if (workplace_.arena.size() < arenaBytes_) {
    workplace_.arena = {};  // first, so that there are never two
    workplace_.arena = AlignedBuffer(arenaBytes_);
  }
  finalized_ = true;
}

}  // namespace heddle
