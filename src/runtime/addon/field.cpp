#include "field.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace heddle {

std::string describe(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
      return "nothing";
    case napi_null:
      return "null";
    case napi_boolean:
      return value.As<Napi::Boolean>() ? "true" : "false";
    case napi_number: {
      std::ostringstream text;
      text.precision(17);
      text << value.As<Napi::Number>().DoubleValue();
      return text.str();
    }
    case napi_string: {
      std::string text = value.As<Napi::String>().Utf8Value();
      if (text.size() > 60) text = text.substr(0, 57) + "...";
      return '"' + text + '"';
    }
    case napi_function:
      return "a function";
    default:
      return value.IsArray() ? "an array" : "an object";
  }
}

void Field::refuse(const std::string& expected) const {
  throw BadInput(path_ + ": expected " + expected + ", got " + describe(value_));
}

Field Field::operator[](const char* key) const {
  if (!value_.IsObject() || value_.IsArray()) refuse("an object");
  return {value_.As<Napi::Object>().Get(key), path_.empty() ? key : path_ + "." + key};
}

void Field::allowOnly(std::initializer_list<std::string_view> keys) const {
  if (!value_.IsObject() || value_.IsArray()) refuse("an object");
  const Napi::Array names = value_.As<Napi::Object>().GetPropertyNames();
  for (std::uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).ToString().Utf8Value();
    if (std::ranges::find(keys, name) != keys.end()) continue;
    std::string known;
    for (const std::string_view key : keys) known += (known.empty() ? "" : ", ") + std::string(key);
    throw BadInput(path_ + ": unknown option '" + name + "'; there are " + known);
  }
}

std::vector<Field> Field::elements() const {
  if (!value_.IsArray()) refuse("an array");
  const auto array = value_.As<Napi::Array>();
  std::vector<Field> fields;
  fields.reserve(array.Length());
  for (std::uint32_t i = 0; i < array.Length(); ++i) fields.emplace_back(array.Get(i), path_ + "[" + std::to_string(i) + "]");
  return fields;
}

std::string Field::text() const {
  if (!value_.IsString()) refuse("a string");
  std::string text = value_.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) throw BadInput(path_ + ": a name cannot hold a NUL character");
  return text;
}

std::string Field::nonEmptyText() const {
  std::string result = text();
  if (result.empty()) refuse("a string that is not empty");
  return result;
}

bool Field::boolean() const {
  if (!value_.IsBoolean()) refuse("true or false");
  return value_.As<Napi::Boolean>();
}

double Field::number() const {
  if (!value_.IsNumber()) refuse("a number");
  const double number = value_.As<Napi::Number>().DoubleValue();
  if (std::isnan(number)) refuse("a number");
  return number;
}

std::int64_t Field::integer(std::int64_t least, std::int64_t most) const {
  const std::string range = "an integer from " + std::to_string(least) + " to " + std::to_string(most);
  if (!value_.IsNumber()) refuse(range);
  const double number = value_.As<Napi::Number>().DoubleValue();
  // Beyond 2^53 a double no longer tells integers apart; the comparison also refuses NaN.
  if (!(std::abs(number) <= 9007199254740991.0) || number != std::trunc(number)) refuse(range);
  const auto whole = static_cast<std::int64_t>(number);
  if (whole < least || whole > most) refuse(range);
  return whole;
}

}  // namespace heddle
