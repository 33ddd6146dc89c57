// File names come from JavaScript as UTF-8.
#pragma once

#include <filesystem>
#include <string>

namespace heddle {

inline std::filesystem::path filePath(const std::string& utf8) {
  return std::filesystem::path(std::u8string(utf8.begin(), utf8.end()));
}

}  // namespace heddle
