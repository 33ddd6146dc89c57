// Memory that JavaScript sees as an ArrayBuffer and native code can keep alive on its own: mapped files and aligned blocks.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace heddle {

/// A block of memory, released when its last owner lets go. JavaScript's ArrayBuffer is one owner, a context that borrows its
/// weights from the block or a run that writes to it are others, so detaching the ArrayBuffer never pulls it from under them.
class Block {
 public:
  virtual ~Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 protected:
  Block() = default;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Maps a file. Pages are shared with the file until written, and a write stays private to the process, so JavaScript cannot
/// change the file or crash by writing. Throws BadInput when the file is missing, a folder or empty.
std::shared_ptr<Block> mapFile(const std::string& path);

/// Zeroed memory aligned to a cache line (64 bytes). Throws std::bad_alloc.
std::shared_ptr<Block> allocate(std::size_t bytes);

/// The live block that holds all of `[data, data + bytes)`, or null.
std::shared_ptr<Block> findBlock(const void* data, std::size_t bytes);

}  // namespace heddle
