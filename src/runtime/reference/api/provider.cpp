// The two functions the library exports, and the tables they hand out.
#include "api.h"

#if defined(_WIN32)
#define HEDDLE_EXPORT extern "C" __declspec(dllexport)
#else
#define HEDDLE_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace heddle {
namespace {

/// Stands in the place of every function this backend does not have, whatever its signature.
struct NotSupported {
  template <class... Arguments>
  using Function = qnn::Error (*)(Arguments...);

  template <class... Arguments>
  operator Function<Arguments...>() const {
    return [](Arguments...) -> qnn::Error { return code::NOT_SUPPORTED; };
  }
  /// For entries declared without a signature. It reads no argument, so any signature may call it.
  operator qnn::Unused() const { return reinterpret_cast<qnn::Unused>(static_cast<Function<>>(*this)); }
};

qnn::Interface makeInterface() {
  constexpr NotSupported no;
  qnn::Interface i{};
  i.backendId = qnn::reference::kBackendId;
  i.providerName = qnn::reference::kProvider;
  i.version = {qnn::kCoreVersion, kBackendVersion};
  qnn::Functions& f = i.functions;
  f.propertyHasCapability = api::propertyHasCapability;
  f.backendCreate = api::backendCreate;
  f.backendSetConfig = no;
  f.backendGetApiVersion = api::backendGetApiVersion;
  f.backendGetBuildId = api::backendGetBuildId;
  f.backendRegisterOpPackage = no;
  f.backendGetSupportedOperations = no;
  f.backendValidateOpConfig = api::backendValidateOpConfig;
  f.backendFree = api::backendFree;
  f.contextCreate = api::contextCreate;
  f.contextSetConfig = no;
  f.contextGetBinarySize = api::contextGetBinarySize;
  f.contextGetBinary = api::contextGetBinary;
  f.contextCreateFromBinary = api::contextCreateFromBinary;
  f.contextFree = api::contextFree;
  f.graphCreate = api::graphCreate;
  f.graphCreateSubgraph = no;
  f.graphSetConfig = no;
  f.graphAddNode = api::graphAddNode;
  f.graphFinalize = api::graphFinalize;
  f.graphRetrieve = api::graphRetrieve;
  f.graphExecute = api::graphExecute;
  f.graphExecuteAsync = no;
  f.tensorCreateContextTensor = no;
  f.tensorCreateGraphTensor = api::tensorCreateGraphTensor;
  f.logCreate = api::logCreate;
  f.logSetLogLevel = api::logSetLogLevel;
  f.logFree = api::logFree;
  f.profileCreate = api::profileCreate;
  f.profileSetConfig = no;
  f.profileGetEvents = api::profileGetEvents;
  f.profileGetSubEvents = api::profileGetSubEvents;
  f.profileGetEventData = api::profileGetEventData;
  f.profileGetExtendedEventData = no;
  f.profileFree = api::profileFree;
  f.memRegister = no;
  f.memDeRegister = no;
  f.deviceGetPlatformInfo = no;
  f.deviceFreePlatformInfo = no;
  f.deviceGetInfrastructure = no;
  f.deviceCreate = api::deviceCreate;
  f.deviceSetConfig = no;
  f.deviceGetInfo = no;
  f.deviceFree = api::deviceFree;
  f.signalCreate = no;
  f.signalSetConfig = no;
  f.signalTrigger = no;
  f.signalFree = no;
  f.errorGetMessage = api::errorGetMessage;
  f.errorGetVerboseMessage = api::errorGetVerboseMessage;
  f.errorFreeVerboseMessage = api::errorFreeVerboseMessage;
  // What follows was added to the interface later.
  f.graphPrepareExecutionEnvironment = no;
  f.graphReleaseExecutionEnvironment = no;
  f.graphGetProperty = no;
  f.contextValidateBinary = no;
  f.contextCreateFromBinaryWithSignal = no;
  f.contextCreateFromBinaryListAsync = no;
  f.tensorUpdateGraphTensors = no;
  f.tensorUpdateContextTensors = no;
  f.contextGetBinarySectionSize = no;
  f.contextGetBinarySection = no;
  f.contextApplyBinarySection = no;
  f.backendGetProperty = no;
  f.contextGetProperty = no;
  f.contextGetIncrementalBinary = no;
  f.contextReleaseIncrementalBinary = no;
  f.contextFinalize = no;
  f.globalConfigSet = no;
  f.contextCreateFromBinaryWithCallback = no;
  return i;
}

constexpr qnn::Version kSystemVersion = {1, 0, 0};

}  // namespace
}  // namespace heddle

HEDDLE_EXPORT heddle::qnn::Error QnnInterface_getProviders(const heddle::qnn::Interface*** providers,
                                                           std::uint32_t* count) {
  using namespace heddle;
  if (providers == nullptr || count == nullptr) return code::INVALID_ARGUMENT;
  static const qnn::Interface interface = makeInterface();
  static const qnn::Interface* list[] = {&interface};
  *providers = list;
  *count = 1;
  return qnn::kSuccess;
}

HEDDLE_EXPORT heddle::qnn::Error QnnSystemInterface_getProviders(const heddle::qnn::SystemInterface*** providers,
                                                                 std::uint32_t* count) {
  using namespace heddle;
  if (providers == nullptr || count == nullptr) return code::INVALID_ARGUMENT;
  static const qnn::SystemInterface interface = {qnn::reference::kBackendId,
                                                 qnn::reference::kProvider,
                                                 kSystemVersion,
                                                 {api::systemContextCreate, api::systemContextGetBinaryInfo,
                                                  api::systemContextGetMetaData, api::systemContextFree}};
  static const qnn::SystemInterface* list[] = {&interface};
  *providers = list;
  *count = 1;
  return qnn::kSuccess;
}
