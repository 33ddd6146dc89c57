// The system interface: what is inside a context binary. Qualcomm ships it as libQnnSystem.so; the reference backend exports
// it from its own library for its own binaries.
#pragma once

#include "types.h"

namespace heddle::qnn {

/// A graph of a context binary. Every version begins with the first five fields.
struct GraphInfoV3 {
  const char* name;
  std::uint32_t inputCount;
  Tensor* inputs;
  std::uint32_t outputCount;
  Tensor* outputs;
  std::uint32_t updateableCount;  ///< from version 2
  Tensor* updateable;
  std::uint32_t blobBytes;  ///< from version 3: backend-specific
  void* blob;
  std::uint32_t firstOp, lastOp;
};

/// Element of the graph list. Its size is that of version 3 whatever `version` says.
struct GraphInfo {
  std::uint32_t version;
  GraphInfoV3 v3;
};
static_assert(offsetof(GraphInfo, v3) == 8 && sizeof(GraphInfoV3) == 80 && sizeof(GraphInfo) == 88);

/// Description of a context binary, version 1. Version 2 appends a platform description.
struct BinaryInfoV1 {
  std::uint32_t backendId;
  const char* buildId;
  Version coreVersion, backendVersion;
  const char* socVersion;
  Version hardwareBlobVersion, contextBlobVersion;
  std::uint32_t hardwareBlobBytes;
  void* hardwareBlob;
  std::uint64_t contextBlobBytes;
  std::uint32_t contextTensorCount;
  Tensor* contextTensors;
  std::uint32_t graphCount;
  GraphInfo* graphs;
};
static_assert(offsetof(BinaryInfoV1, socVersion) == 40 && offsetof(BinaryInfoV1, contextBlobBytes) == 88);
static_assert(offsetof(BinaryInfoV1, graphs) == 120 && sizeof(BinaryInfoV1) == 128);

/// Version 3 drops the hardware blob and appends metadata and the SoC model.
struct BinaryInfoV3 {
  std::uint32_t backendId;
  const char* buildId;
  Version coreVersion, backendVersion;
  const char* socVersion;
  Version contextBlobVersion;
  std::uint64_t contextBlobBytes;
  std::uint32_t contextTensorCount;
  Tensor* contextTensors;
  std::uint32_t graphCount;
  GraphInfo* graphs;
  void* platform;
  std::uint32_t metadataBytes;
  void* metadata;
  std::uint32_t socModel;
};
static_assert(offsetof(BinaryInfoV3, contextBlobBytes) == 64 && offsetof(BinaryInfoV3, graphs) == 96);

struct BinaryInfo {
  std::uint32_t version;
  union {
    BinaryInfoV1 v1;  ///< also reads version 2
    BinaryInfoV3 v3;
  };
};
static_assert(offsetof(BinaryInfo, v1) == 8 && sizeof(BinaryInfo) == 144);

struct SystemFunctions {
  Error (*contextCreate)(SystemContextHandle*);
  /// The returned description lives as long as the handle.
  Error (*contextGetBinaryInfo)(SystemContextHandle, void* binary, std::uint64_t bytes, const BinaryInfo**,
                                std::uint64_t* infoBytes);
  Error (*contextGetMetaData)(SystemContextHandle, const void* binary, std::uint64_t bytes, const BinaryInfo**);
  Error (*contextFree)(SystemContextHandle);
};

/// What `QnnSystemInterface_getProviders` lists.
struct SystemInterface {
  std::uint32_t backendId;
  const char* providerName;
  Version version;
  SystemFunctions functions;
};
static_assert(offsetof(SystemInterface, version) == 16 && offsetof(SystemInterface, functions) == 32);

using GetSystemProviders = Error (*)(const SystemInterface*** providers, std::uint32_t* count);
constexpr const char* kGetSystemProviders = "QnnSystemInterface_getProviders";

}  // namespace heddle::qnn
