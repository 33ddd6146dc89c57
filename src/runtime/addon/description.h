// A graph as the code generator wrote it (`<entry>.qnn.json`, format "heddle.qnn/1"), checked field by field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "../qnn/qnn_api.h"
#include "field.h"

namespace heddle {

/// Quantisation of a tensor: one scale and offset, or one per index along `axis`, or also an integer per block of those.
struct Quantization {
  qnn::Encoding encoding = qnn::Encoding::UNDEFINED;
  std::uint32_t bitwidth = 0;  ///< of the BW_ encodings; of block scales
  std::int32_t axis = 0;       ///< of the AXIS_ encodings and of blockwise expansion
  std::uint32_t blocks = 0;    ///< of each channel
  std::vector<std::uint8_t> blockScales;  ///< [channels][blocks]
  std::vector<std::uint32_t> blockSize;
  std::vector<float> scales;
  std::vector<std::int32_t> offsets;  ///< as long as `scales`
};

struct TensorDescription {
  std::string name;
  qnn::TensorType type = qnn::TensorType::UNDEFINED;
  qnn::DataType dataType = qnn::DataType::UNDEFINED;
  std::vector<std::uint32_t> dims;
  std::uint64_t bytes = 0;  ///< of all elements
  std::optional<Quantization> quantization;
  std::span<const std::byte> data;    ///< STATIC: a piece of the weights
  std::vector<std::byte> inlineData;  ///< STATIC: given in the JSON itself
};

struct ParamDescription {
  std::string name;
  std::variant<qnn::Scalar, std::size_t> value;  ///< a scalar, or the index of a tensor
};

struct NodeDescription {
  std::string name, package, type, location;
  std::vector<ParamDescription> params;
  std::vector<std::size_t> inputs, outputs;  ///< indices of tensors
};

struct GraphDescription {
  std::string name;
  std::vector<TensorDescription> tensors;
  std::vector<NodeDescription> nodes;
  std::vector<std::size_t> inputs, outputs;  ///< indices of tensors, in the order of the graph's interface
};

/// Reads and checks a parsed `.qnn.json`. STATIC tensors point into `weights`, which must outlive the description.
/// Throws BadInput naming the field, its value and what was expected.
GraphDescription parseDescription(const Field& json, std::span<const std::byte> weights);

/// Reads one element of `tensors`.
TensorDescription parseTensor(const Field& json, std::span<const std::byte> weights);

}  // namespace heddle
