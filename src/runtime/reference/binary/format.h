// Layout of a context binary. All numbers are little-endian, as on every machine the backend runs on.
//
//   header | description (graphs, tensors, nodes) | padding | constants, each 64-byte aligned
//
// The checksum covers the header (its own field excepted) and everything after it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace heddle {

static_assert(std::endian::native == std::endian::little);

struct BinaryHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t headerBytes;
  std::uint64_t totalBytes;
  std::uint64_t descriptionBytes;
  std::uint64_t constantsOffset;
  std::uint64_t reserved[2];
  std::uint64_t checksum;
};
static_assert(sizeof(BinaryHeader) == 64 && offsetof(BinaryHeader, checksum) == 56);

constexpr char kBinaryMagic[8] = {'H', 'E', 'D', 'D', 'L', 'E', 'C', 'B'};
constexpr std::uint32_t kBinaryVersion = 2;
/// Operand index of an absent tensor.
constexpr std::uint32_t kAbsentTensor = 0xffffffffU;

}  // namespace heddle
