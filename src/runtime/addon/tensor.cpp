#include "tensor.h"

#include "data_type.h"

namespace heddle {

namespace {

/// The encodings Heddle writes, read back from a library's own tensor. Others are left to the library, which knows them.
std::optional<Quantization> readQuantization(const qnn::QuantizeParams& params) {
  if (params.definition != qnn::Definition::DEFINED) return std::nullopt;
  Quantization result;
  result.encoding = params.encoding;
  switch (params.encoding) {
    case qnn::Encoding::SCALE_OFFSET:
      result.scales = {params.scaleOffset.scale};
      result.offsets = {params.scaleOffset.offset};
      return result;
    case qnn::Encoding::BW_SCALE_OFFSET:
      result.bitwidth = params.bwScaleOffset.bitwidth;
      result.scales = {params.bwScaleOffset.scale};
      result.offsets = {params.bwScaleOffset.offset};
      return result;
    case qnn::Encoding::AXIS_SCALE_OFFSET: {
      const auto& axis = params.axisScaleOffset;
      result.axis = axis.axis;
      for (std::uint32_t i = 0; i < axis.count; ++i) {
        result.scales.push_back(axis.values[i].scale);
        result.offsets.push_back(axis.values[i].offset);
      }
      return result;
    }
    case qnn::Encoding::BW_AXIS_SCALE_OFFSET: {
      const auto& axis = params.bwAxisScaleOffset;
      result.bitwidth = axis.bitwidth;
      result.axis = axis.axis;
      result.scales.assign(axis.scales, axis.scales + axis.count);
      result.offsets.assign(axis.count, 0);
      if (axis.offsets) result.offsets.assign(axis.offsets, axis.offsets + axis.count);
      return result;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

OwnedTensor::OwnedTensor(const TensorDescription& description)
    : name_(description.name), dims_(description.dims), data_(description.inlineData), bytes_(description.bytes) {
  raw_.v1.type = description.type;
  raw_.v1.dataType = description.dataType;
  point();
  if (description.quantization) quantize(*description.quantization);
  if (description.type == qnn::TensorType::STATIC) {
    // The interface takes a pointer to mutable data but only reads it.
    const std::byte* data = data_.empty() ? description.data.data() : data_.data();
    raw_.v1.buffer = {const_cast<std::byte*>(data), static_cast<std::uint32_t>(bytes_)};
  }
}

OwnedTensor::OwnedTensor(const qnn::Tensor& tensor) {
  const qnn::TensorV1& source = tensor.v1;
  const DataTypeInfo* info = findDataType(source.dataType);
  name_ = source.name ? source.name : "";
  if (name_.empty() || !info || (source.rank > 0 && !source.dims)) {
    throw BadInput("the context binary describes a tensor '" + name_ + "' that Heddle cannot carry");
  }
  dims_.assign(source.dims, source.dims + source.rank);
  bytes_ = info->bytes;
  for (const std::uint32_t dim : dims_) {
    if (dim != 0 && bytes_ > 0xffffffffULL / dim) throw BadInput("tensor '" + name_ + "' is larger than 4 GiB");
    bytes_ *= dim;
  }
  raw_.v1.id = source.id;
  raw_.v1.type = source.type;
  raw_.v1.dataFormat = source.dataFormat;
  raw_.v1.dataType = source.dataType;
  point();
  if (const auto quantization = readQuantization(source.quantize)) quantize(*quantization);
}

std::uint64_t OwnedTensor::elements() const { return bytes_ / findDataType(dataType())->bytes; }

void OwnedTensor::point() {
  raw_.v1.name = name_.c_str();
  raw_.v1.rank = static_cast<std::uint32_t>(dims_.size());
  raw_.v1.dims = dims_.data();
}

void OwnedTensor::quantize(const Quantization& quantization) {
  qnn::QuantizeParams& params = raw_.v1.quantize;
  const auto count = static_cast<std::uint32_t>(quantization.scales.size());
  params.definition = qnn::Definition::DEFINED;
  params.encoding = quantization.encoding;
  switch (quantization.encoding) {
    case qnn::Encoding::SCALE_OFFSET:
      params.scaleOffset = {quantization.scales[0], quantization.offsets[0]};
      break;
    case qnn::Encoding::BW_SCALE_OFFSET:
      params.bwScaleOffset = {quantization.bitwidth, quantization.scales[0], quantization.offsets[0]};
      break;
    case qnn::Encoding::AXIS_SCALE_OFFSET:
      for (std::uint32_t i = 0; i < count; ++i) scaleOffsets_.push_back({quantization.scales[i], quantization.offsets[i]});
      params.axisScaleOffset = {quantization.axis, count, scaleOffsets_.data()};
      break;
    case qnn::Encoding::BLOCK:
      for (std::uint32_t i = 0; i < count; ++i) scaleOffsets_.push_back({quantization.scales[i], quantization.offsets[i]});
      blockSize_ = quantization.blockSize;
      params.block = {blockSize_.data(), scaleOffsets_.data()};
      break;
    case qnn::Encoding::BLOCKWISE_EXPANSION:
      for (std::uint32_t i = 0; i < count; ++i) scaleOffsets_.push_back({quantization.scales[i], quantization.offsets[i]});
      blockScales_ = quantization.blockScales;
      expansion_.axis = quantization.axis;
      expansion_.channels = scaleOffsets_.data();
      expansion_.blocks = quantization.blocks;
      expansion_.bitwidth = quantization.bitwidth;
      expansion_.storage = qnn::BlockScaleStorage::UINT_8;
      expansion_.scales8 = blockScales_.data();
      params.blockwiseExpansion = &expansion_;
      break;
    default:
      scales_ = quantization.scales;
      offsets_ = quantization.offsets;
      params.bwAxisScaleOffset = {quantization.bitwidth, quantization.axis, count, scales_.data(), offsets_.data()};
  }
}

}  // namespace heddle
