// Data types of the QNN C interface: scalars, tensors, quantisation, ops.
//
// These are our own declarations of a published binary interface (64-bit, natural alignment, 32-bit enums). The layout of every
// struct that crosses the boundary is asserted below, so that a slip is a compile error and not a crash in a vendor library.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heddle::qnn {

static_assert(sizeof(void*) == 8, "the QNN interface is declared for 64-bit targets only");

/// Every call returns one of these. The code is the low 16 bits; 0 is success.
using Error = std::uint64_t;
constexpr Error kSuccess = 0;
constexpr std::uint32_t codeOf(Error error) { return static_cast<std::uint32_t>(error & 0xffffU); }

using LogHandle = void*;
using BackendHandle = void*;
using DeviceHandle = void*;
using ContextHandle = void*;
using GraphHandle = void*;
using ProfileHandle = void*;
using SignalHandle = void*;
using MemHandle = void*;
using SystemContextHandle = void*;
using ProfileEventId = std::uint64_t;

struct Version {
  std::uint32_t major, minor, patch;
};

struct ApiVersion {
  Version core;     ///< of the interface itself
  Version backend;  ///< of this backend's own extensions
};

enum class DataType : std::uint32_t {
  INT_8 = 0x0008, INT_16 = 0x0016, INT_32 = 0x0032, INT_64 = 0x0064,
  UINT_8 = 0x0108, UINT_16 = 0x0116, UINT_32 = 0x0132, UINT_64 = 0x0164,
  FLOAT_16 = 0x0216, FLOAT_32 = 0x0232, FLOAT_64 = 0x0264,
  SFIXED_POINT_4 = 0x0304, SFIXED_POINT_8 = 0x0308, SFIXED_POINT_16 = 0x0316, SFIXED_POINT_32 = 0x0332,
  UFIXED_POINT_4 = 0x0404, UFIXED_POINT_8 = 0x0408, UFIXED_POINT_16 = 0x0416, UFIXED_POINT_32 = 0x0432,
  BOOL_8 = 0x0508, STRING = 0x0608, UNDEFINED = 0x7fffffff,
};

enum class TensorType : std::uint32_t {
  APP_WRITE = 0,      ///< graph input, written by the application
  APP_READ = 1,       ///< graph output, read by the application
  APP_READWRITE = 2,  ///< both: state that the graph updates in place
  NATIVE = 3,         ///< intermediate, owned by the backend
  STATIC = 4,         ///< constant, data given when the tensor is created
  NULL_TENSOR = 5,    ///< an optional operand that is absent
  UNDEFINED = 0x7fffffff,
};

enum class MemType : std::uint32_t { RAW = 0, HANDLE = 1, UNDEFINED = 0x7fffffff };

enum class Definition : std::uint32_t { IMPL_GENERATED = 0, DEFINED = 1, UNDEFINED = 0x7fffffff };

enum class Encoding : std::uint32_t {
  SCALE_OFFSET = 0, AXIS_SCALE_OFFSET = 1, BW_SCALE_OFFSET = 2, BW_AXIS_SCALE_OFFSET = 3,
  BLOCK = 4, BLOCKWISE_EXPANSION = 5, VECTOR = 6, UNDEFINED = 0x7fffffff,
};

/// real = (quantised + offset) * scale, so offset is the negated zero point.
struct ScaleOffset {
  float scale;
  std::int32_t offset;
};

struct AxisScaleOffset {
  std::int32_t axis;
  std::uint32_t count;
  ScaleOffset* values;
};

struct BwScaleOffset {
  std::uint32_t bitwidth;
  float scale;
  std::int32_t offset;
};

struct BwAxisScaleOffset {
  std::uint32_t bitwidth;
  std::int32_t axis;
  std::uint32_t count;
  float* scales;
  std::int32_t* offsets;  ///< null: all zero
};

/// One scale and offset for each block of `blockSize` elements (one size per axis), blocks in row-major order.
struct BlockScaleOffset {
  std::uint32_t* blockSize;
  ScaleOffset* values;
};

enum class BlockScaleStorage : std::uint32_t { UINT_8 = 0, UINT_16 = 1, UNDEFINED = 0x7fffffff };

/// real = quantised * blockScale * scale: a float for each channel, an integer for each block of a channel.
struct BlockwiseExpansion {
  std::int32_t axis;            ///< of the channels
  ScaleOffset* channels;        ///< one for each index of axis
  std::uint32_t blocks;         ///< of each channel
  std::uint32_t bitwidth;       ///< of block scales
  BlockScaleStorage storage;
  union {
    std::uint8_t* scales8;      ///< [channels][blocks]
    std::uint16_t* scales16;
  };
};
static_assert(sizeof(BlockwiseExpansion) == 40 && offsetof(BlockwiseExpansion, channels) == 8);
static_assert(offsetof(BlockwiseExpansion, blocks) == 16 && offsetof(BlockwiseExpansion, scales8) == 32);

