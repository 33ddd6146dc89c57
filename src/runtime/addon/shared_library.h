// A dynamically loaded library, closed when the last owner lets go.
#pragma once

#include <string>

namespace heddle {

class SharedLibrary {
 public:
  /// Loads `path` with its symbols kept to itself. Throws LibraryError with the loader's own words.
  explicit SharedLibrary(const std::string& path);
  ~SharedLibrary();
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;

  const std::string& path() const { return path_; }

  /// The exported function `name`, or null.
  template <class Function>
  Function find(const char* name) const {
    return reinterpret_cast<Function>(symbol(name));
  }

  /// Keeps the addon itself in memory until the process ends: a backend may log from one of its threads at any time, and a
  /// worker's environment would otherwise unload the code that receives the line.
  static void pinSelf();

 private:
  void* symbol(const char* name) const;

  std::string path_;
  void* handle_ = nullptr;
};

}  // namespace heddle
