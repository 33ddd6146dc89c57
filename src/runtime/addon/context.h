// A QNN context: graphs that share memory, compiled together and saved as one binary.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend.h"
#include "graph.h"

namespace heddle {

struct ContextOptions {
  /// Reference backend: constants are used where they lie. The caller keeps them alive and unchanged.
  bool borrowStatic = false;
  /// HTP: graphs of the context share constants of equal name and content.
  bool weightSharing = false;
  /// HTP: the context is compiled and saved, never executed, which spares the memory of executing it.
  bool prepareOnly = false;
};

/// A saved context. The memory is as large as the backend announced, which may be many times the binary.
struct SavedContext {
  std::unique_ptr<std::byte[]> data;
  std::size_t bytes = 0;
};

class Context {
 public:
  Context(std::shared_ptr<Backend> backend, const ContextOptions& options);
  /// Loads a saved context. The binary must outlive the context if `borrowStatic` is set.
  Context(std::shared_ptr<Backend> backend, const ContextOptions& options, std::span<const std::byte> binary);
  ~Context() { release(); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Backend& backend() const { return *backend_; }
  bool released() const { return !backend_; }

  /// Validates and builds a graph. A node that the backend refuses in validation leaves the context as it was.
  Graph& addGraph(const GraphDescription& description, const GraphOptions& options);
  const std::vector<std::unique_ptr<Graph>>& graphs() const { return graphs_; }
  /// The graph of this name, or null.
  Graph* find(const std::string& name) const;
  /// Finalizes every graph that is not final yet, and returns the profile of each. Slow; any thread, one at a time.
  std::map<const Graph*, std::vector<ProfileNode>> finalize(std::optional<qnn::ProfileLevel> level);
  /// The context as a binary. All graphs must be final.
  SavedContext save() const;
  /// Frees the handle and lets go of the backend. Harmless when repeated.
  void release();

 private:
  void requireWhole() const;

  std::shared_ptr<Backend> backend_;
  qnn::ContextHandle handle_ = nullptr;
  std::vector<std::unique_ptr<Graph>> graphs_;
  std::string broken_;  ///< name of a graph that could not be completed
};

}  // namespace heddle
