// The part of XRT's interface that the addon uses, written as XRT declares it and compiled by the same compiler, so that names
// and calling conventions are the compiler's and not ours. Its "NPU" adds the first buffer to the second into the third, as
// 32-bit integers; a fourth word of instructions of 0xDEAD makes it hang. It has one hardware context.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

enum xclBOSyncDirection { XCL_BO_SYNC_BO_TO_DEVICE, XCL_BO_SYNC_BO_FROM_DEVICE };
enum ert_cmd_state { ERT_CMD_STATE_COMPLETED = 4, ERT_CMD_STATE_TIMEOUT = 8 };

#define EXPORT __attribute__((visibility("default")))

namespace xrt {

class uuid {
  unsigned char value[16];

 public:
  explicit uuid(unsigned char fill) { std::memset(value, fill, sizeof value); }
  uuid(const uuid& other) { std::memcpy(value, other.value, sizeof value); }
  unsigned char first() const { return value[0]; }
};

struct Memory {
  std::vector<char> host, device;
};

class EXPORT xclbin {
  std::shared_ptr<std::string> handle;

 public:
  explicit xclbin(const std::string& file);
  virtual ~xclbin();
};

class EXPORT device {
  std::shared_ptr<unsigned> handle;

 public:
  explicit device(unsigned index);
  uuid register_xclbin(const xclbin& file);
};

class EXPORT hw_context {
  std::shared_ptr<int> handle;
  static std::atomic<int> open;

 public:
  enum class access_mode : std::uint8_t { exclusive, shared };
  hw_context(const device& owner, const uuid& id, access_mode mode);
  ~hw_context();
};

class EXPORT bo {
  std::shared_ptr<Memory> handle;

 public:
  enum class flags : std::uint32_t { cacheable = 1U << 24, host_only = 1U << 29 };
  bo(const device& owner, std::size_t bytes, flags kind, std::uint32_t group);
  void* map();
  void sync(xclBOSyncDirection direction, std::size_t bytes, std::size_t offset);
  Memory& memory() const { return *handle; }
};

class EXPORT kernel {
  std::shared_ptr<std::string> handle;

 public:
  kernel(const hw_context& context, const std::string& name);
  int group_id(int argument) const;
};

struct Arguments {
  std::map<int, Memory*> buffers;
  std::uint64_t opcode = 0;
  std::uint32_t words = 0;
  bool hung = false;
};

class EXPORT run {
  std::shared_ptr<Arguments> handle;

 public:
  explicit run(const kernel& of);
  void set_arg_at_index(int index, const void* value, std::size_t bytes);
  void set_arg_at_index(int index, const bo& buffer);
  void start();
  ert_cmd_state wait(const std::chrono::milliseconds& timeout) const;
};

xclbin::xclbin(const std::string& file) : handle(std::make_shared<std::string>(file)) {
  std::string magic(7, '\0');
  std::ifstream(file, std::ios::binary).read(magic.data(), 7);
  if (magic != "xclbin2") throw std::runtime_error("Invalid xclbin");
}
xclbin::~xclbin() = default;
device::device(unsigned index) : handle(std::make_shared<unsigned>(index)) {
  if (index > 0) throw std::runtime_error("No such device with index '" + std::to_string(index) + "'");
}
uuid device::register_xclbin(const xclbin&) { return uuid(7); }
hw_context::hw_context(const device&, const uuid& id, access_mode mode) : handle(std::make_shared<int>(0)) {
  if (id.first() != 7 || mode != access_mode::shared) throw std::logic_error("hw_context got other arguments than were given");
  if (open > 0) throw std::runtime_error("No hardware context is left");
  ++open;
}
hw_context::~hw_context() { --open; }
std::atomic<int> hw_context::open = 0;
bo::bo(const device&, std::size_t bytes, flags kind, std::uint32_t group) : handle(std::make_shared<Memory>()) {
  const bool instructions = group == 1;
  if (kind != (instructions ? flags::cacheable : flags::host_only)) throw std::logic_error("buffer of the wrong kind");
  handle->host.resize(bytes);
  handle->device.resize(bytes);
}
void* bo::map() { return handle->host.data(); }
void bo::sync(xclBOSyncDirection direction, std::size_t bytes, std::size_t offset) {
  auto& [host, device] = *handle;
  auto& from = direction == XCL_BO_SYNC_BO_TO_DEVICE ? host : device;
  auto& to = direction == XCL_BO_SYNC_BO_TO_DEVICE ? device : host;
  std::memcpy(to.data() + offset, from.data() + offset, bytes);
}
kernel::kernel(const hw_context&, const std::string& name) : handle(std::make_shared<std::string>(name)) {
  if (name != "MLIR_AIE") throw std::runtime_error("No kernel '" + name + "' in xclbin");
}
int kernel::group_id(int argument) const { return argument; }
run::run(const kernel&) : handle(std::make_shared<Arguments>()) {}
void run::set_arg_at_index(int index, const void* value, std::size_t bytes) {
  if (index == 0) std::memcpy(&handle->opcode, value, bytes);
  if (index == 2) std::memcpy(&handle->words, value, bytes);
}
void run::set_arg_at_index(int index, const bo& buffer) { handle->buffers[index] = &buffer.memory(); }
void run::start() {
  auto& buffers = handle->buffers;
  std::vector<std::uint32_t> code(handle->words);
  std::memcpy(code.data(), buffers.at(1)->device.data(), code.size() * 4);
  handle->hung = handle->opcode != 3 || (code.size() > 3 && code[3] == 0xDEAD);
  if (handle->hung) return;
  const auto* a = reinterpret_cast<const std::int32_t*>(buffers.at(3)->device.data());
  const auto* b = reinterpret_cast<const std::int32_t*>(buffers.at(4)->device.data());
  auto* c = reinterpret_cast<std::int32_t*>(buffers.at(5)->device.data());
  for (std::size_t i = 0; i < buffers.at(5)->device.size() / 4; ++i) c[i] = a[i] + b[i];
}
ert_cmd_state run::wait(const std::chrono::milliseconds& timeout) const {
  return handle->hung && timeout.count() > 0 ? ERT_CMD_STATE_TIMEOUT : ERT_CMD_STATE_COMPLETED;
}

}  // namespace xrt
