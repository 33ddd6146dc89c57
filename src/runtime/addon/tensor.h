// A QNN tensor that owns what its pointers point at.
#pragma once

#include <string>
#include <vector>

#include "description.h"

namespace heddle {

/// Not movable, because `raw()` points into the object itself; keep it in a std::deque or behind a std::unique_ptr.
class OwnedTensor {
 public:
  explicit OwnedTensor(const TensorDescription& description);
  /// A deep copy of a tensor that a library described. Throws BadInput when it makes no sense.
  explicit OwnedTensor(const qnn::Tensor& tensor);
  OwnedTensor(const OwnedTensor&) = delete;
  OwnedTensor& operator=(const OwnedTensor&) = delete;

  qnn::Tensor& raw() { return raw_; }
  const qnn::Tensor& raw() const { return raw_; }
  const std::string& name() const { return name_; }
  const std::vector<std::uint32_t>& dims() const { return dims_; }
  qnn::DataType dataType() const { return raw_.v1.dataType; }
  qnn::TensorType type() const { return raw_.v1.type; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t elements() const;

 private:
  void point();
  void quantize(const Quantization& quantization);

  qnn::Tensor raw_;
  std::string name_;
  std::vector<std::uint32_t> dims_;
  std::vector<qnn::ScaleOffset> scaleOffsets_;
  std::vector<float> scales_;
  std::vector<std::int32_t> offsets_;
  std::vector<std::uint8_t> blockScales_;
  std::vector<std::uint32_t> blockSize_;
  qnn::BlockwiseExpansion expansion_{};
  std::vector<std::byte> data_;
  std::uint64_t bytes_ = 0;
};

}  // namespace heddle