struct QuantizeParams {
  Definition definition = Definition::UNDEFINED;
  Encoding encoding = Encoding::UNDEFINED;
  union {
    BwAxisScaleOffset bwAxisScaleOffset = {};  // first, because initialising it clears the whole union
    ScaleOffset scaleOffset;
    AxisScaleOffset axisScaleOffset;
    BwScaleOffset bwScaleOffset;
    BlockScaleOffset block;
    BlockwiseExpansion* blockwiseExpansion;
    void* other;  ///< vector encodings
  };
};
static_assert(sizeof(QuantizeParams) == 40);

/// Memory of the application. For STATIC tensors the constant's bytes.
struct ClientBuffer {
  void* data;
  std::uint32_t bytes;
};

/// The fields shared by both tensor versions (version 1 ends here).
struct TensorV1 {
  std::uint32_t id = 0;  ///< given by the backend when the tensor is created
  const char* name = nullptr;
  TensorType type = TensorType::UNDEFINED;
  std::uint32_t dataFormat = 0;  ///< 0: flat, row-major
  DataType dataType = DataType::UNDEFINED;
  QuantizeParams quantize = {};
  std::uint32_t rank = 0;
  std::uint32_t* dims = nullptr;
  MemType memType = MemType::RAW;
  union {
    ClientBuffer buffer = {nullptr, 0};
    MemHandle memory;
  };
};
static_assert(offsetof(TensorV1, name) == 8 && offsetof(TensorV1, type) == 16 && offsetof(TensorV1, quantize) == 32);
static_assert(offsetof(TensorV1, rank) == 72 && offsetof(TensorV1, dims) == 80 && offsetof(TensorV1, buffer) == 96);
static_assert(sizeof(TensorV1) == 112);

struct SparseParams {
  std::int32_t type;
  std::uint32_t specifiedElements, sparseDimensions;
};

/// A tensor of either version: `version` 1 reads up to `v1`, version 2 also what follows. Always this size.
struct Tensor {
  std::uint32_t version = 1;
  TensorV1 v1 = {};
  std::uint8_t* dynamicDims = nullptr;
  SparseParams sparse = {0x7fffffff, 0, 0};
  std::uint8_t isProduced = 0;
};
static_assert(offsetof(Tensor, v1) == 8 && offsetof(Tensor, dynamicDims) == 120 && offsetof(Tensor, sparse) == 128);
static_assert(offsetof(Tensor, isProduced) == 140 && sizeof(Tensor) == 144);

struct Scalar {
  DataType dataType = DataType::UNDEFINED;
  union {
    std::uint64_t u64 = 0;
    double f64;
    float f32;
    std::int64_t i64;
    std::uint32_t u32;
    std::int32_t i32;
    std::uint16_t u16;
    std::int16_t i16;
    std::uint8_t u8;
    std::int8_t i8;
    std::uint8_t bool8;
    const char* text;
  };
};
static_assert(sizeof(Scalar) == 16 && offsetof(Scalar, f32) == 8);

enum class ParamKind : std::uint32_t { SCALAR = 0, TENSOR = 1, UNDEFINED = 0x7fffffff };

struct Param {
  ParamKind kind = ParamKind::UNDEFINED;
  const char* name = nullptr;
  union {
    Tensor tensor;
    Scalar scalar;
  };
  Param() : tensor() {}  // clears the whole union, because a tensor is the larger member
};
static_assert(sizeof(Param) == 160 && offsetof(Param, scalar) == 16);

/// One op of a graph, passed by value. Pointers need to live only for the call.
struct OpConfig {
  std::uint32_t version = 1;
  const char* name = nullptr;     ///< of the node
  const char* package = nullptr;  ///< op package, "qti.aisw" for the standard ops
  const char* type = nullptr;     ///< of the op, such as "FullyConnected"
  std::uint32_t paramCount = 0;
  Param* params = nullptr;
  std::uint32_t inputCount = 0;
  Tensor* inputs = nullptr;
  std::uint32_t outputCount = 0;
  Tensor* outputs = nullptr;
};
static_assert(sizeof(OpConfig) == 80 && offsetof(OpConfig, params) == 40 && offsetof(OpConfig, outputs) == 72);

}  // namespace heddle::qnn
