/** The error codes of the QNN interface: the low 16 bits of what a call returns. */

export interface QnnErrorCode {
  /** The name in the interface's own vocabulary. */
  readonly name: string;
  readonly words: string;
  readonly hint?: string;
}

const unsupportedOp = "the log lines tell which rule of the op was broken; --dump shows where the node came from";
const staleBinary = "compile again with the libraries that are installed now, and for the SoC that runs it";

/** Every code of the core API by component: 1000 common, 2000 property, 3000 op package, 4000 backend, 5000 context, ... */
const codes: Readonly<Record<number, QnnErrorCode>> = {
  1000: { name: "QNN_COMMON_ERROR_NOT_SUPPORTED", words: "the backend does not support this" },
  1001: { name: "QNN_COMMON_ERROR_BACKEND_NOT_INITIALIZED", words: "the backend is not initialised" },
  1002: {
    name: "QNN_COMMON_ERROR_MEM_ALLOC",
    words: "out of memory, or the graph could not be prepared",
    hint: "often a single op that the backend cannot place is the cause: the log lines name it",
  },
  1003: { name: "QNN_COMMON_ERROR_SYSTEM", words: "a service of the operating system or the DSP failed" },
  1004: { name: "QNN_COMMON_ERROR_INVALID_ARGUMENT", words: "an argument is invalid" },
  1005: { name: "QNN_COMMON_ERROR_OPERATION_NOT_PERMITTED", words: "not allowed at this point" },
  1006: { name: "QNN_COMMON_ERROR_PLATFORM_NOT_SUPPORTED", words: "the backend does not run on this machine" },
  1007: {
    name: "QNN_COMMON_ERROR_SYSTEM_COMMUNICATION",
    words: "no connection to the DSP",
    hint: "check the NPU driver, and that the DSP-side library of the same version is installed",
  },
  1008: {
    name: "QNN_COMMON_ERROR_INCOMPATIBLE_BINARIES",
    words: "the loaded libraries have versions that do not fit together",
    hint: "take all QNN libraries from one release",
  },
  1009: {
    name: "QNN_COMMON_ERROR_LOADING_BINARIES",
    words: "a library that the backend needs could not be loaded, or is loaded already",
    hint: "take all QNN libraries from one release and keep them in one folder",
  },
  1010: { name: "QNN_COMMON_ERROR_RESOURCE_UNAVAILABLE", words: "a resource is not available" },
  1100: { name: "QNN_COMMON_ERROR_GENERAL", words: "failed for a reason without a code of its own" },

  2000: { name: "QNN_PROPERTY_ERROR_UNKNOWN_KEY", words: "unknown property" },

  3000: { name: "QNN_OP_PACKAGE_ERROR_LIBRARY_ALREADY_INITIALIZED", words: "the op package is initialised already" },
  3001: { name: "QNN_OP_PACKAGE_ERROR_LIBRARY_NOT_INITIALIZED", words: "the op package is not initialised" },
  3002: { name: "QNN_OP_PACKAGE_ERROR_INVALID_HANDLE", words: "invalid op package handle" },
  3100: {
    name: "QNN_OP_PACKAGE_ERROR_INVALID_INFRASTRUCTURE",
    words: "the op package was given a wrong infrastructure",
  },
  3101: { name: "QNN_OP_PACKAGE_ERROR_INVALID_INFO", words: "the op package was given wrong information" },
  3110: {
    name: "QNN_OP_PACKAGE_ERROR_VALIDATION_FAILURE",
    words: "the backend does not take this op with these operands and parameters",
    hint: unsupportedOp,
  },
  3200: { name: "QNN_OP_PACKAGE_ERROR_INVALID_ARGUMENT", words: "an argument to the op package is invalid" },

  4000: {
    name: "QNN_BACKEND_ERROR_CANNOT_INITIALIZE",
    words: "the backend cannot start",
    hint: "the backend may need a device this machine does not have; the log lines say more",
  },
  4001: { name: "QNN_BACKEND_ERROR_ALREADY_INITIALIZED", words: "the backend is initialised already" },
  4002: { name: "QNN_BACKEND_ERROR_TERMINATE_FAILED", words: "the backend could not free its resources" },
  4003: { name: "QNN_BACKEND_ERROR_NOT_SUPPORTED", words: "the backend does not support this" },
  4004: { name: "QNN_BACKEND_ERROR_INVALID_ARGUMENT", words: "an argument is invalid" },
  4005: { name: "QNN_BACKEND_ERROR_OP_PACKAGE_NOT_FOUND", words: "the op package was not found" },
  4006: {
    name: "QNN_BACKEND_ERROR_OP_PACKAGE_IF_PROVIDER_NOT_FOUND",
    words: "the op package library does not provide the interface",
  },
  4007: { name: "QNN_BACKEND_ERROR_OP_PACKAGE_REGISTRATION_FAILED", words: "the op package could not be registered" },
  4008: {
    name: "QNN_BACKEND_ERROR_OP_PACKAGE_UNSUPPORTED_VERSION",
    words: "the op package has an interface version the backend does not support",
  },
  4009: { name: "QNN_BACKEND_ERROR_OP_PACKAGE_DUPLICATE", words: "an op of this name is registered already" },
  4010: { name: "QNN_BACKEND_ERROR_INCONSISTENT_CONFIG", words: "the configuration contradicts an earlier one" },
  4011: { name: "QNN_BACKEND_ERROR_INVALID_HANDLE", words: "invalid backend handle" },
  4012: { name: "QNN_BACKEND_ERROR_INVALID_CONFIG", words: "the backend's configuration is invalid" },

  5000: { name: "QNN_CONTEXT_ERROR_INVALID_ARGUMENT", words: "an argument is invalid" },
  5001: { name: "QNN_CONTEXT_ERROR_CTX_DOES_NOT_EXIST", words: "there is no such context" },
  5002: { name: "QNN_CONTEXT_ERROR_INVALID_HANDLE", words: "invalid context handle" },
  5003: { name: "QNN_CONTEXT_ERROR_NOT_FINALIZED", words: "a graph of the context is not finalized" },
  5004: {
    name: "QNN_CONTEXT_ERROR_BINARY_VERSION",
    words: "the context binary was written by an incompatible version",
    hint: staleBinary,
  },
  5005: {
    name: "QNN_CONTEXT_ERROR_CREATE_FROM_BINARY",
    words: "the context binary cannot be loaded",
    hint: staleBinary,
  },
  5006: { name: "QNN_CONTEXT_ERROR_GET_BINARY_SIZE_FAILED", words: "the size of the context binary is not known" },
  5007: { name: "QNN_CONTEXT_ERROR_GET_BINARY_FAILED", words: "the context could not be turned into a binary" },
  5008: {
    name: "QNN_CONTEXT_ERROR_BINARY_CONFIGURATION",
    words: "the context binary was made for another configuration",
    hint: staleBinary,
  },
  5009: { name: "QNN_CONTEXT_ERROR_SET_PROFILE", words: "the profile handle was refused" },
  5010: { name: "QNN_CONTEXT_ERROR_INVALID_CONFIG", words: "the context's configuration is invalid" },
  5011: {
    name: "QNN_CONTEXT_ERROR_BINARY_SUBOPTIMAL",
    words: "the context binary is not the best one for this device",
    hint: staleBinary,
  },
  5012: { name: "QNN_CONTEXT_ERROR_ABORTED", words: "aborted by a signal" },
  5013: { name: "QNN_CONTEXT_ERROR_TIMED_OUT", words: "took longer than its signal allowed" },
  5014: {
    name: "QNN_CONTEXT_ERROR_INCREMENT_INVALID_BUFFER",
    words: "the buffer of an incremental binary was not given by the backend",
  },

  6000: { name: "QNN_GRAPH_ERROR_INVALID_ARGUMENT", words: "an argument is invalid" },
  6001: { name: "QNN_GRAPH_ERROR_INVALID_HANDLE", words: "invalid graph handle" },
  6002: { name: "QNN_GRAPH_ERROR_GRAPH_DOES_NOT_EXIST", words: "the context has no graph of this name" },
  6003: { name: "QNN_GRAPH_ERROR_INVALID_NAME", words: "the graph's name is invalid or used already" },
  6004: { name: "QNN_GRAPH_ERROR_INVALID_TENSOR", words: "a tensor is invalid or missing" },
  6005: {
    name: "QNN_GRAPH_ERROR_INVALID_OP_CONFIG",
    words: "the node's type, operands or parameters are invalid",
    hint: unsupportedOp,
  },
  6006: { name: "QNN_GRAPH_ERROR_SET_PROFILE", words: "the profile handle was refused" },
  6007: { name: "QNN_GRAPH_ERROR_UNCONNECTED_NODE", words: "the node was added before the nodes it depends on" },
  6020: { name: "QNN_GRAPH_ERROR_CREATE_FAILED", words: "the graph could not be created with this configuration" },
  6021: { name: "QNN_GRAPH_ERROR_OPTIMIZATION_FAILED", words: "the graph could not be optimised" },
  6022: { name: "QNN_GRAPH_ERROR_FINALIZE_FAILED", words: "the graph could not be compiled" },
  6023: { name: "QNN_GRAPH_ERROR_GRAPH_NOT_FINALIZED", words: "the graph is not finalized" },
  6024: { name: "QNN_GRAPH_ERROR_GRAPH_FINALIZED", words: "the graph is finalized and cannot change" },
  6025: { name: "QNN_GRAPH_ERROR_EXECUTION_ASYNC_FIFO_FULL", words: "too many runs are queued" },
  6030: { name: "QNN_GRAPH_ERROR_SIGNAL_IN_USE", words: "the signal is used by another call" },
  6031: { name: "QNN_GRAPH_ERROR_ABORTED", words: "aborted by a signal" },
  6032: { name: "QNN_GRAPH_ERROR_PROFILE_IN_USE", words: "the profile handle is used by another graph" },
  6033: { name: "QNN_GRAPH_ERROR_TIMED_OUT", words: "took longer than its signal allowed" },
  6034: { name: "QNN_GRAPH_ERROR_SUBGRAPH", words: "not allowed on a subgraph" },
  6035: { name: "QNN_GRAPH_ERROR_DISABLED", words: "the graph is not enabled" },
  6036: { name: "QNN_GRAPH_ERROR_DYNAMIC_TENSOR_SHAPE", words: "a dynamic shape is wrong" },
  6037: { name: "QNN_GRAPH_ERROR_TENSOR_SPARSITY", words: "a sparse tensor is wrong" },
  6038: { name: "QNN_GRAPH_ERROR_EARLY_TERMINATION", words: "the run ended early" },

  7001: { name: "QNN_TENSOR_ERROR_INVALID_HANDLE", words: "invalid graph or context handle" },
  7002: { name: "QNN_TENSOR_ERROR_DOES_NOT_EXIST", words: "the graph has no such tensor" },
  7003: { name: "QNN_TENSOR_ERROR_ALREADY_EXISTS", words: "the graph has a tensor of this name already" },
  7004: {
    name: "QNN_TENSOR_ERROR_INVALID_TENSOR_PARAM",
    words: "the tensor's type, shape, encoding or data is invalid",
  },
  7005: {
    name: "QNN_TENSOR_ERROR_UNSUPPORTED_TENSOR_PARAM",
    words: "the backend does not support this type, shape, encoding or kind of tensor",
  },
  7006: { name: "QNN_TENSOR_ERROR_NAME_HASH_COLLISION", words: "the tensor's name collides with another; rename it" },

  8000: { name: "QNN_MEM_ERROR_INVALID_ARGUMENT", words: "an argument is invalid" },
  8001: { name: "QNN_MEM_ERROR_INVALID_HANDLE", words: "invalid memory handle" },
  8002: { name: "QNN_MEM_ERROR_ALREADY_REGISTERED", words: "the memory is registered already" },
  8003: { name: "QNN_MEM_ERROR_MAPPING", words: "memory could not be mapped to the device" },
  8004: { name: "QNN_MEM_ERROR_INVALID_SHAPE", words: "the memory's shape or alignment is not allowed" },
  8005: { name: "QNN_MEM_ERROR_UNSUPPORTED_MEMTYPE", words: "the backend does not support this kind of memory" },

  12000: { name: "QNN_PROFILE_ERROR_INVALID_HANDLE", words: "invalid profile handle" },
  12001: { name: "QNN_PROFILE_ERROR_HANDLE_IN_USE", words: "the profile handle is in use" },
  12002: { name: "QNN_PROFILE_ERROR_INCOMPATIBLE_EVENT", words: "the event does not fit the call" },

  14000: { name: "QNN_DEVICE_ERROR_INVALID_HANDLE", words: "invalid device handle" },
  14001: {
    name: "QNN_DEVICE_ERROR_INVALID_CONFIG",
    words: "the device's configuration is invalid",
    hint: "check the SoC number: 60 is Snapdragon X Elite",
  },
  14002: { name: "QNN_DEVICE_ERROR_HARDWARE_UNAVAILABLE", words: "the device is not available" },
  14003: { name: "QNN_DEVICE_ERROR_ASSOCIATED_TO_CONTEXT", words: "the device still has a context" },

  30010: {
    name: "QNN_SYSTEM_CONTEXT_ERROR_MALFORMED_BINARY",
    words: "this is not a context binary, or a damaged one",
    hint: staleBinary,
  },
};

const components: readonly (readonly [base: number, name: string])[] = [
  [30000, "SYSTEM"],
  [14000, "DEVICE"],
  [13000, "PERF_INFRASTRUCTURE"],
  [12000, "PROFILE"],
  [11000, "LOG"],
  [10000, "ERROR"],
  [9000, "SIGNAL"],
  [8000, "MEM"],
  [7000, "TENSOR"],
  [6000, "GRAPH"],
  [5000, "CONTEXT"],
  [4000, "BACKEND"],
  [3000, "OP_PACKAGE"],
  [2000, "PROPERTY"],
  [1000, "COMMON"],
];

/** Name and meaning of a code. A code outside the core API is named after the component that its range belongs to. */
export function decodeQnnError(code: number): QnnErrorCode {
  const known = codes[code];
  if (known) return known;
  const component = components.find(([base]) => code >= base)?.[1] ?? "UNKNOWN";
  return { name: `QNN_${component}_ERROR_${code}`, words: `code ${code}, which the core API does not define` };
}
