// The `tensors` of a graph description: kinds, shapes, quantisation and where constants live.
#include <cmath>
#include <cstring>
#include <type_traits>

#include "data_type.h"
#include "description.h"
#include "half.h"

namespace heddle {

namespace {

constexpr std::size_t kMaxRank = 8;
/// QNN counts the bytes of a buffer in 32 bits.
constexpr std::uint64_t kMaxTensorBytes = 0xffffffffULL;
constexpr std::int64_t kMaxSafeInteger = 9007199254740991;

qnn::TensorType parseType(const Field& field) {
  static constexpr std::pair<const char*, qnn::TensorType> kNames[] = {
      {"APP_WRITE", qnn::TensorType::APP_WRITE},         {"APP_READ", qnn::TensorType::APP_READ},
      {"APP_READWRITE", qnn::TensorType::APP_READWRITE}, {"NATIVE", qnn::TensorType::NATIVE},
      {"STATIC", qnn::TensorType::STATIC},               {"NULL", qnn::TensorType::NULL_TENSOR},
  };
  const std::string name = field.text();
  for (const auto& [candidate, type] : kNames) {
    if (name == candidate) return type;
  }
  field.refuse("one of APP_WRITE, APP_READ, APP_READWRITE, NATIVE, STATIC, NULL");
}

const DataTypeInfo& parseDataType(const Field& field) {
  if (const auto* info = findDataType(field.text())) return *info;
  std::string names;
  for (const DataTypeInfo& info : dataTypes()) names += (names.empty() ? "" : ", ") + std::string(info.name);
  field.refuse("one of " + names);
}

/// Reads `dims` and returns the size of the whole tensor in bytes.
std::uint64_t parseDims(const Field& field, std::uint32_t elementBytes, std::vector<std::uint32_t>& dims) {
  const auto elements = field.elements();
  if (elements.size() > kMaxRank) field.refuse("at most " + std::to_string(kMaxRank) + " dims");
  std::uint64_t bytes = elementBytes;
  for (const Field& dim : elements) {
    dims.push_back(static_cast<std::uint32_t>(dim.integer(1, 0xffffffff)));
    // Both factors are below 2^32, so the product cannot wrap.
    bytes *= dims.back();
    if (bytes > kMaxTensorBytes) field.refuse("a tensor below 4 GiB, the most QNN can address");
  }
  return bytes;
}

float parseScale(const Field& field) {
  const auto scale = static_cast<float>(field.number());
  if (!std::isfinite(scale) || scale <= 0) field.refuse("a positive finite scale");
  return scale;
}

std::span<const std::byte> parseData(const Field& field, std::uint64_t bytes, std::span<const std::byte> weights);

/// Scales by value, or as 32-bit floats in the weights.
std::vector<float> parseScales(const Field& field, std::uint32_t count, std::span<const std::byte> weights) {
  std::vector<float> scales;
  if (field.value().IsArray()) {
    for (const Field& scale : field.elements()) scales.push_back(parseScale(scale));
    if (scales.size() != count) field.refuse("one scale per index of axis: " + std::to_string(count));
    return scales;
  }
  const auto data = parseData(field, std::uint64_t{count} * sizeof(float), weights);
  scales.resize(count);
  if (count != 0) std::memcpy(scales.data(), data.data(), data.size());
  for (std::size_t i = 0; i < scales.size(); ++i) {
    if (!std::isfinite(scales[i]) || scales[i] <= 0) {
      throw BadInput(field.path() + ": scale " + std::to_string(i) + " in the weights is " + std::to_string(scales[i]) +
                     "; it must be positive and finite: the weights file is damaged or belongs to another build");
    }
  }
  return scales;
}

/// Integers for the blocks of each channel, by value or as bytes in the weights.
void parseBlockScales(const Field& field, const std::vector<std::uint32_t>& dims, std::span<const std::byte> weights,
                      Quantization& to) {
  to.bitwidth = static_cast<std::uint32_t>(field["bitwidth"].integer(1, 8));
  const std::uint32_t channels = dims[static_cast<std::size_t>(to.axis)];
  std::uint64_t inner = 1;
  for (const std::uint32_t dim : dims) inner *= dim;
  inner /= channels;
  to.blocks = static_cast<std::uint32_t>(field["blocks"].integer(1, static_cast<std::int64_t>(inner)));
  if (inner % to.blocks != 0) field["blocks"].refuse("a divisor of the " + std::to_string(inner) + " values of a channel");
  const std::uint64_t count = std::uint64_t{channels} * to.blocks;
  const Field scales = field["blockScales"];
  if (scales.value().IsArray()) {
    for (const Field& scale : scales.elements()) to.blockScales.push_back(static_cast<std::uint8_t>(scale.integer(0, 255)));
    if (to.blockScales.size() != count) scales.refuse("one scale per block: " + std::to_string(count));
  } else {
    const auto data = parseData(scales, count, weights);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(data.data());
    to.blockScales.assign(bytes, bytes + data.size());
  }
  for (std::size_t i = 0; i < to.blockScales.size(); ++i) {
    if (to.blockScales[i] == 0 || to.blockScales[i] > 1U << to.bitwidth) {
      throw BadInput(scales.path() + ": the scale of block " + std::to_string(i) + " is " +
                     std::to_string(to.blockScales[i]) + ", expected 1 to " + std::to_string(1U << to.bitwidth));
    }
  }
}

Quantization parseQuantization(const Field& field, const std::vector<std::uint32_t>& dims,
                               std::span<const std::byte> weights) {
  static constexpr std::pair<const char*, qnn::Encoding> kNames[] = {
      {"SCALE_OFFSET", qnn::Encoding::SCALE_OFFSET},
      {"AXIS_SCALE_OFFSET", qnn::Encoding::AXIS_SCALE_OFFSET},
      {"BW_SCALE_OFFSET", qnn::Encoding::BW_SCALE_OFFSET},
      {"BW_AXIS_SCALE_OFFSET", qnn::Encoding::BW_AXIS_SCALE_OFFSET},
      {"BLOCKWISE_EXPANSION", qnn::Encoding::BLOCKWISE_EXPANSION},
      {"BLOCK", qnn::Encoding::BLOCK},
  };
  Quantization result;
  const std::string name = field["encoding"].text();
  for (const auto& [candidate, encoding] : kNames) {
    if (name == candidate) result.encoding = encoding;
  }
  if (result.encoding == qnn::Encoding::UNDEFINED) {
    field["encoding"].refuse(
        "one of SCALE_OFFSET, AXIS_SCALE_OFFSET, BW_SCALE_OFFSET, BW_AXIS_SCALE_OFFSET, BLOCKWISE_EXPANSION, BLOCK");
  }
  if (name.starts_with("BW_")) result.bitwidth = static_cast<std::uint32_t>(field["bitwidth"].integer(1, 32));
  if (result.encoding == qnn::Encoding::BLOCK) {
    const auto sizes = field["blockSize"].elements();
    if (sizes.size() != dims.size()) field["blockSize"].refuse("a size for each axis: " + std::to_string(dims.size()));
    std::uint32_t count = 1;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      result.blockSize.push_back(static_cast<std::uint32_t>(sizes[i].integer(1, dims[i])));
      if (dims[i] % result.blockSize[i] != 0) sizes[i].refuse("a divisor of " + std::to_string(dims[i]));
      // A product of divisors of dims: no more than the elements of the tensor, which 32 bits hold.
      count *= dims[i] / result.blockSize[i];
    }
    result.scales = parseScales(field["scales"], count, weights);
    result.offsets.assign(result.scales.size(), 0);
    return result;
  }
  if (result.encoding == qnn::Encoding::SCALE_OFFSET || result.encoding == qnn::Encoding::BW_SCALE_OFFSET) {
    result.scales = {parseScale(field["scale"])};
    result.offsets = {field["offset"].i32()};
    return result;
  }
  result.axis = static_cast<std::int32_t>(field["axis"].integer(0, static_cast<std::int64_t>(dims.size()) - 1));
  const std::uint32_t count = dims[static_cast<std::size_t>(result.axis)];
  result.scales = parseScales(field["scales"], count, weights);
  if (result.encoding == qnn::Encoding::BLOCKWISE_EXPANSION) parseBlockScales(field, dims, weights, result);
  if (field["offsets"].present()) {
    for (const Field& offset : field["offsets"].elements()) result.offsets.push_back(offset.i32());
  } else {
    result.offsets.assign(result.scales.size(), 0);
  }
  if (result.offsets.size() != count) field["offsets"].refuse("one offset per index of axis: " + std::to_string(count));
  return result;
}

template <class Element>
void appendBytes(std::vector<std::byte>& bytes, Element element) {
  const auto* begin = reinterpret_cast<const std::byte*>(&element);
  bytes.insert(bytes.end(), begin, begin + sizeof(Element));
}

template <class Element>
void append(std::vector<std::byte>& bytes, const Field& field) {
  Element element;
  if constexpr (std::is_floating_point_v<Element>) {
    element = static_cast<Element>(field.number());
  } else {
    // 64-bit integers are limited to what a JavaScript number holds exactly.
    constexpr bool kWide = sizeof(Element) == 8;
    constexpr std::int64_t kLeast = kWide ? (std::is_signed_v<Element> ? -kMaxSafeInteger : 0)
                                          : static_cast<std::int64_t>(std::numeric_limits<Element>::min());
    constexpr std::int64_t kMost = kWide ? kMaxSafeInteger : static_cast<std::int64_t>(std::numeric_limits<Element>::max());
    element = static_cast<Element>(field.integer(kLeast, kMost));
  }
  appendBytes(bytes, element);
}

std::vector<std::byte> parseInline(const Field& field, const TensorDescription& tensor, const DataTypeInfo& info) {
  const auto elements = field.elements();
  if (elements.size() != tensor.bytes / info.bytes) {
    field.refuse(std::to_string(tensor.bytes / info.bytes) + " numbers for this shape, not " + std::to_string(elements.size()));
  }
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(tensor.bytes));
  for (const Field& element : elements) {
    if (info.type == qnn::DataType::FLOAT_16) {
      appendBytes(bytes, toHalf(static_cast<float>(element.number())));
      continue;
    }
    switch (info.array) {
      case napi_float32_array: append<float>(bytes, element); break;
      case napi_float64_array: append<double>(bytes, element); break;
      case napi_int8_array: append<std::int8_t>(bytes, element); break;
      case napi_int16_array: append<std::int16_t>(bytes, element); break;
      case napi_int32_array: append<std::int32_t>(bytes, element); break;
      case napi_bigint64_array: append<std::int64_t>(bytes, element); break;
      case napi_uint8_array: append<std::uint8_t>(bytes, element); break;
      case napi_uint16_array: append<std::uint16_t>(bytes, element); break;
      case napi_uint32_array: append<std::uint32_t>(bytes, element); break;
      case napi_biguint64_array: append<std::uint64_t>(bytes, element); break;
      default: field.refuse("a data type that can be written inline");
    }
  }
  return bytes;
}

