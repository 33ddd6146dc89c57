// A graph of a context: built from a description or found in a context binary, then executed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend.h"
#include "description.h"
#include "profile.h"
#include "tensor.h"

namespace heddle {

/// Options of the HTP backend for one graph.
struct GraphOptions {
  std::optional<std::uint32_t> optimization;  ///< finalization effort, 1 to 3
  std::optional<std::uint32_t> vtcmMegabytes;
  std::optional<std::uint32_t> hvxThreads;
};

/// A graph whose interface is known but which has no handle yet.
struct GraphInterface {
  std::string name;
  std::deque<OwnedTensor> inputs, outputs;
};

class Graph {
 public:
  /// Creates the tensors and nodes of `description` in `context`. Validate first: QNN cannot take a half-built graph out of
  /// its context again.
  Graph(const Backend& backend, qnn::ContextHandle context, const GraphDescription& description,
        const GraphOptions& options);
  /// Retrieves a graph of a context that was loaded from a binary.
  Graph(const Backend& backend, qnn::ContextHandle context, GraphInterface&& interface);
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Asks the backend about every node, without creating anything. Throws QnnFailure naming the first node it refuses.
  static void validate(const Backend& backend, const GraphDescription& description);
  /// As `validate`, but about all nodes that it refuses, in order.
  static std::vector<QnnFailure> refusals(const Backend& backend, const GraphDescription& description);

  const std::string& name() const { return name_; }
  const std::vector<const OwnedTensor*>& inputs() const { return inputs_; }
  const std::vector<const OwnedTensor*>& outputs() const { return outputs_; }
  bool finalized() const { return finalized_; }
  /// Compiles the graph. Returns the profile's events.
  std::vector<ProfileNode> finalize(std::optional<qnn::ProfileLevel> level);

  /// Runs the graph on buffers in the order of `inputs()` and `outputs()`, each as large as its tensor. Returns the profile's
  /// events. Throws Misuse before the graph is final.
  std::vector<ProfileNode> run(std::span<void* const> inputs, std::span<void* const> outputs,
                               std::optional<qnn::ProfileLevel> level);

 private:
  void prepareInterface();

  const Backend& backend_;
  qnn::GraphHandle handle_ = nullptr;
  std::string name_;
  std::deque<OwnedTensor> tensors_;
  std::vector<const OwnedTensor*> inputs_, outputs_;
  std::vector<qnn::Tensor> rawInputs_, rawOutputs_;
  bool finalized_ = false;
};

}  // namespace heddle
