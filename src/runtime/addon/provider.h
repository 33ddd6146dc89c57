// Picks the interface of a backend library that fits what Heddle calls.
#pragma once

#include "../qnn/qnn_api.h"
#include "shared_library.h"

namespace heddle {

/// The newest interface the library provides with core major version 2 and every function Heddle needs.
/// Throws LibraryError saying what the library is or provides instead.
const qnn::Interface& chooseInterface(const SharedLibrary& library);

}  // namespace heddle
