// What the op tests share: one backend, and graphs of one node.
#pragma once

#include "data.h"
#include "host.h"

namespace testing {

using Doubles = std::vector<double>;
using U = std::uint32_t;

inline constexpr auto IN = TensorType::APP_WRITE;
inline constexpr auto OUT = TensorType::APP_READ;

inline const Backend& backend() {
  static const Backend shared(3);
  return shared;
}

/// Rounds `values` to half precision and returns their bits.
inline std::vector<std::uint16_t> toHalf(std::vector<float>& values) {
  std::vector<std::uint16_t> bits(values.size());
  const heddle::Kernels& k = heddle::bestKernels();
  k.floatToHalf(values.data(), reinterpret_cast<heddle::Half*>(bits.data()), bits.size());
  k.halfToFloat(reinterpret_cast<heddle::Half*>(bits.data()), values.data(), bits.size());
  return bits;
}

/// One node, one float output; everything else is a constant or an input already declared.
inline std::vector<float> evaluate(Host& h, const std::string& type, std::vector<Param> params,
                                   const std::vector<std::string>& in, const Dims& outDims,
                                   std::vector<Host::Bind> binds) {
  h.tensor("out", OUT, outDims);
  h.node(type, std::move(params), in, {"out"});
  h.finalize();
  std::size_t n = 1;
  for (const U d : outDims) n *= d;
  std::vector<float> y(n, NAN);
  binds.emplace_back("out", y);
  h.run(binds);
  return y;
}

}  // namespace testing
