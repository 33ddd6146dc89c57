// Cache-line aligned memory with one owner.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace heddle {

constexpr std::size_t kAlignment = 64;

constexpr std::size_t alignUp(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Throws std::bad_alloc. The memory is not cleared.
  explicit AlignedBuffer(std::size_t bytes)
      : data_(bytes == 0 ? nullptr : static_cast<std::byte*>(::operator new(bytes, std::align_val_t{kAlignment}))),
        bytes_(bytes) {}
  std::byte* data() const { return data_.get(); }
  std::size_t size() const { return bytes_; }

 private:
  struct Release {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<std::byte, Release> data_;
  std::size_t bytes_ = 0;
};

}  // namespace heddle
