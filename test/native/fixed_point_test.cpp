// Fixed point on every instruction set: sums against 64-bit loops, rounding against its definition, bit for bit.
#include <cstdint>
#include <limits>

#include "data.h"

using namespace heddle;
using testing::label;
using testing::Random;

namespace {

template <class T>
std::vector<T> integers(Random& random, std::size_t n) {
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(random.next());
  return v;
}

template <class Q>
Q saturated(double rounded, std::int32_t offset) {
  const double least = std::numeric_limits<Q>::min(), most = std::numeric_limits<Q>::max();
  return static_cast<Q>(std::min(std::max(rounded - offset, least), most));
}

template <class Q>
void roundTrip(Fixed kind, std::int32_t offset) {
  Random random(7);
  const FixedEncoding e{0.0371F, offset};
  std::vector<float> x = random.floats(1000, 8.0F);
  for (int i = -300; i < 300; ++i) x.push_back((static_cast<float>(i) + 0.5F) * e.scale);
  for (const float v : {0.0F, -0.0F, 1e30F, -1e30F, INFINITY, -INFINITY}) x.push_back(v);
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  for (const Kernels* k : testing::everyIsa()) {
    std::vector<Q> q(x.size());
    std::vector<float> back(x.size());
    k->quantize[static_cast<int>(kind)](x.data(), q.data(), x.size(), e);
    k->dequantize[static_cast<int>(kind)](q.data(), back.data(), x.size(), e);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = static_cast<double>(x[i]) / static_cast<double>(e.scale);
      const Q expected = saturated<Q>(std::isnan(exact) ? 0.0 : std::nearbyint(exact), offset);
      if (q[i] != expected) {
        testing::fail(__FILE__, __LINE__, label(*k, "quantize", {i}) + ": " + std::to_string(q[i]));
      }
      CHECK(back[i] == static_cast<float>(static_cast<int>(q[i]) + offset) * e.scale);
    }
  }
}

}  // namespace

TEST(quantize_and_back) {
  roundTrip<std::uint16_t>(Fixed::U16, -31000);
  roundTrip<std::uint8_t>(Fixed::U8, -119);
  roundTrip<std::int8_t>(Fixed::I8, 0);
}

TEST(sums_are_exact) {
  Random random;
  for (const std::size_t m : {1, 2, 3, 4, 7, 9}) {
    for (const std::size_t n : {1, 5, 16, 23}) {
      // Beyond 10,000 a 32-bit lane would overflow if it were not emptied in time.
      for (const std::size_t depth : {1, 31, 64, 200, 20000}) {
        auto x = integers<std::int16_t>(random, m * depth);
        auto w = integers<std::int8_t>(random, n * depth);
        if (depth == 20000) {
          std::fill(x.begin(), x.end(), std::int16_t{-32768});
          std::fill(w.begin(), w.end(), std::int8_t{-128});
        }
        for (const Kernels* k : testing::everyIsa()) {
          std::vector<std::int64_t> y(m * n, -1);
          k->dotFixed({m, n, depth, x.data(), w.data(), y.data(), n});
          for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t j = 0; j < n; ++j) {
              std::int64_t sum = 0;
              for (std::size_t p = 0; p < depth; ++p) sum += std::int64_t{x[i * depth + p]} * w[j * depth + p];
              if (y[i * n + j] != sum) testing::fail(__FILE__, __LINE__, label(*k, "dotFixed", {m, n, depth, i, j}));
            }
          }
        }
      }
    }
  }
}

TEST(sums_of_blocks_are_exact) {
  Random random(5);
  for (const std::size_t m : {1, 2, 3, 4, 9}) {
    for (const std::size_t n : {1, 16, 23}) {
      for (const std::size_t blockSize : {32, 64, 96, 128}) {
        // One that empties the lanes in the middle of a block on every instruction set.
        for (const std::size_t blocks : {1, 3, 130}) {
          const std::size_t depth = blockSize * blocks;
          auto x = integers<std::int16_t>(random, m * depth);
          auto w = integers<std::int8_t>(random, n * depth);
          for (std::int8_t& q : w) q = static_cast<std::int8_t>((q & 15) - 8);
          auto scales = integers<std::uint8_t>(random, n * blocks);
          for (std::uint8_t& s : scales) s = static_cast<std::uint8_t>(1 + (s & 15));
          if (blocks == 130) {
            std::fill(x.begin(), x.end(), std::int16_t{-32768});
            std::fill(w.begin(), w.end(), std::int8_t{-8});
            std::fill(scales.begin(), scales.end(), std::uint8_t{16});
          }
          for (const Kernels* k : testing::everyIsa()) {
            std::vector<std::int64_t> y(m * n, -1);
            k->dotFixed({m, n, depth, x.data(), w.data(), y.data(), n, scales.data(), blockSize});
            for (std::size_t i = 0; i < m; ++i) {
              for (std::size_t j = 0; j < n; ++j) {
                std::int64_t sum = 0;
                for (std::size_t p = 0; p < depth; ++p) {
                  sum += std::int64_t{x[i * depth + p]} * w[j * depth + p] * scales[j * blocks + p / blockSize];
                }
                if (y[i * n + j] != sum)
                  testing::fail(__FILE__, __LINE__, label(*k, "dotFixed", {m, n, depth, blockSize, i, j}));
              }
            }
          }
        }
      }
    }
  }
}

TEST(sums_to_results) {
  Random random(3);
  const std::size_t n = 203;
  std::vector<std::int64_t> sums(n), bias(n);
  std::vector<double> factors(n);
  for (std::size_t i = 0; i < n; ++i) {
    sums[i] = static_cast<std::int64_t>(random.uniform() * 1e9F);
    bias[i] = static_cast<std::int64_t>(random.uniform() * 1e7F);
    factors[i] = 2e-5 * (1.0 + static_cast<double>(random.uniform()));
  }
  sums[0] = 5;
  bias[0] = 0;
  factors[0] = 0.5;  // 2.5: to the even integer
  for (const Kernels* k : testing::everyIsa()) {
    std::vector<std::uint16_t> y(n);
    k->finishFixed[static_cast<int>(Fixed::U16)]({sums.data(), bias.data(), factors.data(), -1000}, y.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      const double exact = static_cast<double>(sums[i] + bias[i]) * factors[i];
      CHECK_EQUAL(int{y[i]}, int{saturated<std::uint16_t>(std::nearbyint(exact), -1000)});
    }
    CHECK_EQUAL(int{y[0]}, 1002);
  }
}

TEST(activations_as_16_bits) {
  for (const Kernels* k : testing::everyIsa()) {
    const std::vector<std::uint16_t> wide = {0, 1, 32768, 65535};
    const std::vector<std::uint8_t> narrow = {0, 1, 128, 255};
    std::vector<std::int16_t> y(4);
    k->widenFixed[static_cast<int>(Fixed::U16)](wide.data(), y.data(), 4);
    CHECK(y == std::vector<std::int16_t>({-32768, -32767, 0, 32767}));
    k->widenFixed[static_cast<int>(Fixed::U8)](narrow.data(), y.data(), 4);
    CHECK(y == std::vector<std::int16_t>({0, 1, 128, 255}));
  }
}

int main() { return testing::main(); }
