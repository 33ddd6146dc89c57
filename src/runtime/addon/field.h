// Reads a JavaScript value field by field, remembering where it is, so that every complaint names the field:
// "tensors[12].dims[1]: expected a positive integer, got -3".
#pragma once

#include <napi.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace heddle {

class Field {
 public:
  Field(Napi::Value value, std::string path) : value_(value), path_(std::move(path)) {}

  bool present() const { return !value_.IsUndefined() && !value_.IsNull(); }
  /// A property of an object, absent or not.
  Field operator[](const char* key) const;
  /// The elements of an array.
  std::vector<Field> elements() const;

  /// Throws BadInput if the object has a property of another name.
  void allowOnly(std::initializer_list<std::string_view> keys) const;

  std::string text() const;         ///< a string without NUL characters
  std::string nonEmptyText() const;
  bool boolean() const;
  double number() const;            ///< any finite or infinite number, not NaN
  /// An integer within the bounds.
  std::int64_t integer(std::int64_t least, std::int64_t most) const;
  std::uint32_t u32() const { return static_cast<std::uint32_t>(integer(0, std::numeric_limits<std::uint32_t>::max())); }
  std::int32_t i32() const {
    return static_cast<std::int32_t>(
        integer(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
  }

  const Napi::Value& value() const { return value_; }
  const std::string& path() const { return path_; }
  /// Throws BadInput: "<path>: expected <expected>, got <the value>".
  [[noreturn]] void refuse(const std::string& expected) const;

 private:
  Napi::Value value_;
  std::string path_;
};

/// A short description of a JavaScript value for messages.
std::string describe(const Napi::Value& value);

}  // namespace heddle
