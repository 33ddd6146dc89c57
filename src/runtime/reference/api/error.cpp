// Words for the error codes.
#include "api.h"

namespace heddle {
namespace {

const char* messageOf(qnn::Error error) {
  switch (qnn::codeOf(error)) {
    case qnn::kSuccess: return "success";
    case code::NOT_SUPPORTED: return "this backend does not support the feature";
    case code::MEM_ALLOC: return "out of memory";
    case code::INVALID_ARGUMENT: return "invalid argument";
    case code::GENERAL: return "general error";
    case code::OP_VALIDATION: return "the op configuration is not valid for this backend";
    case code::BACKEND_INVALID_ARGUMENT: return "backend: invalid argument";
    case code::BACKEND_INVALID_HANDLE: return "backend: invalid handle";
    case code::BACKEND_INVALID_CONFIG: return "backend: invalid configuration";
    case code::CONTEXT_INVALID_ARGUMENT: return "context: invalid argument";
    case code::CONTEXT_INVALID_HANDLE: return "context: invalid handle";
    case code::CONTEXT_NOT_FINALIZED: return "context: a graph is not finalized";
    case code::CONTEXT_BINARY_VERSION: return "context binary of a version this backend does not read";
    case code::CONTEXT_CREATE_FROM_BINARY: return "context binary cannot be loaded";
    case code::CONTEXT_GET_BINARY_FAILED: return "context binary cannot be written";
    case code::CONTEXT_INVALID_CONFIG: return "context: invalid configuration";
    case code::GRAPH_INVALID_ARGUMENT: return "graph: invalid argument";
    case code::GRAPH_INVALID_HANDLE: return "graph: invalid handle";
    case code::GRAPH_DOES_NOT_EXIST: return "graph: does not exist";
    case code::GRAPH_INVALID_NAME: return "graph: invalid or duplicate name";
    case code::GRAPH_INVALID_TENSOR: return "graph: invalid tensor";
    case code::GRAPH_INVALID_OP_CONFIG: return "graph: invalid op configuration";
    case code::GRAPH_UNCONNECTED_NODE: return "graph: node added before those it depends on";
    case code::GRAPH_FINALIZE_FAILED: return "graph: finalize failed";
    case code::GRAPH_NOT_FINALIZED: return "graph: not finalized";
    case code::GRAPH_FINALIZED: return "graph: already finalized";
    case code::TENSOR_INVALID_HANDLE: return "tensor: invalid graph handle";
    case code::TENSOR_INVALID_PARAM: return "tensor: invalid description";
    case code::LOG_INVALID_ARGUMENT: return "log: invalid argument";
    case code::LOG_INVALID_HANDLE: return "log: invalid handle";
    case code::PROFILE_INVALID_HANDLE: return "profile: invalid handle";
    case code::DEVICE_INVALID_HANDLE: return "device: invalid handle";
    case code::SYSTEM_INVALID_ARGUMENT: return "system context: invalid argument";
    case code::SYSTEM_INVALID_HANDLE: return "system context: invalid handle";
    default: return nullptr;
  }
}

}  // namespace

namespace api {

Error errorGetMessage(Error error, const char** text) {
  if (text == nullptr) return code::INVALID_ARGUMENT;
  *text = messageOf(error);
  return *text == nullptr ? static_cast<Error>(code::INVALID_ARGUMENT) : kSuccess;
}

/// The messages are constants, so the verbose form is the same text and freeing it does nothing.
Error errorGetVerboseMessage(Error error, const char** text) { return errorGetMessage(error, text); }
Error errorFreeVerboseMessage(const char*) { return kSuccess; }

}  // namespace api
}  // namespace heddle
