#include "memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

#include "failure.h"
#include "file_path.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace heddle {

namespace {

constexpr std::size_t kCacheLine = 64;

/// All live blocks by address. Never destroyed, because blocks may be released while the process exits.
struct Registry {
  std::mutex mutex;
  std::map<const std::byte*, std::weak_ptr<Block>> blocks;
};

Registry& registry() {
  static auto& instance = *new Registry();
  return instance;
}

/// Takes a block out of the registry before its memory goes.
struct Unregister {
  void operator()(Block* block) const {
    {
      const std::lock_guard lock(registry().mutex);
      registry().blocks.erase(block->data());
    }
    const std::unique_ptr<Block> owner(block);
  }
};

std::shared_ptr<Block> enlist(std::unique_ptr<Block> block) {
  std::shared_ptr<Block> shared(block.release(), Unregister{});
  const std::lock_guard lock(registry().mutex);
  registry().blocks[shared->data()] = shared;
  return shared;
}

/// calloc takes fresh pages from the system without touching them, so that a large cache costs nothing until it is used.
class AlignedBlock final : public Block {
 public:
  explicit AlignedBlock(std::size_t bytes) : memory_(std::calloc(1, bytes + kCacheLine), &std::free) {
    if (!memory_) throw std::bad_alloc();
    const auto address = reinterpret_cast<std::uintptr_t>(memory_.get());
    data_ = static_cast<std::byte*>(memory_.get()) + (kCacheLine - address % kCacheLine) % kCacheLine;
    bytes_ = bytes;
  }

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_;
};

#ifdef _WIN32

/// A Windows handle, closed at the end of its scope.
class Handle {
 public:
  explicit Handle(HANDLE handle) : handle_(handle) {}
  ~Handle() {
    if (*this) CloseHandle(handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  explicit operator bool() const { return handle_ && handle_ != INVALID_HANDLE_VALUE; }
  HANDLE get() const { return handle_; }

 private:
  HANDLE handle_;
};

class FileBlock final : public Block {
 public:
  FileBlock(const std::string& path, std::size_t bytes) {
    const auto refuse = [&](const char* what) {
      throw BadInput("cannot map " + path + ": " + what + " failed (Windows error " + std::to_string(GetLastError()) + ")");
    };
    const Handle file(CreateFileW(filePath(path).c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                                  FILE_ATTRIBUTE_NORMAL, nullptr));
    if (!file) refuse("CreateFile");
    const Handle mapping(CreateFileMappingW(file.get(), nullptr, PAGE_WRITECOPY, 0, 0, nullptr));
    if (!mapping) refuse("CreateFileMapping");
    bytes_ = bytes;
    data_ = static_cast<std::byte*>(MapViewOfFile(mapping.get(), FILE_MAP_COPY, 0, 0, bytes));
    if (!data_) refuse("MapViewOfFile");
  }
  ~FileBlock() override { UnmapViewOfFile(data_); }
};

#else

class FileBlock final : public Block {
 public:
  FileBlock(const std::string& path, std::size_t bytes) {
    const auto refuse = [&] { throw BadInput("cannot map " + path + ": " + std::strerror(errno)); };
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) refuse();
    void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    const int error = errno;
    close(file);
    errno = error;
    if (mapped == MAP_FAILED) refuse();
    bytes_ = bytes;
    data_ = static_cast<std::byte*>(mapped);
  }
  ~FileBlock() override { munmap(data_, bytes_); }
};

#endif

}  // namespace

std::shared_ptr<Block> mapFile(const std::string& path) {
  const auto file = filePath(path);
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) throw BadInput("cannot map " + path + ": there is no such file");
  if (!std::filesystem::is_regular_file(status)) throw BadInput("cannot map " + path + ": it is not a regular file");
  const std::uintmax_t bytes = std::filesystem::file_size(file, error);
  if (error) throw BadInput("cannot map " + path + ": " + error.message());
  if (bytes == 0) throw BadInput("cannot map " + path + ": the file is empty");
  return enlist(std::make_unique<FileBlock>(path, static_cast<std::size_t>(bytes)));
}

std::shared_ptr<Block> allocate(std::size_t bytes) { return enlist(std::make_unique<AlignedBlock>(bytes)); }

std::shared_ptr<Block> findBlock(const void* data, std::size_t bytes) {
  const auto* begin = static_cast<const std::byte*>(data);
  // Declared before the lock: another thread may let go of the block meanwhile, and then its end here takes the lock again.
  std::shared_ptr<Block> block;
  const std::lock_guard lock(registry().mutex);
  auto after = registry().blocks.upper_bound(begin);
  if (after == registry().blocks.begin()) return nullptr;
  block = std::prev(after)->second.lock();
  if (!block || begin + bytes > block->data() + block->bytes()) return nullptr;
  return block;
}

}  // namespace heddle
