// Compiled array designs on an AMD NPU: the hardware context of each, and the kernels that run on it, with instructions and buffers.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "xrt_library.h"

namespace heddle::xrt {

enum class Direction { IN, OUT, IN_OUT };

struct BufferPlan {
  std::size_t bytes;
  Direction direction;
};

struct KernelPlan {
  std::string xclbin;                       ///< file that aiecc wrote
  std::string kernel = "MLIR_AIE";          ///< its name inside
  std::vector<std::uint32_t> instructions;  ///< NPU instruction stream that aiecc wrote beside it
  std::vector<BufferPlan> buffers;          ///< arguments of the runtime sequence, in order
  unsigned device = 0;
  std::chrono::milliseconds timeout{10'000};
};

/// A loaded configuration of the array. Kernels that come from the same xclbin share it: to go from one to the other, nothing is loaded.
class Design {
 public:
  /// The design that is loaded already, or a new one. Throws what XRT throws: no device, a damaged or foreign xclbin.
  static std::shared_ptr<Design> open(const std::string& library, const std::string& xclbin, unsigned device);
  Design(const std::string& library, const std::string& xclbin, unsigned device);

  const Functions& functions() const { return library_.functions(); }
  const Object& device() const { return device_; }
  const Object& context() const { return context_; }

 private:
  // In the order in which XRT builds them; they go in the reverse one.
  Library library_;
  Object device_, xclbin_;
  Uuid uuid_;
  Object context_;
};

class Kernel {
 public:
  /// Throws what XRT throws: no such kernel, no memory.
  Kernel(std::shared_ptr<Design> design, const KernelPlan& plan);

  const std::vector<BufferPlan>& buffers() const { return plan_; }

  /// Copies inputs in, runs, copies outputs out. `data` has the sizes of the plan. Throws std::runtime_error naming the state
  /// in which the run ended where it did not complete in time.
  void run(std::span<const std::span<std::byte>> data);

 private:
  std::unique_ptr<Object> open(std::size_t bytes, std::uint32_t flags, int argument);

  std::shared_ptr<Design> design_;
  std::vector<BufferPlan> plan_;
  std::chrono::milliseconds timeout_;
  // In the order in which XRT builds them; they go in the reverse one.
  Object kernel_;
  std::unique_ptr<Object> instructions_;
  std::vector<std::unique_ptr<Object>> buffers_;
  std::unique_ptr<Object> run_;
};

}  // namespace heddle::xrt
