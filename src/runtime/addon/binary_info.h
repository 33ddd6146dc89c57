// Reads which graphs a context binary holds, through the QNN system interface.
#pragma once

#include <span>
#include <deque>

#include "backend.h"
#include "graph.h"

namespace heddle {

/// The graphs of a binary. The system interface is taken from the backend library itself if it exports one, else from Qualcomm's
/// system library beside it. Throws LibraryError when there is none, QnnFailure when it refuses the binary.
std::deque<GraphInterface> readBinaryInfo(const Backend& backend, std::span<const std::byte> binary);

}  // namespace heddle
