// Quantize, Dequantize and Convert: floats to fixed point, back, and from one encoding to another. All round to the nearest
// integer, halves to even, and saturate.
#include <cmath>
#include <limits>

#include "fixed_point.h"
#include "ops.h"

namespace heddle {
namespace {

using enum qnn::DataType;

constexpr std::size_t kElementsPerTask = 16384;

struct Limits {
  double least, most;
};
Limits limitsOf(qnn::DataType type) {
  switch (type) {
    case UFIXED_POINT_16: return {0, 65535};
    case UFIXED_POINT_8: return {0, 255};
    default: return {-128, 127};
  }
}

/// body(first, count) for pieces of a tensor, on all threads.
template <class Body>
void inPieces(const Execution& e, std::size_t count, const Body& body) {
  e.pool.forEach((count + kElementsPerTask - 1) / kElementsPerTask, [&](std::size_t task, std::size_t) {
    const std::size_t first = task * kElementsPerTask;
    body(first, std::min(kElementsPerTask, count - first));
  });
}

void validateQuantize(const Check& c) {
  c.type(c.input(0), {FLOAT_32});
  checkFixed(c, c.output());
  c.dims(c.output(), c.input(0).dims);
}
Executable planQuantize(const Node& node, Planner& planner) {
  const TensorInfo& out = node.output();
  return [kind = static_cast<int>(fixedOf(out.dataType)), bytes = sizeOf(out.dataType), encoding = encodingOf(out),
          count = out.count(), x = planner.slot(node.input(0)), y = planner.slot(out)](const Execution& e) {
    inPieces(e, count, [&](std::size_t first, std::size_t n) {
      e.kernels.quantize[kind](e.at(x) + first, e.at<std::byte>(y) + first * bytes, n, encoding);
    });
  };
}

void validateDequantize(const Check& c) {
  checkFixed(c, c.input(0));
  c.type(c.output(), {FLOAT_32});
  c.dims(c.output(), c.input(0).dims);
}
Executable planDequantize(const Node& node, Planner& planner) {
  const TensorInfo& in = node.input(0);
  return [kind = static_cast<int>(fixedOf(in.dataType)), bytes = sizeOf(in.dataType), encoding = encodingOf(in),
          count = in.count(), x = planner.slot(in), y = planner.slot(node.output())](const Execution& e) {
    inPieces(e, count, [&](std::size_t first, std::size_t n) {
      e.kernels.dequantize[kind](e.at<std::byte>(x) + first * bytes, e.at(y) + first, n, encoding);
    });
  };
}

void validateConvert(const Check& c) {
  checkFixed(c, c.input(0));
  checkFixed(c, c.output());
  c.dims(c.output(), c.input(0).dims);
}

template <class From, class To>
Executable convert(const Node& node, Planner& planner) {
  const TensorInfo &in = node.input(0), &out = node.output();
  return [from = encodingOf(in), to = encodingOf(out), limits = limitsOf(out.dataType), count = in.count(),
          x = planner.slot(in), y = planner.slot(out)](const Execution& e) {
    const double factor = static_cast<double>(from.scale) / static_cast<double>(to.scale);
    inPieces(e, count, [&](std::size_t first, std::size_t n) {
      const From* source = e.at<From>(x) + first;
      To* target = e.at<To>(y) + first;
      for (std::size_t i = 0; i < n; ++i) {
        const double real = std::nearbyint((static_cast<int>(source[i]) + from.offset) * factor);
        target[i] = static_cast<To>(
            static_cast<int>(std::min(std::max(real, limits.least + to.offset), limits.most + to.offset)) - to.offset);
      }
    });
  };
}
template <class From>
Executable convertTo(const Node& node, Planner& planner) {
  switch (fixedOf(node.output().dataType)) {
    case Fixed::U16: return convert<From, std::uint16_t>(node, planner);
    case Fixed::U8: return convert<From, std::uint8_t>(node, planner);
    default: return convert<From, std::int8_t>(node, planner);
  }
}
Executable planConvert(const Node& node, Planner& planner) {
  switch (fixedOf(node.input(0).dataType)) {
    case Fixed::U16: return convertTo<std::uint16_t>(node, planner);
    case Fixed::U8: return convertTo<std::uint8_t>(node, planner);
    default: return convertTo<std::int8_t>(node, planner);
  }
}

}  // namespace

bool isFixed(qnn::DataType type) { return type == UFIXED_POINT_16 || type == UFIXED_POINT_8 || type == SFIXED_POINT_8; }

Fixed fixedOf(qnn::DataType type) {
  return type == UFIXED_POINT_16 ? Fixed::U16 : type == UFIXED_POINT_8 ? Fixed::U8 : Fixed::I8;
}

void checkFixed(const Check& c, const TensorInfo& t) {
  c.type(t, {UFIXED_POINT_16, UFIXED_POINT_8, SFIXED_POINT_8});
  const Quantization& q = t.quantization;
  if (q.definition != qnn::Definition::DEFINED || q.encoding != qnn::Encoding::SCALE_OFFSET) {
    c.refuse(t, "expected one scale and offset (SCALE_OFFSET)");
  }
  if (!std::isfinite(q.scales[0]) || q.scales[0] <= 0.0F) c.refuse(t, "its scale must be positive and finite");
  const Limits limits = limitsOf(t.dataType);
  const double zero = -static_cast<double>(q.offsets[0]);
  if (zero < limits.least || zero > limits.most) {
    c.refuse(t, "offset " + std::to_string(q.offsets[0]) + " puts zero outside its type");
  }
}

FixedEncoding encodingOf(const TensorInfo& t) { return {t.quantization.scales[0], t.quantization.offsets[0]}; }

constexpr OpDefinition kConvert = {kStandardPackage, "Convert", 1, 1, 1, 1, {}, validateConvert, planConvert};
constexpr OpDefinition kDequantize = {kStandardPackage, "Dequantize", 1, 1, 1, 1, {}, validateDequantize, planDequantize};
constexpr OpDefinition kQuantize = {kStandardPackage, "Quantize", 1, 1, 1, 1, {}, validateQuantize, planQuantize};

}  // namespace heddle
