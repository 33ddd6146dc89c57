// Writing and reading context binaries.
#pragma once

#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "../graph/graph.h"
#include "format.h"

namespace heddle {

class BinaryWriter {
 public:
  /// Lays the binary out; constants that several graphs share are written once.
  explicit BinaryWriter(const std::vector<const Graph*>& graphs);
  std::size_t bytes() const { return total_; }
  /// `out` has room for bytes().
  void write(std::byte* out) const;

 private:
  struct Constant {
    const std::byte* data;
    std::size_t bytes, offset;
  };
  void describe(const Graph&);
  void describe(const TensorInfo&);
  void describe(const Graph&, const Node&);
  std::size_t place(const std::byte* data, std::size_t bytes);

  void append(const void* data, std::size_t bytes) {
    const std::size_t at = description_.size();
    description_.resize(at + bytes);
    if (bytes != 0) std::memcpy(description_.data() + at, data, bytes);
  }
  template <class T>
  void put(T value) {
    append(&value, sizeof(T));
  }
  template <class T>
  void putAll(const std::vector<T>& values) {
    put(static_cast<std::uint32_t>(values.size()));
    append(values.data(), values.size() * sizeof(T));
  }
  void put(const std::string& text) { putAll(std::vector<char>(text.begin(), text.end())); }

  std::vector<std::byte> description_;
  std::vector<Constant> constants_;
  std::size_t constantsBytes_ = 0, constantsOffset_ = 0, total_ = 0;
};

/// A node as read: operands are indices into the graph's tensors.
struct BinaryNode {
  Node node;
  std::vector<std::uint32_t> inputs, outputs;

  Node resolve(const std::deque<TensorInfo>& tensors) const;
};

struct BinaryGraph {
  std::string name;
  std::vector<TensorInfo> tensors;  ///< constants point into the binary
  std::vector<BinaryNode> nodes;
};

/// Reads untrusted bytes: every length, count and index is checked. Throws Failure(5005), or 5004 for another version.
class BinaryReader {
 public:
  explicit BinaryReader(std::span<const std::byte> binary);

  std::vector<BinaryGraph>& graphs() { return graphs_; }

  /// Magic, version and sizes only.
  static BinaryHeader checkHeader(std::span<const std::byte> binary);

 private:
  class Cursor;
  BinaryGraph readGraph(Cursor&) const;
  TensorInfo readTensor(Cursor&) const;
  BinaryNode readNode(Cursor&, std::size_t tensorCount) const;

  std::span<const std::byte> constants_;
  std::vector<BinaryGraph> graphs_;
};

}  // namespace heddle
