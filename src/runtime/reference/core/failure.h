// How a refusal travels inside the library. It is turned into an error code and one log line where the C interface
// begins.
#pragma once

#include <stdexcept>
#include <string>

#include "../../qnn/qnn_api.h"

namespace heddle {

/// Error codes of the QNN interface, as its users meet them (low 16 bits of the returned value).
namespace code {
enum Code : qnn::Error {
  NOT_SUPPORTED = 1000,
  MEM_ALLOC = 1002,
  INVALID_ARGUMENT = 1004,
  GENERAL = 1100,
  OP_VALIDATION = 3110,
  BACKEND_INVALID_ARGUMENT = 4004,
  BACKEND_INVALID_HANDLE = 4011,
  BACKEND_INVALID_CONFIG = 4012,
  CONTEXT_INVALID_ARGUMENT = 5000,
  CONTEXT_INVALID_HANDLE = 5002,
  CONTEXT_NOT_FINALIZED = 5003,
  CONTEXT_BINARY_VERSION = 5004,
  CONTEXT_CREATE_FROM_BINARY = 5005,
  CONTEXT_GET_BINARY_FAILED = 5007,
  CONTEXT_INVALID_CONFIG = 5010,
  GRAPH_INVALID_ARGUMENT = 6000,
  GRAPH_INVALID_HANDLE = 6001,
  GRAPH_DOES_NOT_EXIST = 6002,
  GRAPH_INVALID_NAME = 6003,
  GRAPH_INVALID_TENSOR = 6004,
  GRAPH_INVALID_OP_CONFIG = 6005,
  GRAPH_UNCONNECTED_NODE = 6007,
  GRAPH_FINALIZE_FAILED = 6022,
  GRAPH_NOT_FINALIZED = 6023,
  GRAPH_FINALIZED = 6024,
  TENSOR_INVALID_HANDLE = 7001,
  TENSOR_INVALID_PARAM = 7004,
  LOG_INVALID_ARGUMENT = 11003,
  LOG_INVALID_HANDLE = 11004,
  PROFILE_INVALID_HANDLE = 12000,
  DEVICE_INVALID_HANDLE = 14002,
  SYSTEM_INVALID_ARGUMENT = 30002,
  SYSTEM_INVALID_HANDLE = 30003,
};
}  // namespace code

class Failure : public std::runtime_error {
 public:
  Failure(qnn::Error code, const std::string& message) : std::runtime_error(message), code_(code) {}
  qnn::Error code() const { return code_; }

 private:
  qnn::Error code_;
};

}  // namespace heddle
