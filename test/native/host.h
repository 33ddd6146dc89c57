// Drives the backend through its exported functions only, as the addon does.
#pragma once

#include <cstdarg>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "../../src/runtime/qnn/qnn_api.h"
#include "testing.h"

extern "C" heddle::qnn::Error QnnInterface_getProviders(const heddle::qnn::Interface***, std::uint32_t*);
extern "C" heddle::qnn::Error QnnSystemInterface_getProviders(const heddle::qnn::SystemInterface***, std::uint32_t*);

namespace testing {

namespace qnn = heddle::qnn;
using qnn::DataType;
using qnn::TensorType;
using Dims = std::vector<std::uint32_t>;

inline const qnn::Functions& qnnApi() {
  const qnn::Interface** list = nullptr;
  std::uint32_t count = 0;
  CHECK(QnnInterface_getProviders(&list, &count) == qnn::kSuccess && count == 1);
  return list[0]->functions;
}

/// The last line that any backend logged at ERROR level.
inline std::string& lastError() {
  static std::string line;
  return line;
}
inline std::vector<std::string>& infoLines() {
  static std::vector<std::string> lines;
  return lines;
}
inline void logCallback(const char* format, qnn::LogLevel level, std::uint64_t, va_list args) {
  char line[2048];
  std::vsnprintf(line, sizeof line, format, args);
  if (level == qnn::LogLevel::ERROR_LEVEL) lastError() = line;
  if (level == qnn::LogLevel::INFO) infoLines().push_back(line);
}

/// A custom configuration list with one entry.
class OneConfig {
 public:
  OneConfig(std::uint32_t option, std::uint32_t value) {
    custom_.option = option;
    custom_.u32 = value;
    config_.custom = &custom_;
  }
  const qnn::Config** get() { return list_; }

 private:
  qnn::CustomConfig custom_;
  qnn::Config config_;
  const qnn::Config* list_[2] = {&config_, nullptr};
};

class Backend {
 public:
  explicit Backend(std::uint32_t threads = 2) {
    CHECK_EQUAL(qnnApi().logCreate(logCallback, qnn::LogLevel::INFO, &log_), qnn::kSuccess);
    OneConfig config(qnn::reference::THREADS, threads);
    CHECK_EQUAL(qnnApi().backendCreate(log_, config.get(), &handle), qnn::kSuccess);
  }
  ~Backend() {
    qnnApi().backendFree(handle);
    qnnApi().logFree(log_);
  }
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  qnn::BackendHandle handle = nullptr;

 private:
  qnn::LogHandle log_ = nullptr;
};

template <class T>
constexpr DataType typeOf() {
  if constexpr (std::is_same_v<T, float>) return DataType::FLOAT_32;
  if constexpr (std::is_same_v<T, std::int32_t>) return DataType::INT_32;
  if constexpr (std::is_same_v<T, std::uint32_t>) return DataType::UINT_32;
  if constexpr (std::is_same_v<T, std::uint16_t>) return DataType::FLOAT_16;
  return DataType::BOOL_8;
}

struct Param {
  std::string name;
  qnn::Scalar scalar;
  Dims dims;                     // of a tensor parameter
  std::vector<std::byte> bytes;  // of a tensor parameter

