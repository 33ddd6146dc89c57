// Reads which graphs a context binary holds, through the QNN system interface.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>

#include "backend.h"
#include "graph.h"

namespace heddle {

/// What a context binary says of itself.
struct BinaryContents {
  std::string buildId;  ///< of the library that wrote it
  qnn::Version coreVersion, backendVersion;
  std::uint32_t backendId = 0;
  std::string socVersion;
  std::optional<std::uint32_t> socModel;  ///< from version 3 of the description
  std::deque<GraphInterface> graphs;
};

/// The contents of a binary. The system interface is taken from the backend library itself if it exports one, else from Qualcomm's
/// system library beside it. Throws LibraryError when there is none, QnnFailure when it refuses the binary.
BinaryContents readBinaryInfo(const Backend& backend, std::span<const std::byte> binary);

}  // namespace heddle
