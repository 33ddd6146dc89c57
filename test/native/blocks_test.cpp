// Weights in block formats: decoding, and products on every instruction set.
#include "../../src/runtime/reference/core/buffer.h"
#include "block_data.h"
#include "evaluate.h"

using namespace testing;

namespace {

/// The codes, group scales and half precision scales of a block, by element.
struct Codes {
  int code[256], scale[256], least[256];
  float d, dmin;
};
Codes codesOf(BlockFormat f, const std::uint8_t* b) {
  Codes c{};
  const auto half = [&](std::size_t at) { return static_cast<float>(halfValue(b[at] | b[at + 1] << 8)); };
  c.d = half(scalesOf(f)[0]);
  c.dmin = scalesOf(f).size() == 2 ? half(scalesOf(f)[1]) : 0.0F;
  // With scales of 1, or with those of a group, a block stands for its codes.
  std::vector<std::uint8_t> unit(b, b + heddle::layoutOf(f).bytes);
  for (const std::size_t at : scalesOf(f)) {
    unit[at] = 0;
    unit[at + 1] = 0x3c;
  }
  double values[256];
  decode(f, unit.data(), values);
  for (std::size_t i = 0; i < heddle::layoutOf(f).elements; ++i) {
    const std::size_t g = i / 32;
    const std::uint8_t* s = b + 4;
    c.scale[i] = 1;
    if (f == BlockFormat::Q6_K) c.scale[i] = static_cast<std::int8_t>(b[192 + i / 16]);
    if (c.dmin != 0.0F) {
      c.scale[i] = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | s[g - 4] >> 6 << 4;
      c.least[i] = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | s[g] >> 6 << 4;
    }
    const double code = values[i] + c.least[i];
    c.code[i] = c.scale[i] == 0 ? 0 : static_cast<int>(code / c.scale[i]);
  }
  return c;
}

/// A row times activations: q4_0 and q4_k in one sum, as in ggml's kernels on interleaved rows, others in eight, added by halves.
float summedAsGgml(const Matrix& m, std::size_t row, const std::int8_t* x, const float* scales) {
  const heddle::BlockLayout layout = heddle::layoutOf(m.format);
  const bool one = m.format == BlockFormat::Q4_0 || m.format == BlockFormat::Q4_K;
  const std::size_t blocks = m.columns / layout.elements;
  float sums[8] = {}, taken = 0.0F;
  for (std::size_t b = 0; b < blocks; ++b, x += layout.elements) {
    const Codes c = codesOf(m.format, &m.blocks[(row * blocks + b) * layout.bytes]);
    int lanes[8] = {}, least = 0, groups[16] = {};
    for (std::size_t i = 0; i < layout.elements; ++i) {
      // ggml multiplies the codes of q6_k as they are stored, and takes 32 of each group away from another lane.
      const int zero = m.format == BlockFormat::Q6_K ? 32 : 0;
      lanes[one ? 0 : i / 4 % 8] += c.scale[i] * (c.code[i] + zero) * x[i];
      groups[i / 16] += zero * c.scale[i] * x[i];
      least += c.least[i] * x[i];
    }
    for (std::size_t g = 0; g < 16; ++g) lanes[g / 2] -= groups[g];
    for (std::size_t l = 0; l < 8; ++l) sums[l] = std::fma(static_cast<float>(lanes[l]), c.d * scales[b], sums[l]);
    taken = std::fma(static_cast<float>(least), c.dmin * scales[b], taken);
  }
  for (std::size_t half = 4; half > 0; half /= 2) {
    for (std::size_t l = 0; l < half; ++l) sums[l] += sums[l + half];
  }
  return sums[0] - taken;
}

/// `rows` rows of x times m, in tiles of `tile`; codes and scales as they were rounded, where wanted.
std::vector<float> multiplied(const heddle::BlockKernels& k, const Matrix& m, const Bytes& panels, const float* x,
                              std::size_t rows, std::size_t tile, std::vector<std::int8_t>* codesOut = nullptr,
                              std::vector<float>* scalesOut = nullptr) {
  const heddle::BlockFormat f = m.format;
  const std::size_t tiles = (rows + tile - 1) / tile, all = tiles * tile * m.columns;
  const std::size_t perScale = heddle::layoutOf(f).elements, perSum = heddle::sumElements(f);
  std::vector<std::int8_t> codes(all);
  std::vector<float> scales(all / perScale), y(rows * m.rows, NAN);
  std::vector<std::int32_t> sums(all / perSum);
  for (std::size_t t = 0; t < tiles; ++t) {
    const std::size_t first = t * tile, at = first * m.columns;
    k.quantize(f, x + at, m.columns, std::min(tile, rows - first), m.columns,
               {tile, &codes[at], &scales[at / perScale], &sums[at / perSum]});
  }
  const heddle::AlignedBuffer decoded(heddle::blockScratch(f, m.columns));
  k.product(f, {{tile, codes.data(), scales.data(), sums.data()}, m.columns, reinterpret_cast<const std::byte*>(panels.data()),
                (m.rows + 15) / 16, y.data(), m.rows, rows, m.rows, decoded.data()});
  if (codesOut != nullptr) *codesOut = codes;
  if (scalesOut != nullptr) *scalesOut = scales;
  return y;
}

std::string said(BlockFormat f, const heddle::BlockKernels& k, std::size_t m) {
  return std::string(heddle::layoutOf(f).name) + " on " + k.name + ", " + std::to_string(m) + " rows";
}

}  // namespace

