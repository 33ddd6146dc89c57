#include "checksum.h"

#include <bit>
#include <cstring>

namespace heddle {
namespace {

constexpr std::uint64_t kPrime1 = 0x9e3779b185ebca87ULL;
constexpr std::uint64_t kPrime2 = 0xc2b2ae3d27d4eb4fULL;
constexpr std::uint64_t kPrime3 = 0x165667b19e3779f9ULL;
constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlock = kLanes * sizeof(std::uint64_t);

std::uint64_t mix(std::uint64_t lane, std::uint64_t word) { return std::rotl(lane + word * kPrime2, 31) * kPrime1; }

}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) {
  std::uint64_t lanes[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = seed + (i + 1) * kPrime1;
  const std::byte* p = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kBlock; left -= kBlock, p += kBlock) {
    std::uint64_t words[kLanes];
    std::memcpy(words, p, kBlock);
    for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = mix(lanes[i], words[i]);
  }
  std::uint64_t tail[kLanes] = {};
  if (left != 0) std::memcpy(tail, p, left);
  for (std::size_t i = 0; i < kLanes; ++i) lanes[i] = mix(lanes[i], tail[i]);
  std::uint64_t hash = bytes.size() * kPrime3;
  for (const std::uint64_t lane : lanes) hash = mix(hash, lane) + kPrime3;
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

}  // namespace heddle