std::span<const std::byte> parseData(const Field& field, std::uint64_t bytes, std::span<const std::byte> weights) {
  const auto offset = static_cast<std::uint64_t>(field["offset"].integer(0, kMaxSafeInteger));
  const auto length = static_cast<std::uint64_t>(field["bytes"].integer(0, kMaxSafeInteger));
  if (length != bytes) field["bytes"].refuse(std::to_string(bytes) + ", the size of this shape and data type");
  if (offset % 64 != 0) field["offset"].refuse("a multiple of 64");
  if (offset > weights.size() || length > weights.size() - offset) {
    throw BadInput(field.path() + ": bytes " + std::to_string(offset) + " to " + std::to_string(offset + length) +
                   " lie outside the weights, which have " + std::to_string(weights.size()) +
                   " bytes; the weights file is truncated or belongs to another build");
  }
  return weights.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
}

}  // namespace

TensorDescription parseTensor(const Field& json, std::span<const std::byte> weights) {
  TensorDescription tensor;
  tensor.name = json["name"].nonEmptyText();
  // From here on the tensor is named, which helps more than its index.
  const Field named(json.value(), json.path() + " ('" + tensor.name + "')");
  tensor.type = parseType(named["type"]);
  const DataTypeInfo& info = parseDataType(named["dataType"]);
  tensor.dataType = info.type;
  tensor.bytes = parseDims(named["dims"], info.bytes, tensor.dims);
  if (named["quantize"].present()) tensor.quantization = parseQuantization(named["quantize"], tensor.dims, weights);

  const Field data = named["data"], inlined = named["inline"];
  if (tensor.type != qnn::TensorType::STATIC) {
    if (data.present() || inlined.present()) throw BadInput(named.path() + ": only a STATIC tensor can have data");
  } else if (data.present() == inlined.present()) {
    throw BadInput(named.path() + ": a STATIC tensor needs either data or inline");
  } else if (data.present()) {
    tensor.data = parseData(data, tensor.bytes, weights);
  } else {
    tensor.inlineData = parseInline(inlined, tensor, info);
  }
  return tensor;
}

}  // namespace heddle
