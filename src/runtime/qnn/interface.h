// The backend interface: configuration structs, log and profile records, and the function table of a backend library.
#pragma once

#include <cstdarg>

#include "types.h"

namespace heddle::qnn {

enum class LogLevel : std::uint32_t { ERROR_LEVEL = 1, WARN = 2, INFO = 3, VERBOSE = 4, DEBUG_LEVEL = 5 };

/// `format` and `args` are printf's; `timestamp` is the backend's own clock in nanoseconds.
using LogCallback = void (*)(const char* format, LogLevel level, std::uint64_t timestamp, va_list args);

/// Every configuration list is a null-terminated array of pointers to a struct of this shape. Option 0 carries a backend-specific
/// struct through `custom`; the first word of that struct is the backend's own option.
struct Config {
  std::uint32_t option = 0;
  union {
    void* custom = nullptr;
    std::uint32_t u32;
    const char* text;
  };
};
static_assert(sizeof(Config) == 16 && offsetof(Config, custom) == 8);
constexpr std::uint32_t kConfigCustom = 0;

/// A backend-specific configuration: option word, then a union at offset 8. HTP device, graph and context configurations and
/// those of the Heddle reference backend all have this shape.
struct CustomConfig {
  std::uint32_t option = 0;
  union {
    std::uint64_t u64 = 0;
    std::uint32_t u32;
    struct {
      std::uint32_t type;
      float value;
    } optimization;  ///< HTP graph option OPTIMIZATION
    std::uint8_t flag;
    void* pointer;
  };
};
static_assert(sizeof(CustomConfig) == 16 && offsetof(CustomConfig, u64) == 8);

/// Custom configurations of the reference backend.
namespace reference {
constexpr std::uint32_t kBackendId = 0x48;  // 'H'
constexpr const char* kProvider = "HEDDLE_REFERENCE";
constexpr const char* kPackage = "heddle";

enum BackendOption : std::uint32_t {
  THREADS = 1,  ///< u32, worker threads; 0: one per core
  SIMD = 2,     ///< u32, a value of Simd; for tests
};
enum class Simd : std::uint32_t { AUTO = 0, SCALAR = 1, AVX2 = 2, AVX512 = 3, NEON = 4 };
enum ContextOption : std::uint32_t {
  BORROW_STATIC = 1,  ///< u32, 1: STATIC data stays valid and unchanged until contextFree, so the backend must not copy it
};
}  // namespace reference

/// Custom configurations of the HTP backend.
namespace htp {
constexpr std::uint32_t kBackendId = 6;
enum DeviceOption : std::uint32_t { SOC = 0 };
enum GraphOption : std::uint32_t { OPTIMIZATION = 1, PRECISION = 2, VTCM_SIZE = 3, HVX_THREADS = 6 };
constexpr std::uint32_t kFinalizeOptimizationFlag = 3;  ///< `type` of OPTIMIZATION; value 1, 2 or 3
enum ContextOption : std::uint32_t { WEIGHT_SHARING = 1, PREPARE_ONLY = 7 };
}  // namespace htp

enum class ProfileLevel : std::uint32_t { BASIC = 1, DETAILED = 2 };
enum class ProfileUnit : std::uint32_t { NONE = 0, MICROSECONDS = 1, BYTES = 2, CYCLES = 3, COUNT = 4, OBJECT = 5 };

struct ProfileEvent {
  std::uint32_t type;
  ProfileUnit unit;
  std::uint64_t value;
  const char* identifier;
};
static_assert(sizeof(ProfileEvent) == 24 && offsetof(ProfileEvent, identifier) == 16);

/// The longer form of an event, which some backends give instead. `data` is a Scalar, or a pointer, a size and a file name
/// where the unit says that the event is an object.
struct ExtendedProfileEvent {
  std::uint32_t version = 1;
  std::uint32_t type = 0;
  ProfileUnit unit = ProfileUnit::NONE;
  std::uint64_t data[3] = {};
  std::uint64_t timestamp = 0;  ///< microseconds
  const char* identifier = nullptr;
};
static_assert(sizeof(ExtendedProfileEvent) == 56 && offsetof(ExtendedProfileEvent, data) == 16);

/// A function of the table that Heddle does not call; it only holds the place.
using Unused = void*;

/// The function table, in the order of core API 2.x. A library of an older minor version has a shorter table: entries after
/// `graphGetProperty` must not be read without checking the version.
struct Functions {
  Error (*propertyHasCapability)(std::uint32_t key);
  Error (*backendCreate)(LogHandle, const Config** config, BackendHandle*);
  Unused backendSetConfig;
  Error (*backendGetApiVersion)(ApiVersion*);
  Error (*backendGetBuildId)(const char** id);
  Unused backendRegisterOpPackage;
  Unused backendGetSupportedOperations;
  Error (*backendValidateOpConfig)(BackendHandle, OpConfig);
  Error (*backendFree)(BackendHandle);
  Error (*contextCreate)(BackendHandle, DeviceHandle, const Config** config, ContextHandle*);
  Unused contextSetConfig;
  Error (*contextGetBinarySize)(ContextHandle, std::uint64_t* bytes);
  Error (*contextGetBinary)(ContextHandle, void* buffer, std::uint64_t bytes, std::uint64_t* written);
  Error (*contextCreateFromBinary)(BackendHandle, DeviceHandle, const Config** config, const void* binary,
                                   std::uint64_t bytes, ContextHandle*, ProfileHandle);
  Error (*contextFree)(ContextHandle, ProfileHandle);
  Error (*graphCreate)(ContextHandle, const char* name, const Config** config, GraphHandle*);
  Unused graphCreateSubgraph;
  Unused graphSetConfig;
  Error (*graphAddNode)(GraphHandle, OpConfig);
  Error (*graphFinalize)(GraphHandle, ProfileHandle, SignalHandle);
  Error (*graphRetrieve)(ContextHandle, const char* name, GraphHandle*);
  Error (*graphExecute)(GraphHandle, const Tensor* inputs, std::uint32_t inputCount, Tensor* outputs,
                        std::uint32_t outputCount, ProfileHandle, SignalHandle);
  Unused graphExecuteAsync;
  Unused tensorCreateContextTensor;
  Error (*tensorCreateGraphTensor)(GraphHandle, Tensor*);
  Error (*logCreate)(LogCallback, LogLevel maximum, LogHandle*);
  Error (*logSetLogLevel)(LogHandle, LogLevel maximum);
  Error (*logFree)(LogHandle);
  Error (*profileCreate)(BackendHandle, ProfileLevel, ProfileHandle*);
  Unused profileSetConfig;
  Error (*profileGetEvents)(ProfileHandle, const ProfileEventId** events, std::uint32_t* count);
  Error (*profileGetSubEvents)(ProfileEventId, const ProfileEventId** events, std::uint32_t* count);
  Error (*profileGetEventData)(ProfileEventId, ProfileEvent*);
  Error (*profileGetExtendedEventData)(ProfileEventId, ExtendedProfileEvent*);
  Error (*profileFree)(ProfileHandle);
  Unused memRegister;
  Unused memDeRegister;
  Unused deviceGetPlatformInfo;
  Unused deviceFreePlatformInfo;
  Unused deviceGetInfrastructure;
  Error (*deviceCreate)(LogHandle, const Config** config, DeviceHandle*);
  Unused deviceSetConfig;
  Unused deviceGetInfo;
  Error (*deviceFree)(DeviceHandle);
  Unused signalCreate;
  Unused signalSetConfig;
  Unused signalTrigger;
  Unused signalFree;
  Error (*errorGetMessage)(Error, const char** text);
  Error (*errorGetVerboseMessage)(Error, const char** text);
  Error (*errorFreeVerboseMessage)(const char* text);
  Unused graphPrepareExecutionEnvironment;
  Unused graphReleaseExecutionEnvironment;
  Unused graphGetProperty;
  Unused contextValidateBinary;
  Unused contextCreateFromBinaryWithSignal;
  Unused contextCreateFromBinaryListAsync;
  Unused tensorUpdateGraphTensors;
  Unused tensorUpdateContextTensors;
  Unused contextGetBinarySectionSize;
  Unused contextGetBinarySection;
  Unused contextApplyBinarySection;
  Unused backendGetProperty;
  Unused contextGetProperty;
  Unused contextGetIncrementalBinary;
  Unused contextReleaseIncrementalBinary;
  Unused contextFinalize;
  Unused globalConfigSet;
  Unused contextCreateFromBinaryWithCallback;
};
static_assert(offsetof(Functions, contextCreate) == 9 * 8 && offsetof(Functions, graphExecute) == 21 * 8);
static_assert(offsetof(Functions, deviceCreate) == 40 * 8 && offsetof(Functions, graphGetProperty) == 53 * 8);
static_assert(sizeof(Functions) == 69 * 8);

/// What `QnnInterface_getProviders` lists.
struct Interface {
  std::uint32_t backendId;
  const char* providerName;
  ApiVersion version;
  Functions functions;
};
static_assert(offsetof(Interface, version) == 16 && offsetof(Interface, functions) == 40);

/// Exported by every backend library under this name.
using GetProviders = Error (*)(const Interface*** providers, std::uint32_t* count);
constexpr const char* kGetProviders = "QnnInterface_getProviders";

/// The core API version this header describes.
constexpr Version kCoreVersion = {2, 36, 0};
/// The oldest core API minor version whose table has everything Heddle calls.
constexpr std::uint32_t kMinimumCoreMinor = 14;

}  // namespace heddle::qnn
