// Log lines through the application's callback.
#pragma once

#include <atomic>
#include <string>

#include "../../qnn/qnn_api.h"

namespace heddle {

class Log {
 public:
  Log(qnn::LogCallback callback, qnn::LogLevel maximum) : callback_(callback), maximum_(maximum) {}

  void setMaximum(qnn::LogLevel maximum) { maximum_ = maximum; }
  bool wants(qnn::LogLevel level) const { return callback_ != nullptr && level <= maximum_.load(); }
  void write(qnn::LogLevel level, const std::string& line) const;

 private:
  qnn::LogCallback callback_;
  std::atomic<qnn::LogLevel> maximum_;
};

}  // namespace heddle
