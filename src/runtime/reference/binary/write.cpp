#include <algorithm>

#include "binary.h"
#include "checksum.h"

namespace heddle {

BinaryWriter::BinaryWriter(const std::vector<const Graph*>& graphs) {
  put(static_cast<std::uint32_t>(graphs.size()));
  for (const Graph* graph : graphs) describe(*graph);
  constantsOffset_ = alignUp(sizeof(BinaryHeader) + description_.size());
  total_ = constantsOffset_ + constantsBytes_;
}

void BinaryWriter::describe(const Graph& graph) {
  put(graph.name());
  put(static_cast<std::uint32_t>(graph.tensors().size()));
  for (const TensorInfo& t : graph.tensors()) describe(t);
  put(static_cast<std::uint32_t>(graph.nodes().size()));
  for (const Node& node : graph.nodes()) describe(graph, node);
}

void BinaryWriter::describe(const TensorInfo& t) {
  put(t.id);
  put(t.name);
  put(t.type);
  put(t.dataType);
  putAll(t.dims);
  put(t.quantization.definition);
  put(t.quantization.encoding);
  put(t.quantization.bitwidth);
  put(t.quantization.axis);
  putAll(t.quantization.scales);
  putAll(t.quantization.offsets);
  putAll(t.quantization.blockScales);
  if (t.isStatic()) put(static_cast<std::uint64_t>(place(t.data, t.bytes())));
}

void BinaryWriter::describe(const Graph& graph, const Node& node) {
  put(node.name);
  put(node.package);
  put(node.type);
  put(static_cast<std::uint32_t>(node.params.size()));
  for (const ParamValue& p : node.params) {
    put(p.name);
    put(static_cast<std::uint8_t>(p.isTensor));
    put(p.isTensor ? p.tensor.dataType : p.scalar.dataType);
    if (p.isTensor) {
      putAll(p.tensor.dims);
      putAll(p.data);
    } else {
      put(p.scalar.u64);
    }
  }
  for (const auto* operands : {&node.inputs, &node.outputs}) {
    put(static_cast<std::uint32_t>(operands->size()));
    for (const TensorInfo* t : *operands) {
      const bool absent = t->type == qnn::TensorType::NULL_TENSOR;
      put(absent ? kAbsentTensor : graph.slotOf(*t));
    }
  }
}

std::size_t BinaryWriter::place(const std::byte* data, std::size_t bytes) {
  const auto known =
      std::ranges::find_if(constants_, [&](const Constant& c) { return c.data == data && c.bytes == bytes; });
  if (known != constants_.end()) return known->offset;
  const std::size_t offset = constantsBytes_;
  constants_.push_back({data, bytes, offset});
  constantsBytes_ += alignUp(bytes);
  return offset;
}

void BinaryWriter::write(std::byte* out) const {
  std::memcpy(out + sizeof(BinaryHeader), description_.data(), description_.size());
  std::size_t end = sizeof(BinaryHeader) + description_.size();
  std::memset(out + end, 0, constantsOffset_ - end);
  for (const Constant& c : constants_) {
    std::byte* to = out + constantsOffset_ + c.offset;
    std::memcpy(to, c.data, c.bytes);
    std::memset(to + c.bytes, 0, alignUp(c.bytes) - c.bytes);
  }
  BinaryHeader header{};
  std::memcpy(header.magic, kBinaryMagic, sizeof header.magic);
  header.version = kBinaryVersion;
  header.headerBytes = sizeof header;
  header.totalBytes = total_;
  header.descriptionBytes = description_.size();
  header.constantsOffset = constantsOffset_;
  const auto start = std::as_bytes(std::span(&header, 1)).first(offsetof(BinaryHeader, checksum));
  header.checksum = checksum({out + sizeof header, total_ - sizeof header}, checksum(start));
  std::memcpy(out, &header, sizeof header);
}

}  // namespace heddle
