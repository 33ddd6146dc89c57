#include "data_type.h"

#include <algorithm>
#include <array>

namespace heddle {

namespace {

using qnn::DataType;

constexpr std::array kTypes = {
    DataTypeInfo{DataType::FLOAT_32, "FLOAT_32", 4, napi_float32_array, "Float32Array"},
    DataTypeInfo{DataType::FLOAT_16, "FLOAT_16", 2, napi_uint16_array, "Uint16Array"},
    DataTypeInfo{DataType::FLOAT_64, "FLOAT_64", 8, napi_float64_array, "Float64Array"},
    DataTypeInfo{DataType::INT_8, "INT_8", 1, napi_int8_array, "Int8Array"},
    DataTypeInfo{DataType::INT_16, "INT_16", 2, napi_int16_array, "Int16Array"},
    DataTypeInfo{DataType::INT_32, "INT_32", 4, napi_int32_array, "Int32Array"},
    DataTypeInfo{DataType::INT_64, "INT_64", 8, napi_bigint64_array, "BigInt64Array"},
    DataTypeInfo{DataType::UINT_8, "UINT_8", 1, napi_uint8_array, "Uint8Array"},
    DataTypeInfo{DataType::UINT_16, "UINT_16", 2, napi_uint16_array, "Uint16Array"},
    DataTypeInfo{DataType::UINT_32, "UINT_32", 4, napi_uint32_array, "Uint32Array"},
    DataTypeInfo{DataType::UINT_64, "UINT_64", 8, napi_biguint64_array, "BigUint64Array"},
    DataTypeInfo{DataType::BOOL_8, "BOOL_8", 1, napi_uint8_array, "Uint8Array"},
    DataTypeInfo{DataType::SFIXED_POINT_8, "SFIXED_POINT_8", 1, napi_int8_array, "Int8Array"},
    DataTypeInfo{DataType::SFIXED_POINT_16, "SFIXED_POINT_16", 2, napi_int16_array, "Int16Array"},
    DataTypeInfo{DataType::SFIXED_POINT_32, "SFIXED_POINT_32", 4, napi_int32_array, "Int32Array"},
    DataTypeInfo{DataType::UFIXED_POINT_8, "UFIXED_POINT_8", 1, napi_uint8_array, "Uint8Array"},
    DataTypeInfo{DataType::UFIXED_POINT_16, "UFIXED_POINT_16", 2, napi_uint16_array, "Uint16Array"},
    DataTypeInfo{DataType::UFIXED_POINT_32, "UFIXED_POINT_32", 4, napi_uint32_array, "Uint32Array"},
};

template <class Match>
const DataTypeInfo* find(Match match) {
  const auto found = std::ranges::find_if(kTypes, match);
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace

std::span<const DataTypeInfo> dataTypes() { return kTypes; }

const DataTypeInfo* findDataType(std::string_view name) {
  return find([&](const DataTypeInfo& info) { return info.name == name; });
}

const DataTypeInfo* findDataType(DataType type) {
  return find([&](const DataTypeInfo& info) { return info.type == type; });
}

std::string_view arrayName(napi_typedarray_type type) {
  if (type == napi_uint8_clamped_array) return "Uint8ClampedArray";
  const auto* info = find([&](const DataTypeInfo& candidate) { return candidate.array == type; });
  return info ? info->arrayName : "typed array of another kind";
}

}  // namespace heddle
