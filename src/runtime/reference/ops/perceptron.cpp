#include "perceptron.h"

#include "ops.h"

namespace heddle {

void checkPerceptron(const Check& c, const TensorInfo& up, const TensorInfo& down, std::uint32_t parts) {
  using enum qnn::DataType;
  const TensorInfo &x = c.input(0), &y = c.output();
  c.type(x, {FLOAT_32});
  c.type(up, {FLOAT_32, FLOAT_16});
  c.type(down, {FLOAT_32, FLOAT_16});
  c.type(y, {FLOAT_32});
  c.minimumRank(x, 1);
  c.rank(up, 2);
  c.rank(down, 2);
  const std::uint32_t width = x.dims.back(), hidden = down.dims[1];
  if (up.dims[1] != width || up.dims[0] != std::uint64_t{parts} * hidden) {
    c.refuse(up, "expected shape [" + std::to_string(std::uint64_t{parts} * hidden) + ", " + std::to_string(width) +
                     "] for input " + x.describe() + " and " + down.describe());
  }
  Dims expected = x.dims;
  expected.back() = down.dims[0];
  c.dims(y, expected);
  checkActivation(c);
}

}  // namespace heddle