TEST(rows_are_decoded_exactly) {
  Random random;
  for (const BlockFormat f : heddle::kBlockFormats) {
    const Matrix m = randomMatrix(random, f, 21, columnsOf(f, 3));
    const Bytes panels = panelsOf(m);
    CHECK_EQUAL(panels.size(), m.blocks.size() / 21 * 32);
    std::vector<float> row(m.columns);
    for (std::size_t r = 0; r < m.rows; ++r) {
      const auto* panel = reinterpret_cast<const std::byte*>(panels.data()) + r / 16 * (panels.size() / 2);
      heddle::dequantizeRow(f, panel, r % 16, m.columns, row.data());
      const std::vector<double> expected(&m.values[r * m.columns], &m.values[r * m.columns] + m.columns);
      CHECK_NEAR(row.data(), expected, 1e-6, heddle::layoutOf(f).name);
    }
  }
}

TEST(products_on_every_instruction_set) {
  Random random;
  for (const heddle::Kernels* set : everyIsa()) {
    for (const heddle::BlockKernels* k : heddle::blockKernelsOf(set->isa)) {
      for (const BlockFormat f : heddle::kBlockFormats) {
        const Matrix m = randomMatrix(random, f, 43, columnsOf(f, 2));
        const Bytes panels = panelsOf(m);
        const std::size_t rows = 2 * k->tileRows + 1;
        const auto x = random.floats(rows * m.columns);
        const auto y = multiplied(*k, m, panels, x.data(), rows, k->tileRows);
        // Of q6_k, zero points are taken from another sum than the codes go to, and cancel in float.
        CHECK_NEAR(y.data(), product(m, roundedRows(m, x), rows), f == BlockFormat::Q6_K ? 1e-4 : 2e-5, said(f, *k, rows));
      }
    }
  }
}

// To the bit, on every instruction set, so that text does not depend on how a prompt was cut.
TEST(rows_give_what_each_gives_alone) {
  Random random;
  for (const heddle::Kernels* set : everyIsa()) {
    for (const heddle::BlockKernels* k : heddle::blockKernelsOf(set->isa)) {
      for (const BlockFormat f : heddle::kBlockFormats) {
        const Matrix m = randomMatrix(random, f, 43, columnsOf(f, 5));
        const Bytes panels = panelsOf(m);
        const std::size_t rows = 2 * k->tileRows + 1;
        const auto x = random.floats(rows * m.columns, 3.0F);
        const auto y = multiplied(*k, m, panels, x.data(), rows, k->tileRows);
        for (std::size_t i = 0; i < rows; ++i) {
          const auto alone = multiplied(*k, m, panels, &x[i * m.columns], 1, 1);
          CHECK_NEAR(&y[i * m.rows], Doubles(alone.begin(), alone.end()), 0, said(f, *k, rows));
        }
      }
    }
  }
}

