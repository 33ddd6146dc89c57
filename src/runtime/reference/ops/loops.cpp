#include "loops.h"

#include <cstring>

namespace heddle {
namespace {

template <class T>
void copyRow(std::byte* to, std::ptrdiff_t stepTo, const std::byte* from, std::ptrdiff_t stepFrom, std::size_t n) {
  T* out = reinterpret_cast<T*>(to);
  const T* in = reinterpret_cast<const T*>(from);
  for (std::size_t i = 0; i < n; ++i) {
    out[static_cast<std::ptrdiff_t>(i) * stepTo] = in[static_cast<std::ptrdiff_t>(i) * stepFrom];
  }
}

}  // namespace

std::vector<std::ptrdiff_t> stridesOf(const std::vector<std::uint32_t>& dims) {
  std::vector<std::ptrdiff_t> strides(dims.size());
  std::ptrdiff_t step = 1;
  for (std::size_t i = dims.size(); i-- > 0;) {
    strides[i] = step;
    step *= dims[i];
  }
  return strides;
}

StridedCopy::StridedCopy(const std::vector<std::uint32_t>& dims, const std::vector<std::ptrdiff_t>& to,
                         const std::vector<std::ptrdiff_t>& from, std::size_t elementBytes)
    : elementBytes_(elementBytes) {
  for (std::size_t i = 0; i < dims.size(); ++i) nest_.add(dims[i], {to[i], from[i]});
  nest_.finish();
}

void StridedCopy::run(ThreadPool& pool, std::byte* to, const std::byte* from) const {
  const auto bytes = static_cast<std::ptrdiff_t>(elementBytes_);
  const auto [stepTo, stepFrom] = nest_.row().strides;
  nest_.run(pool, [&, stepTo = stepTo, stepFrom = stepFrom](const std::array<std::ptrdiff_t, 2>& at, std::size_t n) {
    std::byte* out = to + at[0] * bytes;
    const std::byte* in = from + at[1] * bytes;
    if (stepTo == 1 && stepFrom == 1) {
      std::memcpy(out, in, n * elementBytes_);
      return;
    }
    switch (elementBytes_) {
      case 1: return copyRow<std::uint8_t>(out, stepTo, in, stepFrom, n);
      case 2: return copyRow<std::uint16_t>(out, stepTo, in, stepFrom, n);
      case 4: return copyRow<std::uint32_t>(out, stepTo, in, stepFrom, n);
      default: return copyRow<std::uint64_t>(out, stepTo, in, stepFrom, n);
    }
  });
}

}  // namespace heddle
