// Elementwise ops, movement, reductions and norms through the C interface, against plain loops.
#include <limits>

#include "evaluate.h"

using namespace testing;

TEST(broadcasting) {
  Random random;
  struct Case {
    Dims a, b, y;
  };
  const Case cases[] = {{{4, 5}, {4, 5}, {4, 5}},       {{4, 5}, {5}, {4, 5}},          {{4, 5}, {4, 1}, {4, 5}},
                        {{1}, {3, 7}, {3, 7}},          {{2, 1, 3}, {4, 1}, {2, 4, 3}}, {{}, {2, 2}, {2, 2}},
                        {{300, 200}, {200}, {300, 200}}};
  for (const Case& c : cases) {
    const auto countOf = [](const Dims& d) {
      std::size_t n = 1;
      for (const U e : d) n *= e;
      return n;
    };
    auto a = random.floats(countOf(c.a)), b = random.floats(countOf(c.b));
    const auto at = [&](const std::vector<float>& v, const Dims& d, std::size_t flat) {
      std::size_t index = 0, step = 1;
      for (std::size_t i = 0; i < c.y.size(); ++i) {
        const U extent = c.y[c.y.size() - 1 - i], position = static_cast<U>(flat % extent);
        flat /= extent;
        if (i >= d.size()) continue;
        const U own = d[d.size() - 1 - i];
        index += own == 1 ? 0 : position * step;
        step *= own;
      }
      return double{v[index]};
    };
    for (const std::string type :
         {"ElementWiseAdd", "ElementWiseSubtract", "ElementWiseMultiply", "ElementWiseDivide", "ElementWiseMaximum"}) {
      Host h(backend());
      h.tensor("a", IN, c.a);
      h.tensor("b", IN, c.b);
      Doubles expected;
      for (std::size_t i = 0; i < countOf(c.y); ++i) {
        const double p = at(a, c.a, i), q = at(b, c.b, i);
        expected.push_back(type == "ElementWiseAdd"        ? p + q
                           : type == "ElementWiseSubtract" ? p - q
                           : type == "ElementWiseMultiply" ? p * q
                           : type == "ElementWiseDivide"   ? p / q
                                                           : std::max(p, q));
      }
      const auto y = evaluate(h, type, {}, {"a", "b"}, c.y, {{"a", a}, {"b", b}});
      CHECK_NEAR(y.data(), expected, 1e-6, type);
    }
  }
}

TEST(integers_conditions_and_casts) {
  Host h(backend());
  std::vector<std::int32_t> a = {1, -5, 7, 0}, b = {2, 2, 2, 2}, sum(4), toInt(4);
  std::vector<std::uint8_t> less(4);
  std::vector<float> chosen(4), widened(4);
  h.tensor<std::int32_t>("a", IN, {4});
  h.constant<std::int32_t>("b", {4}, b);
  h.tensor<std::int32_t>("sum", OUT, {4});
  h.tensor<std::uint8_t>("less", OUT, {4});
  h.tensor("chosen", OUT, {4});
  h.tensor("widened", TensorType::NATIVE, {4});
  h.tensor("halved", TensorType::NATIVE, {4});
  h.constant<float>("half", {1}, {0.5F});
  h.tensor<std::int32_t>("to_int", OUT, {4});
  h.node("ElementWiseAdd", {}, {"a", "b"}, {"sum"});
  h.node("ElementWiseLess", {}, {"a", "b"}, {"less"});
  h.node("Cast", {}, {"a"}, {"widened"});
  h.node("ElementWiseMultiply", {}, {"widened", "half"}, {"halved"});
  h.node("ElementWiseSelect", {}, {"less", "halved", "widened"}, {"chosen"});
  h.node("Cast", {}, {"halved"}, {"to_int"});
  h.finalize();
  h.run({{"a", a}, {"sum", sum}, {"less", less}, {"chosen", chosen}, {"to_int", toInt}});
  CHECK((sum == std::vector<std::int32_t>{3, -3, 9, 2}));
  CHECK((less == std::vector<std::uint8_t>{1, 1, 0, 1}));
  CHECK((chosen == std::vector<float>{0.5F, -2.5F, 7.0F, 0.0F}));
  CHECK((toInt == std::vector<std::int32_t>{0, -2, 3, 0}));
}

