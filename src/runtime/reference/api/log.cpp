#include "log.h"

#include <chrono>

#include "api.h"

namespace heddle {
namespace {

/// The callback takes a va_list, which only a variadic function can make.
void forward(qnn::LogCallback callback, qnn::LogLevel level, const char* format, ...) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  va_list arguments;
  va_start(arguments, format);
  callback(format, level, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()),
           arguments);
  va_end(arguments);
}

bool isLevel(qnn::LogLevel level) { return level >= qnn::LogLevel::ERROR_LEVEL && level <= qnn::LogLevel::DEBUG_LEVEL; }

}  // namespace

void Log::write(qnn::LogLevel level, const std::string& line) const {
  if (wants(level)) forward(callback_, level, "%s", line.c_str());
}

namespace api {

qnn::Error logCreate(qnn::LogCallback callback, qnn::LogLevel maximum, qnn::LogHandle* handle) {
  if (handle == nullptr || !isLevel(maximum)) return code::LOG_INVALID_ARGUMENT;
  return guarded(nullptr, [&] { *handle = handles<Log>().add(std::make_shared<Log>(callback, maximum)); });
}

qnn::Error logSetLogLevel(qnn::LogHandle handle, qnn::LogLevel maximum) {
  const auto log = handles<Log>().find(handle);
  if (log == nullptr) return code::LOG_INVALID_HANDLE;
  if (!isLevel(maximum)) return code::LOG_INVALID_ARGUMENT;
  log->setMaximum(maximum);
  return qnn::kSuccess;
}

qnn::Error logFree(qnn::LogHandle handle) {
  return handles<Log>().take(handle) == nullptr ? code::LOG_INVALID_HANDLE : qnn::kSuccess;
}

}  // namespace api
}  // namespace heddle
