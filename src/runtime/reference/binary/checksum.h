// A fast 64-bit checksum against corruption (not against attackers): eight independent multiply-rotate lanes over
// 64-byte blocks, after the construction of xxHash64, so that a 500 MB file is checked at memory speed without special
// instructions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace heddle {

/// `seed` chains pieces: checksum(b, checksum(a)).
std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed = 0);

}  // namespace heddle