TEST(integer_division) {
  Host h(backend());
  constexpr std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  std::vector<std::int32_t> a = {7, -7, 5, lowest}, b = {2, 2, 0, -1}, y(4);
  std::vector<U> c = {0xffffffffU, 9}, d = {0xffffffffU, 0xffffffffU}, z(2);
  for (const char* name : {"a", "b"}) h.tensor<std::int32_t>(name, IN, {4});
  for (const char* name : {"c", "d"}) h.tensor<U>(name, IN, {2});
  h.tensor<std::int32_t>("y", OUT, {4});
  h.tensor<U>("z", OUT, {2});
  h.node("ElementWiseDivide", {}, {"a", "b"}, {"y"});
  h.node("ElementWiseDivide", {}, {"c", "d"}, {"z"});
  h.finalize();
  h.run({{"a", a}, {"b", b}, {"c", c}, {"d", d}, {"y", y}, {"z", z}});
  CHECK((y == std::vector<std::int32_t>{3, -3, 0, lowest}));  // by zero: 0 instead of a trap
  CHECK((z == std::vector<U>{1, 0}));
}

TEST(cast_through_half) {
  Host h(backend());
  std::vector<std::int32_t> x = {1, -2, 2049}, back(3);
  h.tensor<std::int32_t>("x", IN, {3});
  h.tensor<std::uint16_t>("h", TensorType::NATIVE, {3});
  h.tensor<std::int32_t>("back", OUT, {3});
  h.node("Cast", {}, {"x"}, {"h"});
  h.node("Cast", {}, {"h"}, {"back"});
  h.finalize();
  h.run({{"x", x}, {"back", back}});
  CHECK((back == std::vector<std::int32_t>{1, -2, 2048}));  // 2049 is a tie of two halves
}

TEST(movement) {
  std::vector<float> x(24);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  {
    Host h(backend());
    h.tensor("x", IN, {2, 3, 4});
    const auto y = evaluate(h, "Transpose", {Param::list<U>("perm", {2, 0, 1})}, {"x"}, {4, 2, 3}, {{"x", x}});
    for (U i = 0; i < 4; ++i) {
      for (U j = 0; j < 6; ++j) CHECK(y[i * 6 + j] == x[j * 4 + i]);
    }
  }
  {
    Host h(backend());
    h.tensor("x", IN, {2, 3, 4});
    const auto y = evaluate(
        h, "StridedSlice",
        {Param::list<std::int32_t>("ranges", {1, 2, 1, 0, 3, 2, 3, -5, -2}, {3, 3}), Param::u32("shrink_axes", 1)},
        {"x"}, {2, 2}, {{"x", x}});
    CHECK((y == std::vector<float>{15, 13, 23, 21}));
  }
  {
    Host h(backend());
    h.tensor("x", IN, {2, 3, 4});
    h.tensor("p", TensorType::NATIVE, {2, 1, 4});
    h.tensor("q", OUT, {2, 2, 4});
    std::vector<float> q(16);
    h.tensor("out", OUT, {2, 4, 4});
    h.node("Split", {Param::u32("axis", 1), Param::list<U>("split_index", {1})}, {"x"}, {"p", "q"});
    h.node("Concat", {Param::u32("axis", 1)}, {"p", "x"}, {"out"});
    h.finalize();
    std::vector<float> out(32);
    h.run({{"x", x}, {"q", q}, {"out", out}});
    CHECK(q[0] == 4 && q[15] == 23 && out[0] == 0 && out[4] == 0 && out[16] == 12 && out[20] == 12 && out[31] == 23);
  }
  {
    Host h(backend());
    h.tensor("x", IN, {6, 4});
    h.constant<std::int32_t>("i", {2, 1}, {5, 0});
    const auto y = evaluate(h, "Gather", {Param::i32("axis", 0)}, {"x", "i"}, {2, 1, 4}, {{"x", x}});
    CHECK(y[0] == 20 && y[3] == 23 && y[4] == 0);
  }
  {
    Host h(backend());
    std::vector<float> table = {1.5F, -2, 3, 4};
    h.constant("t", {2, 2}, toHalf(table));
    std::vector<std::int32_t> index = {1};
    h.tensor<std::int32_t>("i", IN, {1});
    const auto y = evaluate(h, "Gather", {}, {"t", "i"}, {1, 2}, {{"i", index}});
    CHECK(y[0] == 3 && y[1] == 4);
    index[0] = 2;
    std::vector<float> out(2);
    CHECK(h.tryRun({{"i", index}, {"out", out}}) == 6004 &&
          lastError().find("index 2 at 0 is outside 0 to 1") != std::string::npos);
  }
  {
    Host h(backend());
    h.tensor("x", IN, {4, 6});
    h.constant<std::int32_t>("i", {1, 6}, {3, 2, 1, 0, 1, 2});
    h.constant<float>("u", {1, 6}, {-1, -2, -3, -4, -5, -6});
    const auto y = evaluate(h, "ScatterElements", {Param::i32("axis", 0)}, {"x", "i", "u"}, {4, 6}, {{"x", x}});
    CHECK(y[18] == -1 && y[13] == -2 && y[8] == -3 && y[3] == -4 && y[0] == 0 && y[23] == 23);
  }
}