TEST(largest_codes_do_not_overflow) {
  for (const heddle::Kernels* set : everyIsa()) {
    for (const heddle::BlockKernels* k : heddle::blockKernelsOf(set->isa)) {
      for (const BlockFormat f : heddle::kBlockFormats) {
        for (const int fill : {0x00, 0x7f, 0x80, 0xff}) {
          Random random;
          Matrix m = randomMatrix(random, f, 16, columnsOf(f, 1));
          const heddle::BlockLayout layout = heddle::layoutOf(f);
          for (std::size_t b = 0; b < m.blocks.size(); b += layout.bytes) {
            Bytes scales(m.blocks.begin() + static_cast<long>(b), m.blocks.begin() + static_cast<long>(b + layout.bytes));
            std::fill_n(m.blocks.begin() + static_cast<long>(b), layout.bytes, fill);
            for (const std::size_t at : scalesOf(f)) std::copy_n(&scales[at], 2, &m.blocks[b + at]);
            decode(f, &m.blocks[b], &m.values[b / layout.bytes * layout.elements]);
          }
          const Bytes panels = panelsOf(m);
          for (const std::size_t rows : {std::size_t{1}, k->tileRows}) {
            const std::vector<float> x(rows * m.columns, -3.0F);
            const auto y = multiplied(*k, m, panels, x.data(), rows, rows);
            CHECK_NEAR(y.data(), product(m, roundedRows(m, x), rows), 2e-5, said(f, *k, rows));
          }
        }
      }
    }
  }
}

TEST(what_is_not_finite_stays_so) {
  for (const heddle::Kernels* set : everyIsa()) {
    for (const heddle::BlockKernels* k : heddle::blockKernelsOf(set->isa)) {
      for (const BlockFormat f : heddle::kBlockFormats) {
        for (const float bad : {NAN, INFINITY, -INFINITY}) {
          Random random;
          const Matrix m = randomMatrix(random, f, 16, columnsOf(f, 1));
          const Bytes panels = panelsOf(m);
          for (const std::size_t rows : {std::size_t{1}, k->tileRows}) {
            auto x = random.floats(rows * m.columns);
            x[rows * m.columns - 3] = bad;
            const auto y = multiplied(*k, m, panels, x.data(), rows, rows);
            for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::isnan(y[i]) == (i >= y.size() - 16));
          }
        }
      }
    }
  }
}

// One row of activations against ggml's order of sums, written as its x86 kernels have it. Where multiply and add are one
// instruction, results are the same to the bit on every instruction set.
TEST(one_row_is_summed_in_the_order_of_ggml) {
  Random random;
  for (const heddle::Kernels* set : everyIsa()) {
    for (const heddle::BlockKernels* k : heddle::blockKernelsOf(set->isa)) {
      for (const BlockFormat f : heddle::kBlockFormats) {
        const Matrix m = randomMatrix(random, f, 16, columnsOf(f, 3));
        const auto x = random.floats(m.columns, 3.0F);
        std::vector<std::int8_t> codes;
        std::vector<float> scales;
        const auto y = multiplied(*k, m, panelsOf(m), x.data(), 1, 1, &codes, &scales);
        Doubles expected;
        for (std::size_t r = 0; r < 16; ++r) {
          expected.push_back(summedAsGgml(m, r, codes.data(), scales.data()));
        }
        CHECK_NEAR(y.data(), expected, set->isa == heddle::Isa::PORTABLE ? 2e-5 : 0.0, said(f, *k, 1));
      }
    }
  }
}

int main() { return testing::main(); }
