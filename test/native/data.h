// Deterministic test data, and comparison with an oracle in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "../../src/runtime/reference/kernels/kernels.h"
#include "testing.h"

namespace testing {

/// Uniform in [-1, 1); the same on every machine.
class Random {
 public:
  explicit Random(std::uint32_t seed = 1) : state_(seed * 2654435761U + 1) {}
  std::uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    return state_ ^= state_ << 5;
  }
  float uniform() { return static_cast<float>(next() >> 8) / 8388608.0F - 1.0F; }
  std::vector<float> floats(std::size_t n, float scale = 1.0F) {
    std::vector<float> v(n);
    for (float& x : v) x = uniform() * scale;
    return v;
  }

 private:
  std::uint32_t state_;
};

/// Every instruction set this machine has.
inline std::vector<const heddle::Kernels*> everyIsa() {
  std::vector<const heddle::Kernels*> all;
  for (const heddle::Isa isa : {heddle::Isa::PORTABLE, heddle::Isa::AVX2, heddle::Isa::AVX512, heddle::Isa::NEON}) {
    if (const heddle::Kernels* k = heddle::kernelsOf(isa)) all.push_back(k);
  }
  return all;
}

/// Fails unless |got - expected| <= tolerance * (1 + |expected|) everywhere.
inline void near(const char* file, int line, const float* got, const std::vector<double>& expected, double tolerance,
                 const std::string& what) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double g = got[i], e = expected[i];
    if (g == e || std::fabs(g - e) <= tolerance * (1.0 + std::fabs(e))) continue;
    if (std::isnan(g) && std::isnan(e)) continue;
    fail(file, line,
         what + ": element " + std::to_string(i) + " is " + std::to_string(g) + ", expected " + std::to_string(e));
  }
}

/// Names a failing case: instruction set, kernel, shape.
inline std::string label(const heddle::Kernels& k, const char* what, std::initializer_list<std::size_t> shape) {
  std::string s = std::string(k.name) + " " + what;
  for (const std::size_t d : shape) s += " " + std::to_string(d);
  return s;
}

/// Row lengths around every vector width.
inline const std::size_t kLengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 768};

}  // namespace testing

#define CHECK_NEAR(got, expected, tolerance, what) testing::near(__FILE__, __LINE__, got, expected, tolerance, what)
