#include "tensor.h"

#include "../core/failure.h"

namespace heddle {
namespace {

constexpr std::uint32_t kMaximumRank = 8;
constexpr std::uint32_t kMaximumChannels = 1U << 24;
constexpr std::uint64_t kMaximumBytes = 0xffffffffU;  // what the interface counts

/// A scale for each index of an axis, and the blocks of each.
Quantization expansionOf(const qnn::QuantizeParams& q, const TensorInfo& t, qnn::Error code) {
  const auto refuse = [&](const std::string& why) {
    return Failure(code, "tensor '" + t.name + "': blockwise expansion " + why);
  };
  if (q.blockwiseExpansion == nullptr) throw refuse("without parameters");
  const qnn::BlockwiseExpansion& e = *q.blockwiseExpansion;
  if (e.axis < 0 || static_cast<std::size_t>(e.axis) >= t.rank()) throw refuse("along an axis that it has not");
  if (e.storage != qnn::BlockScaleStorage::UINT_8) throw refuse("stores its scales in other than 8 bits");
  const std::uint32_t channels = t.dims[static_cast<std::size_t>(e.axis)];
  const std::size_t inner = t.count() / channels;
  if (e.blocks == 0 || inner % e.blocks != 0)
    throw refuse("has " + std::to_string(e.blocks) + " blocks, which do not divide " + std::to_string(inner) + " values");
  if (e.channels == nullptr || e.scales8 == nullptr) throw refuse("has no scales");
  Quantization r;
  r.definition = q.definition;
  r.encoding = q.encoding;
  r.bitwidth = e.bitwidth;
  r.axis = e.axis;
  for (std::uint32_t i = 0; i < channels; ++i) {
    r.scales.push_back(e.channels[i].scale);
    r.offsets.push_back(e.channels[i].offset);
  }
  r.blockScales.assign(e.scales8, e.scales8 + std::size_t{channels} * e.blocks);
  return r;
}

Quantization quantizationOf(const qnn::QuantizeParams& q, const TensorInfo& t, qnn::Error code) {
  const std::string& name = t.name;
  Quantization r;
  r.definition = q.definition;
  r.encoding = q.encoding;
  if (q.definition != qnn::Definition::DEFINED) return r;
  const auto count = [&](std::uint32_t n, const void* values) {
    if (n > kMaximumChannels || (n != 0 && values == nullptr)) {
      throw Failure(
          code, "tensor '" + name + "': per-axis quantisation has " + std::to_string(n) + " scales but no valid array");
    }
    return n;
  };
  switch (q.encoding) {
    case qnn::Encoding::SCALE_OFFSET:
      r.scales = {q.scaleOffset.scale};
      r.offsets = {q.scaleOffset.offset};
      return r;
    case qnn::Encoding::BW_SCALE_OFFSET:
      r.bitwidth = q.bwScaleOffset.bitwidth;
      r.scales = {q.bwScaleOffset.scale};
      r.offsets = {q.bwScaleOffset.offset};
      return r;
    case qnn::Encoding::AXIS_SCALE_OFFSET:
      r.axis = q.axisScaleOffset.axis;
      for (std::uint32_t i = 0; i < count(q.axisScaleOffset.count, q.axisScaleOffset.values); ++i) {
        r.scales.push_back(q.axisScaleOffset.values[i].scale);
        r.offsets.push_back(q.axisScaleOffset.values[i].offset);
      }
      return r;
    case qnn::Encoding::BW_AXIS_SCALE_OFFSET: {
      const qnn::BwAxisScaleOffset& a = q.bwAxisScaleOffset;
      r.bitwidth = a.bitwidth;
      r.axis = a.axis;
      for (std::uint32_t i = 0; i < count(a.count, a.scales); ++i) {
        r.scales.push_back(a.scales[i]);
        r.offsets.push_back(a.offsets == nullptr ? 0 : a.offsets[i]);
      }
      return r;
    }
    case qnn::Encoding::BLOCKWISE_EXPANSION: return expansionOf(q, t, code);
    default:
      throw Failure(code, "tensor '" + name + "': quantisation encoding " +
                              std::to_string(static_cast<std::uint32_t>(q.encoding)) +
                              " is not supported; use a per-tensor or per-axis encoding (0 to 3) or blockwise expansion (5)");
  }
}

}  // namespace

std::size_t sizeOf(qnn::DataType type) {
  using enum qnn::DataType;
  switch (type) {
    case INT_8:
    case UINT_8:
    case BOOL_8:
    case SFIXED_POINT_8:
    case UFIXED_POINT_8: return 1;
    case INT_16:
    case UINT_16:
    case FLOAT_16:
    case SFIXED_POINT_16:
    case UFIXED_POINT_16: return 2;
    case INT_32:
    case UINT_32:
    case FLOAT_32:
    case SFIXED_POINT_32:
    case UFIXED_POINT_32: return 4;
    case INT_64:
    case UINT_64:
    case FLOAT_64: return 8;
    default: return 0;
  }
}

const char* nameOf(qnn::DataType type) {
  using enum qnn::DataType;
  switch (type) {
    case INT_8: return "INT_8";
    case INT_16: return "INT_16";
    case INT_32: return "INT_32";
    case INT_64: return "INT_64";
    case UINT_8: return "UINT_8";
    case UINT_16: return "UINT_16";
    case UINT_32: return "UINT_32";
    case UINT_64: return "UINT_64";
    case FLOAT_16: return "FLOAT_16";
    case FLOAT_32: return "FLOAT_32";
    case FLOAT_64: return "FLOAT_64";
    case SFIXED_POINT_4: return "SFIXED_POINT_4";
    case SFIXED_POINT_8: return "SFIXED_POINT_8";
    case SFIXED_POINT_16: return "SFIXED_POINT_16";
    case SFIXED_POINT_32: return "SFIXED_POINT_32";
    case UFIXED_POINT_4: return "UFIXED_POINT_4";
    case UFIXED_POINT_8: return "UFIXED_POINT_8";
    case UFIXED_POINT_16: return "UFIXED_POINT_16";
    case UFIXED_POINT_32: return "UFIXED_POINT_32";
    case BOOL_8: return "BOOL_8";
    case STRING: return "STRING";
    case UNDEFINED: return "UNDEFINED";
  }
  return "unknown data type";
}

const char* nameOf(qnn::TensorType type) {
  using enum qnn::TensorType;
  switch (type) {
    case APP_WRITE: return "APP_WRITE";
    case APP_READ: return "APP_READ";
    case APP_READWRITE: return "APP_READWRITE";
    case NATIVE: return "NATIVE";
    case STATIC: return "STATIC";
    case NULL_TENSOR: return "NULL";
    case UNDEFINED: return "UNDEFINED";
  }
  return "unknown tensor type";
}

std::size_t TensorInfo::count() const {
  std::size_t n = 1;
  for (const std::uint32_t d : dims) n *= d;
  return n;
}

std::string describeDims(const std::vector<std::uint32_t>& dims) {
  std::string s = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) s += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  return s + "]";
}