  static Param u32(std::string name, std::uint32_t v) { return of(std::move(name), DataType::UINT_32, v); }
  static Param i32(std::string name, std::int32_t v) {
    return of(std::move(name), DataType::INT_32, static_cast<std::uint32_t>(v));
  }
  static Param flag(std::string name, bool v) { return of(std::move(name), DataType::BOOL_8, v ? 1 : 0); }
  static Param f32(std::string name, float v) {
    Param p = of(std::move(name), DataType::FLOAT_32, 0);
    p.scalar.f32 = v;
    return p;
  }
  template <class T>
  static Param list(std::string name, std::vector<T> values, Dims dims = {}) {
    Param p = of(std::move(name), typeOf<T>(), 0);
    p.dims = dims.empty() ? Dims{static_cast<std::uint32_t>(values.size())} : dims;
    p.bytes.resize(values.size() * sizeof(T));
    std::memcpy(p.bytes.data(), values.data(), p.bytes.size());
    return p;
  }
  static Param of(std::string name, DataType type, std::uint32_t v) {
    Param p;
    p.name = std::move(name);
    p.scalar.dataType = type;
    p.scalar.u32 = v;
    return p;
  }
};

/// A context with one graph under construction. Tensors are referred to by name.
class Host {
 public:
  explicit Host(const Backend& backend, bool borrow = false) : backend_(backend) {
    OneConfig config(qnn::reference::BORROW_STATIC, borrow ? 1 : 0);
    CHECK_EQUAL(qnnApi().contextCreate(backend.handle, nullptr, config.get(), &context), qnn::kSuccess);
    newGraph("graph");
  }
  Host(const Backend& backend, const std::vector<std::byte>& binary, bool borrow) : backend_(backend) {
    OneConfig config(qnn::reference::BORROW_STATIC, borrow ? 1 : 0);
    loaded = qnnApi().contextCreateFromBinary(backend.handle, nullptr, config.get(), binary.data(), binary.size(),
                                              &context, nullptr);
  }
  ~Host() {
    if (context != nullptr) qnnApi().contextFree(context, nullptr);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void newGraph(const char* name) { CHECK_EQUAL(qnnApi().graphCreate(context, name, nullptr, &graph), qnn::kSuccess); }

  qnn::Error add(const std::string& name, TensorType type, DataType dataType, const Dims& dims,
                 const void* data = nullptr, std::size_t bytes = 0) {
    Described& d = described_.emplace_back();
    d.name = name;
    d.dims = dims;
    d.tensor.v1.name = d.name.c_str();
    d.tensor.v1.type = type;
    d.tensor.v1.dataType = dataType;
    d.tensor.v1.rank = static_cast<std::uint32_t>(dims.size());
    d.tensor.v1.dims = d.dims.data();
    d.tensor.v1.buffer = {const_cast<void*>(data), static_cast<std::uint32_t>(bytes)};
    const qnn::Error error = qnnApi().tensorCreateGraphTensor(graph, &d.tensor);
    if (error == qnn::kSuccess) tensors[name] = d.tensor;
    return error;
  }
  template <class T = float>
  void tensor(const std::string& name, TensorType type, const Dims& dims) {
    CHECK_EQUAL(add(name, type, typeOf<T>(), dims), qnn::kSuccess);
  }
  template <class T>
  void constant(const std::string& name, const Dims& dims, const std::vector<T>& values) {
    if (add(name, TensorType::STATIC, typeOf<T>(), dims, values.data(), values.size() * sizeof(T)) != qnn::kSuccess)
      fail(__FILE__, __LINE__, lastError());
  }

  using Call = qnn::Error (*)(const Host&, qnn::OpConfig);
  static qnn::Error addTo(const Host& h, qnn::OpConfig c) { return qnnApi().graphAddNode(h.graph, c); }
  static qnn::Error validateWith(const Host& h, qnn::OpConfig c) {
    return qnnApi().backendValidateOpConfig(h.backend_.handle, c);
  }

  qnn::Error tryNode(const std::string& package, const std::string& type, std::vector<Param> params,
                     const std::vector<std::string>& in, const std::vector<std::string>& out, Call call = addTo) {
    std::vector<qnn::Param> raw(params.size());
    std::vector<qnn::Tensor> inputs, outputs;
    for (std::size_t i = 0; i < params.size(); ++i) {
      raw[i].name = params[i].name.c_str();
      if (params[i].dims.empty()) {
        raw[i].kind = qnn::ParamKind::SCALAR;
        raw[i].scalar = params[i].scalar;
        continue;
      }
      raw[i].kind = qnn::ParamKind::TENSOR;
      raw[i].tensor = {};
      raw[i].tensor.v1.name = params[i].name.c_str();
      raw[i].tensor.v1.type = TensorType::STATIC;
      raw[i].tensor.v1.dataType = params[i].scalar.dataType;
      raw[i].tensor.v1.rank = static_cast<std::uint32_t>(params[i].dims.size());
      raw[i].tensor.v1.dims = params[i].dims.data();
      raw[i].tensor.v1.buffer = {params[i].bytes.data(), static_cast<std::uint32_t>(params[i].bytes.size())};
    }
    const auto operand = [&](const std::string& name) {
      if (!name.empty()) return tensors.at(name);
      qnn::Tensor absent;
      absent.v1.type = TensorType::NULL_TENSOR;
      return absent;
    };
    for (const std::string& name : in) inputs.push_back(operand(name));
    for (const std::string& name : out) outputs.push_back(operand(name));
    const std::string name = "n" + std::to_string(nodes_++);
    qnn::OpConfig config;
    config.name = name.c_str();
    config.package = package.c_str();
    config.type = type.c_str();
    config.paramCount = static_cast<std::uint32_t>(raw.size());
    config.params = raw.data();
    config.inputCount = static_cast<std::uint32_t>(inputs.size());
    config.inputs = inputs.data();
    config.outputCount = static_cast<std::uint32_t>(outputs.size());
    config.outputs = outputs.data();
    return call(*this, config);
  }
  void node(const std::string& type, std::vector<Param> params, const std::vector<std::string>& in,
            const std::vector<std::string>& out) {
    static const std::vector<std::string> own = {
        "FlashAttention", "FlashCachedAttention", "GatedMlp", "KvAppend", "Mlp", "FullyConnectedAdd", "GeluTanh",
        "Rope", "Normalize"};
    const bool heddleOp = type.starts_with("Block") || std::find(own.begin(), own.end(), type) != own.end();
    if (tryNode(heddleOp ? "heddle" : "qti.aisw", type, std::move(params), in, out) != qnn::kSuccess)
      fail(__FILE__, __LINE__, lastError());
  }
  void finalize() {
    if (qnnApi().graphFinalize(graph, nullptr, nullptr) != qnn::kSuccess) fail(__FILE__, __LINE__, lastError());
  }

  struct Bind {
    std::string name;
    void* data;
    std::size_t bytes;
    template <class T>
    Bind(std::string n, std::vector<T>& v) : name(std::move(n)), data(v.data()), bytes(v.size() * sizeof(T)) {}
  };
  qnn::Error tryRun(std::vector<Bind> binds, qnn::ProfileHandle profile = nullptr) const {
    std::vector<qnn::Tensor> inputs, outputs;
    for (const Bind& b : binds) {
      qnn::Tensor t = tensors.at(b.name);
      t.v1.buffer = {b.data, static_cast<std::uint32_t>(b.bytes)};
      (t.v1.type == TensorType::APP_READ ? outputs : inputs).push_back(t);
    }
    return qnnApi().graphExecute(graph, inputs.data(), static_cast<std::uint32_t>(inputs.size()), outputs.data(),
                                 static_cast<std::uint32_t>(outputs.size()), profile, nullptr);
  }
  void run(std::vector<Bind> binds) const {
    if (tryRun(std::move(binds)) != qnn::kSuccess) fail(__FILE__, __LINE__, lastError());
  }
  std::vector<std::byte> save() const {
    std::uint64_t bytes = 0, written = 0;
    CHECK_EQUAL(qnnApi().contextGetBinarySize(context, &bytes), qnn::kSuccess);
    std::vector<std::byte> binary(bytes);
    CHECK_EQUAL(qnnApi().contextGetBinary(context, binary.data(), bytes, &written), qnn::kSuccess);
    CHECK(written == bytes);
    return binary;
  }

  qnn::ContextHandle context = nullptr;
  qnn::GraphHandle graph = nullptr;
  qnn::Error loaded = qnn::kSuccess;
  std::map<std::string, qnn::Tensor> tensors;

 private:
  struct Described {
    std::string name;
    Dims dims;
    qnn::Tensor tensor;
  };
  const Backend& backend_;
  std::deque<Described> described_;
  int nodes_ = 0;
};

}  // namespace testing
