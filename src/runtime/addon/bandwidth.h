// The physical bound that a decode step is compared with: how fast this machine reads memory.
#pragma once

#include <napi.h>

namespace heddle {

// readBandwidth({ bytes, threads, repeats, fetchAhead? }): seconds of each repeat of a read of `bytes` bytes (float64 array), by
// plain loads or by a loop that asks for memory a page ahead, which is faster where the processor's own prefetcher is not enough.
// Each thread sums its own contiguous part; nothing is written. Throws RangeError for sizes that make no sense.
Napi::Value readBandwidth(const Napi::CallbackInfo& info);

}  // namespace heddle
