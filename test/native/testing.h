// The smallest test framework that does: tests register themselves, checks report file and line, main prints a summary.
#pragma once

#include <cmath>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace testing {

struct Test {
  const char* name;
  void (*run)();
};
inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
struct Register {
  Register(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

[[noreturn]] inline void fail(const char* file, int line, const std::string& what) {
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

inline int main() {
  int failed = 0;
  for (const Test& test : tests()) {
    try {
      test.run();
    } catch (const std::exception& e) {
      ++failed;
      std::printf("FAIL %s\n  %s\n", test.name, e.what());
    }
  }
  std::printf("%d passed, %d failed\n", static_cast<int>(tests().size()) - failed, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace testing

#define TEST(name)                                                    \
  static void test_##name();                                          \
  static const testing::Register register_##name(#name, test_##name); \
  static void test_##name()
#define CHECK(condition) \
  if (!(condition)) testing::fail(__FILE__, __LINE__, "expected " #condition)
#define CHECK_EQUAL(got, expected)                 \
  if (const auto got_ = (got); got_ != (expected)) \
  testing::fail(__FILE__, __LINE__, std::string(#got " is ") + std::to_string(got_) + ", expected " #expected)
