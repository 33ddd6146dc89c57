// The functions behind the QNN interface table, and the objects behind its handles.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "../core/failure.h"
#include "../graph/graph.h"
#include "handles.h"
#include "log.h"

namespace heddle {

struct Backend {
  std::shared_ptr<Log> log;  ///< may be null
  const Kernels& kernels;
  ThreadPool pool;

  Backend(std::shared_ptr<Log> log, const Kernels& kernels, unsigned threads)
      : log(std::move(log)), kernels(kernels), pool(threads) {}
};

struct Context {
  std::shared_ptr<Backend> backend;
  Workplace workplace;
  std::vector<std::shared_ptr<Graph>> graphs;
  AlignedBuffer binary;  ///< the context binary it was made from, when it could not be borrowed

  Context(std::shared_ptr<Backend> owner, bool borrowStatic)
      : backend(std::move(owner)), workplace{backend->pool, backend->kernels, borrowStatic, {}, {}, 1} {}
};

/// A graph together with what keeps it alive. Its handle is the address of the graph.
struct GraphRef {
  std::shared_ptr<Context> context;
  std::shared_ptr<Graph> graph;
};

/// An event of a profile; its address is its id.
struct ProfileRecord {
  qnn::ProfileEvent data{};
  std::string identifier;
  std::vector<std::unique_ptr<ProfileRecord>> children;
  std::vector<qnn::ProfileEventId> childIds;
};

struct Profile {
  qnn::ProfileLevel level;
  std::vector<std::unique_ptr<ProfileRecord>> events;
  std::vector<qnn::ProfileEventId> ids;

  /// Adds an event and returns it, so that sub-events can be added to it.
  ProfileRecord& add(ProfileRecord* parent, std::uint32_t type, qnn::ProfileUnit unit, std::uint64_t value,
                     std::string identifier);
};

/// Runs f; turns what it throws into an error code and one line in the log (which may be null).
template <class F>
qnn::Error guarded(const Log* log, const F& f) {
  const auto refuse = [&](qnn::Error error, const char* line) {
    if (log != nullptr) log->write(qnn::LogLevel::ERROR_LEVEL, line);
    return error;
  };
  try {
    f();
    return qnn::kSuccess;
  } catch (const Failure& failure) {
    return refuse(failure.code(), failure.what());
  } catch (const std::bad_alloc&) {
    return refuse(code::MEM_ALLOC, "out of memory");
  } catch (const std::exception& failure) {
    return refuse(code::GENERAL, failure.what());
  }
}

/// The tensor of the C interface as a node refers to it. Names and dims point into `t`.
qnn::Tensor tensorView(const TensorInfo& t);

namespace api {

using namespace qnn;

Error logCreate(LogCallback, LogLevel, LogHandle*);
Error logSetLogLevel(LogHandle, LogLevel);
Error logFree(LogHandle);

Error propertyHasCapability(std::uint32_t key);
Error backendCreate(LogHandle, const Config**, BackendHandle*);
Error backendGetApiVersion(ApiVersion*);
Error backendGetBuildId(const char**);
Error backendValidateOpConfig(BackendHandle, OpConfig);
Error backendFree(BackendHandle);
Error deviceCreate(LogHandle, const Config**, DeviceHandle*);
Error deviceFree(DeviceHandle);

Error contextCreate(BackendHandle, DeviceHandle, const Config**, ContextHandle*);
Error contextGetBinarySize(ContextHandle, std::uint64_t* bytes);
Error contextGetBinary(ContextHandle, void* buffer, std::uint64_t bytes, std::uint64_t* written);
Error contextCreateFromBinary(BackendHandle, DeviceHandle, const Config**, const void* binary, std::uint64_t bytes,
                              ContextHandle*, ProfileHandle);
Error contextFree(ContextHandle, ProfileHandle);

Error graphCreate(ContextHandle, const char* name, const Config**, GraphHandle*);
Error graphAddNode(GraphHandle, OpConfig);
Error graphFinalize(GraphHandle, ProfileHandle, SignalHandle);
Error graphRetrieve(ContextHandle, const char* name, GraphHandle*);
Error graphExecute(GraphHandle, const Tensor* inputs, std::uint32_t inputCount, Tensor* outputs,
                   std::uint32_t outputCount, ProfileHandle, SignalHandle);
Error tensorCreateGraphTensor(GraphHandle, Tensor*);

Error profileCreate(BackendHandle, ProfileLevel, ProfileHandle*);
Error profileGetEvents(ProfileHandle, const ProfileEventId**, std::uint32_t*);
Error profileGetSubEvents(ProfileEventId, const ProfileEventId**, std::uint32_t*);
Error profileGetEventData(ProfileEventId, ProfileEvent*);
Error profileFree(ProfileHandle);

Error errorGetMessage(Error, const char** text);
Error errorGetVerboseMessage(Error, const char** text);
Error errorFreeVerboseMessage(const char* text);

Error systemContextCreate(SystemContextHandle*);
Error systemContextGetBinaryInfo(SystemContextHandle, void* binary, std::uint64_t bytes, const BinaryInfo**,
                                 std::uint64_t* infoBytes);
Error systemContextGetMetaData(SystemContextHandle, const void* binary, std::uint64_t bytes, const BinaryInfo**);
Error systemContextFree(SystemContextHandle);

}  // namespace api

constexpr qnn::Version kBackendVersion = {0, 1, 0};
constexpr const char* kBuildId = "heddle-reference-0.1.0";

}  // namespace heddle