TEST(reductions_softmax_and_norms) {
  Random random;
  auto x = random.floats(2 * 3 * 5, 2.0F);
  const auto at = [&](U a, U b, U c) { return double{x[(a * 3 + b) * 5 + c]}; };
  for (const std::string type : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"}) {
    Host h(backend());
    h.tensor("x", IN, {2, 3, 5});
    Doubles expected;
    for (U b = 0; b < 3; ++b) {
      double sum = 0, top = -1e9, low = 1e9;
      for (U a = 0; a < 2; ++a) {
        for (U c = 0; c < 5; ++c) {
          sum += at(a, b, c);
          top = std::max(top, at(a, b, c));
          low = std::min(low, at(a, b, c));
        }
      }
      expected.push_back(type == "ReduceSum" ? sum : type == "ReduceMean" ? sum / 10 : type == "ReduceMax" ? top : low);
    }
    const auto y = evaluate(h, type, {Param::list<U>("axes", {2, 0}), Param::flag("keep_dims", true)}, {"x"}, {1, 3, 1},
                            {{"x", x}});
    CHECK_NEAR(y.data(), expected, 1e-6, type);
  }
  {
    Host h(backend());
    h.tensor("x", IN, {2, 3, 5});
    Doubles expected(30);
    for (U a = 0; a < 2; ++a) {
      for (U c = 0; c < 5; ++c) {
        double total = 0;
        for (U b = 0; b < 3; ++b) total += std::exp(at(a, b, c));
        for (U b = 0; b < 3; ++b) expected[(a * 3 + b) * 5 + c] = std::exp(at(a, b, c)) / total;
      }
    }
    const auto y = evaluate(h, "Softmax", {Param::u32("axis", 1)}, {"x"}, {2, 3, 5}, {{"x", x}});
    CHECK_NEAR(y.data(), expected, 1e-6, "Softmax");
  }
  Doubles norm;
  for (U r = 0; r < 6; ++r) {
    double mean = 0, variance = 0;
    for (U c = 0; c < 5; ++c) mean += x[r * 5 + c] / 5.0;
    for (U c = 0; c < 5; ++c) variance += (x[r * 5 + c] - mean) * (x[r * 5 + c] - mean) / 5.0;
    for (U c = 0; c < 5; ++c) norm.push_back((x[r * 5 + c] - mean) / std::sqrt(variance + 1e-5));
  }
  Host h(backend()), n(backend());
  h.tensor("x", IN, {2, 3, 5});
  n.tensor("x", IN, {2, 3, 5});
  const auto y = evaluate(h, "Normalize", {Param::f32("epsilon", 1e-5F)}, {"x"}, {2, 3, 5}, {{"x", x}});
  CHECK_NEAR(y.data(), norm, 1e-5, "Normalize");
  n.constant<float>("g", {5}, {2, 2, 2, 2, 2});
  const auto z = evaluate(n, "LayerNorm", {Param::f32("epsilon", 1e-5F), Param::list<U>("axes", {2})}, {"x", "g", ""},
                          {2, 3, 5}, {{"x", x}});
  for (double& v : norm) v *= 2;
  CHECK_NEAR(z.data(), norm, 1e-5, "LayerNorm");
}

int main() { return testing::main(); }
