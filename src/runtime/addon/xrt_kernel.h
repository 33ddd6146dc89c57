// One compiled array design on an AMD NPU: its hardware context, kernel, instructions and buffers, ready to run.
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

class Kernel {
 public:
  /// Throws what XRT throws: no device, a damaged or foreign xclbin, no such kernel, no memory.
  Kernel(std::shared_ptr<Library> library, const KernelPlan& plan);

  const std::vector<BufferPlan>& buffers() const { return plan_; }

  /// Copies inputs in, runs, copies outputs out. `data` has the sizes of the plan. Throws std::runtime_error naming the state
  /// in which the run ended where it did not complete in time.
  void run(std::span<const std::span<std::byte>> data);

 private:
  std::unique_ptr<Object> open(std::size_t bytes, std::uint32_t flags, int argument);

  std::shared_ptr<Library> library_;
  std::vector<BufferPlan> plan_;
  std::chrono::milliseconds timeout_;
  // In the order in which XRT builds them; they go in the reverse one.
  Object device_, xclbin_;
  Uuid uuid_;
  Object context_, kernel_;
  std::unique_ptr<Object> instructions_;
  std::vector<std::unique_ptr<Object>> buffers_;
  std::unique_ptr<Object> run_;
};

}  // namespace heddle::xrt
