// QNN data types by name, with the size of an element and the JavaScript typed array that holds it.
#pragma once

#include <napi.h>

#include <optional>
#include <span>
#include <string_view>

#include "../qnn/qnn_api.h"

namespace heddle {

struct DataTypeInfo {
  qnn::DataType type;
  std::string_view name;       ///< "FLOAT_32", as in the .qnn.json
  std::uint32_t bytes;         ///< per element
  napi_typedarray_type array;  ///< half floats travel as Uint16Array
  std::string_view arrayName;  ///< "Float32Array"
};

/// Every data type the addon can carry.
std::span<const DataTypeInfo> dataTypes();
/// Null when the type is not one of them.
const DataTypeInfo* findDataType(std::string_view name);
const DataTypeInfo* findDataType(qnn::DataType type);

/// Name of a typed array class, for messages.
std::string_view arrayName(napi_typedarray_type type);

}  // namespace heddle
