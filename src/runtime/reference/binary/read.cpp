#include "../core/failure.h"
#include "binary.h"
#include "checksum.h"

namespace heddle {
namespace {

Failure unreadable(const std::string& why) { return {code::CONTEXT_CREATE_FROM_BINARY, "context binary: " + why}; }

}  // namespace

/// Walks the description; never reads past its end.
class BinaryReader::Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : left_(bytes) {}

  template <class T>
  T get() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  template <class T>
  std::vector<T> getAll() {
    const std::size_t n = count(sizeof(T));
    std::vector<T> values(n);
    if (n != 0) std::memcpy(values.data(), take(n * sizeof(T)).data(), n * sizeof(T));
    return values;
  }
  std::string text() {
    const auto chars = getAll<char>();
    return {chars.begin(), chars.end()};
  }
  /// A count of things of at least `bytes` bytes each, which must all fit in what is left.
  std::size_t count(std::size_t bytes) {
    const auto n = get<std::uint32_t>();
    if (n > left_.size() / bytes)
      throw unreadable("its description claims " + std::to_string(n) + " items where " + std::to_string(left_.size()) +
                       " bytes are left");
    return n;
  }
  bool atEnd() const { return left_.empty(); }

 private:
  std::span<const std::byte> take(std::size_t n) {
    if (n > left_.size()) throw unreadable("its description ends early");
    const auto taken = left_.first(n);
    left_ = left_.subspan(n);
    return taken;
  }

  std::span<const std::byte> left_;
};

BinaryHeader BinaryReader::checkHeader(std::span<const std::byte> binary) {
  BinaryHeader h;
  if (binary.size() < sizeof h) {
    throw unreadable("it has " + std::to_string(binary.size()) + " bytes, which is less than a header");
  }
  std::memcpy(&h, binary.data(), sizeof h);
  if (std::memcmp(h.magic, kBinaryMagic, sizeof h.magic) != 0) {
    throw unreadable("it was not written by the Heddle reference backend; load it with the backend that wrote it");
  }
  if (h.version != kBinaryVersion) {
    throw Failure(code::CONTEXT_BINARY_VERSION, "context binary: it has format version " + std::to_string(h.version) +
                                                    ", this backend reads version " + std::to_string(kBinaryVersion) +
                                                    "; compile the program again or update Heddle");
  }
  if (h.totalBytes > binary.size()) {
    throw unreadable("it is truncated: " + std::to_string(binary.size()) + " of " + std::to_string(h.totalBytes) +
                     " bytes");
  }
  if (h.totalBytes < binary.size()) {
    throw unreadable("it has " + std::to_string(binary.size() - h.totalBytes) + " bytes more than it should");
  }
  const bool fits = h.headerBytes == sizeof h && h.descriptionBytes <= binary.size() - sizeof h &&
                    h.constantsOffset <= binary.size() && h.constantsOffset == alignUp(sizeof h + h.descriptionBytes);
  if (!fits) throw unreadable("it is corrupt: the sizes in its header contradict each other");
  return h;
}

BinaryReader::BinaryReader(std::span<const std::byte> binary) {
  const BinaryHeader h = checkHeader(binary);
  const std::uint64_t sum =
      checksum(binary.subspan(sizeof h), checksum(binary.first(offsetof(BinaryHeader, checksum))));
  if (sum != h.checksum) throw unreadable("it is corrupt: its checksum does not match its content");
  constants_ = binary.subspan(h.constantsOffset);
  Cursor cursor(binary.subspan(sizeof h, h.descriptionBytes));
  const std::size_t graphs = cursor.count(sizeof(std::uint32_t));
  for (std::size_t i = 0; i < graphs; ++i) graphs_.push_back(readGraph(cursor));
  if (!cursor.atEnd()) throw unreadable("its description is longer than its graphs");
}

BinaryGraph BinaryReader::readGraph(Cursor& cursor) const {
  BinaryGraph graph;
  graph.name = cursor.text();
  const std::size_t tensors = cursor.count(sizeof(std::uint32_t));
  for (std::size_t i = 0; i < tensors; ++i) graph.tensors.push_back(readTensor(cursor));
  const std::size_t nodes = cursor.count(sizeof(std::uint32_t));
  for (std::size_t i = 0; i < nodes; ++i) graph.nodes.push_back(readNode(cursor, tensors));
  return graph;
}

TensorInfo BinaryReader::readTensor(Cursor& cursor) const {
  TensorInfo t;
  t.id = cursor.get<std::uint32_t>();
  t.name = cursor.text();
  t.type = cursor.get<qnn::TensorType>();
  t.dataType = cursor.get<qnn::DataType>();
  t.dims = cursor.getAll<std::uint32_t>();
  t.quantization.definition = cursor.get<qnn::Definition>();
  t.quantization.encoding = cursor.get<qnn::Encoding>();
  t.quantization.bitwidth = cursor.get<std::uint32_t>();
  t.quantization.axis = cursor.get<std::int32_t>();
  t.quantization.scales = cursor.getAll<float>();
  t.quantization.offsets = cursor.getAll<std::int32_t>();
  t.quantization.blockScales = cursor.getAll<std::uint8_t>();
  t.checkShape(code::CONTEXT_CREATE_FROM_BINARY);
  if (!t.isStatic()) return t;
  const auto offset = cursor.get<std::uint64_t>();
  if (offset % kAlignment != 0 || offset > constants_.size() || t.bytes() > constants_.size() - offset) {
    throw unreadable("constant " + t.describe() + " lies outside of it");
  }
  t.data = constants_.data() + offset;
  return t;
}

BinaryNode BinaryReader::readNode(Cursor& cursor, std::size_t tensorCount) const {
  BinaryNode read;
  read.node.name = cursor.text();
  read.node.package = cursor.text();
  read.node.type = cursor.text();
  const std::size_t params = cursor.count(sizeof(std::uint32_t));
  for (std::size_t i = 0; i < params; ++i) {
    ParamValue p;
    p.name = cursor.text();
    p.isTensor = cursor.get<std::uint8_t>() != 0;
    const auto type = cursor.get<qnn::DataType>();
    if (p.isTensor) {
      p.tensor.type = qnn::TensorType::STATIC;
      p.tensor.name = p.name;
      p.tensor.dataType = type;
      p.tensor.dims = cursor.getAll<std::uint32_t>();
      p.tensor.checkShape(code::CONTEXT_CREATE_FROM_BINARY);
      p.data = cursor.getAll<std::byte>();
    } else {
      p.scalar.dataType = type;
      p.scalar.u64 = cursor.get<std::uint64_t>();
    }
    read.node.params.push_back(std::move(p));
  }
  for (auto* operands : {&read.inputs, &read.outputs}) {
    *operands = cursor.getAll<std::uint32_t>();
    for (const std::uint32_t index : *operands) {
      if (index >= tensorCount && index != kAbsentTensor)
        throw unreadable("node '" + read.node.name + "' refers to a tensor it does not have");
    }
  }
  return read;
}

Node BinaryNode::resolve(const std::deque<TensorInfo>& tensors) const {
  Node resolved = node;
  const auto operand = [&](std::uint32_t index) { return index == kAbsentTensor ? &absentTensor() : &tensors[index]; };
  for (const std::uint32_t i : inputs) resolved.inputs.push_back(operand(i));
  for (const std::uint32_t i : outputs) resolved.outputs.push_back(operand(i));
  return resolved;
}

}  // namespace heddle
