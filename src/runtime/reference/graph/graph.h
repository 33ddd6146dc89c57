// A graph of a context: built node by node, finalized once, then executed.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "../core/buffer.h"
#include "../ops/op.h"

namespace heddle {

/// What the graphs of one context share. They run one at a time, so one arena serves them all.
struct Workplace {
  ThreadPool& pool;
  const Kernels& kernels;
  bool borrowStatic = false;
  AlignedBuffer arena;
  std::mutex running;
  std::uint32_t nextTensorId = 1;
};

/// Memory of the application for one tensor during an execution.
struct Binding {
  std::uint32_t tensorId;
  void* data;
  std::size_t bytes;
};

class Graph {
 public:
  Graph(std::string name, Workplace& workplace) : name_(std::move(name)), workplace_(workplace) {}

  const std::string& name() const { return name_; }
  bool finalized() const { return finalized_; }
  const std::deque<TensorInfo>& tensors() const { return tensors_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  /// Null when the id is not of this graph.
  const TensorInfo* find(std::uint32_t id) const;
  Slot slotOf(const TensorInfo& t) const { return slots_.at(t.id); }

  /// Takes a tensor, giving it an id unless it has one; copies a constant's data unless the context borrows and it is
  /// aligned. Throws Failure.
  std::uint32_t addTensor(TensorInfo);
  /// `node` refers to tensors of this graph. Throws Failure.
  void addNode(Node node);
  void finalize();

  /// Microseconds per node are stored in `times` when it is given. Throws Failure.
  void execute(const std::vector<Binding>&, std::vector<double>* times);

  std::size_t arenaBytes() const { return arenaBytes_; }
  std::size_t staticBytes() const;

 private:
  class Plan;

  struct View {
    Slot root;
    std::size_t offset;
  };
  struct Step {
    Executable run;
    std::size_t workspace;  // offset in the arena
  };
  void checkProduced(const Node&) const;
  void bind(const std::vector<Binding>&);

  std::string name_;
  Workplace& workplace_;
  std::deque<TensorInfo> tensors_;
  std::unordered_map<std::uint32_t, Slot> slots_;
  std::unordered_map<std::string, Slot> names_;
  std::vector<bool> produced_;
  std::vector<Node> nodes_;
  std::vector<AlignedBuffer> copies_;

  bool finalized_ = false;
  std::vector<std::vector<float>> kept_;
  std::vector<Step> steps_;
  std::vector<View> views_;                // by slot
  std::vector<std::size_t> arenaOffsets_;  // by slot, of NATIVE roots
  std::vector<std::byte*> data_;           // by slot
  std::size_t arenaBytes_ = 0;
};

}  // namespace heddle
