#include "shared_library.h"

#include "failure.h"
#include "file_path.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace heddle {

namespace {

std::string loaderError() {
#ifdef _WIN32
  return "Windows error " + std::to_string(GetLastError());
#else
  const char* text = dlerror();
  return text ? text : "unknown loader error";
#endif
}

}  // namespace

SharedLibrary::SharedLibrary(const std::string& path) : path_(path) {
  const auto file = filePath(path);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) throw LibraryError("cannot load " + path + ": there is no such file");
#ifdef _WIN32
  // Dependencies are looked for beside the library, as a vendor's SDK lays them out.
  handle_ = LoadLibraryExW(std::filesystem::absolute(file).wstring().c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
#else
  // An absolute path, so that the loader does not search its own folders for a bare name.
  handle_ = dlopen(std::filesystem::absolute(file).c_str(), RTLD_NOW | RTLD_LOCAL);
#endif
  if (!handle_) throw LibraryError("cannot load " + path + ": " + loaderError());
}

SharedLibrary::~SharedLibrary() {
#ifdef _WIN32
  FreeLibrary(static_cast<HMODULE>(handle_));
#else
  dlclose(handle_);
#endif
}

void* SharedLibrary::symbol(const char* name) const {
#ifdef _WIN32
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name));
#else
  return dlsym(handle_, name);
#endif
}

void SharedLibrary::pinSelf() {
#ifdef _WIN32
  HMODULE self = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCWSTR>(&SharedLibrary::pinSelf), &self);
#else
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&SharedLibrary::pinSelf), &info) && info.dli_fname) {
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
#endif
}

}  // namespace heddle
