// Captures what a backend logs. The QNN callback carries no user pointer, so every open backend gets one of a fixed set of
// callback functions, each with its own line buffer.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../qnn/qnn_api.h"

namespace heddle {

struct LogLine {
  std::uint64_t sequence;
  qnn::LogLevel level;
  std::string text;
};

/// The most recent lines of one backend. Any thread may write.
class LogBuffer {
 public:
  static constexpr std::size_t kCapacity = 8192;

  void write(qnn::LogLevel level, std::string text);
  /// Hands over the lines not taken yet.
  std::vector<LogLine> take();
  /// A position to give to `since`.
  std::uint64_t mark() const;
  /// The most serious of the lines written after `mark`, at most 12, in order.
  std::vector<std::string> since(std::uint64_t mark) const;

 private:
  mutable std::mutex mutex_;
  std::deque<LogLine> lines_;
  std::uint64_t next_ = 0;
};

/// Connects a buffer to a free callback function for as long as it lives.
class LogSink {
 public:
  /// Throws LibraryError when all callbacks are taken.
  LogSink();
  ~LogSink();
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  qnn::LogCallback callback() const;
  LogBuffer& buffer() { return *buffer_; }
  const LogBuffer& buffer() const { return *buffer_; }

 private:
  std::shared_ptr<LogBuffer> buffer_ = std::make_shared<LogBuffer>();
  std::size_t slot_;
};

}  // namespace heddle
