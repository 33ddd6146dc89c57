// A tensor as the backend knows it: an owned description, and for constants their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../../qnn/qnn_api.h"

namespace heddle {

/// Bytes of one element, 0 for types the backend does not store.
std::size_t sizeOf(qnn::DataType);
/// QNN's name, such as "FLOAT_32".
const char* nameOf(qnn::DataType);
const char* nameOf(qnn::TensorType);

/// Quantisation encoding with owned arrays. The ops for fixed point say which they take (ops/fixed_point.h).
struct Quantization {
  qnn::Definition definition = qnn::Definition::UNDEFINED;
  qnn::Encoding encoding = qnn::Encoding::UNDEFINED;
  std::uint32_t bitwidth = 0;
  std::int32_t axis = 0;
  std::vector<float> scales;
  std::vector<std::int32_t> offsets;
  std::vector<std::uint8_t> blockScales = {};  ///< of blockwise expansion: an integer for each block of each channel
};

struct TensorInfo {
  std::uint32_t id = 0;
  std::string name;
  qnn::TensorType type = qnn::TensorType::UNDEFINED;
  qnn::DataType dataType = qnn::DataType::UNDEFINED;
  Quantization quantization;
  std::vector<std::uint32_t> dims;
  const std::byte* data = nullptr;  ///< STATIC: the constant; not owned

  std::size_t rank() const { return dims.size(); }
  std::size_t count() const;
  std::size_t bytes() const { return count() * sizeOf(dataType); }
  bool isStatic() const { return type == qnn::TensorType::STATIC; }
  /// For messages: "'h0.qkv' FLOAT_32[1, 2304]".
  std::string describe() const;

  /// Copies a description from the C interface, checking what can be checked without a graph. `data` is the caller's
  /// pointer. Throws Failure with `code`.
  static TensorInfo from(const qnn::Tensor&, qnn::Error code);
  /// Checks type, data type and dimensions. Throws Failure with `code`.
  void checkShape(qnn::Error code) const;
};

/// What stands in an operand list for an optional operand that is not given.
const TensorInfo& absentTensor();

std::string describeDims(const std::vector<std::uint32_t>&);

}  // namespace heddle