std::string TensorInfo::describe() const { return "'" + name + "' " + nameOf(dataType) + describeDims(dims); }

TensorInfo TensorInfo::from(const qnn::Tensor& tensor, qnn::Error code) {
  const qnn::TensorV1& t = tensor.v1;
  TensorInfo r;
  r.id = t.id;
  r.name = t.name == nullptr ? "" : t.name;
  r.type = t.type;
  r.dataType = t.dataType;
  const auto refuse = [&](const std::string& why) { return Failure(code, "tensor '" + r.name + "': " + why); };
  if (tensor.version != 1 && tensor.version != 2) {
    throw refuse("tensor struct version " + std::to_string(tensor.version) + ", expected 1 or 2");
  }
  if (t.type == qnn::TensorType::NULL_TENSOR) return r;
  if (t.dataFormat != 0)
    throw refuse("data format " + std::to_string(t.dataFormat) + " is not supported; expected 0 (flat)");
  if (t.rank > kMaximumRank)
    throw refuse("rank " + std::to_string(t.rank) + ", expected at most " + std::to_string(kMaximumRank));
  if (t.rank != 0 && t.dims == nullptr) throw refuse("rank " + std::to_string(t.rank) + " but no dimensions");
  r.dims.assign(t.dims, t.dims + t.rank);
  r.checkShape(code);
  r.quantization = quantizationOf(t.quantize, r, code);
  if (t.type == qnn::TensorType::STATIC) {
    if (t.memType != qnn::MemType::RAW) throw refuse("constants must be given as raw memory");
    r.data = static_cast<const std::byte*>(t.buffer.data);
    if (r.data != nullptr && t.buffer.bytes != r.bytes()) {
      throw refuse("constant has " + std::to_string(t.buffer.bytes) + " bytes, expected " + std::to_string(r.bytes()) +
                   " for " + nameOf(t.dataType) + describeDims(r.dims));
    }
  }
  return r;
}

void TensorInfo::checkShape(qnn::Error code) const {
  const auto refuse = [&](const std::string& why) { return Failure(code, "tensor '" + name + "': " + why); };
  if (type > qnn::TensorType::NULL_TENSOR) {
    throw refuse("tensor type " + std::to_string(static_cast<std::uint32_t>(type)) +
                 " is not supported; expected APP_WRITE, APP_READ, APP_READWRITE, NATIVE or STATIC");
  }
  if (sizeOf(dataType) == 0) throw refuse(std::string("data type ") + nameOf(dataType) + " is not supported");
  if (rank() > kMaximumRank)
    throw refuse("rank " + std::to_string(rank()) + ", expected at most " + std::to_string(kMaximumRank));
  std::uint64_t bytes = sizeOf(dataType);
  for (const std::uint32_t d : dims) {
    if (d == 0) throw refuse("dimensions " + describeDims(dims) + " contain 0; shapes must be static");
    bytes *= d;  // both below 2^32
    if (bytes > kMaximumBytes)
      throw refuse("dimensions " + describeDims(dims) + " are too large: a tensor has less than 4 GiB");
  }
}

const TensorInfo& absentTensor() {
  static const TensorInfo absent = [] {
    TensorInfo t;
    t.type = qnn::TensorType::NULL_TENSOR;
    return t;
  }();
  return absent;
}

}  // namespace heddle
