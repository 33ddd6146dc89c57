// The physical bound that a decode step is compared with: how fast this machine reads memory.
#pragma once

#include <napi.h>

namespace heddle {

// readBandwidth({ bytes, threads, repeats }): seconds of each repeat of a plain read of `bytes` bytes (float64 array).
// Each thread sums its own contiguous part; nothing is written. Throws RangeError for sizes that make no sense.
Napi::Value readBandwidth(const Napi::CallbackInfo& info);

}  // namespace heddle
