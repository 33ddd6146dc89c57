#include "xrt_kernel.h"

#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <tuple>

namespace heddle::xrt {

namespace {

// Values of XRT's enumerations.
constexpr std::uint32_t kCacheable = 1U << 24;
constexpr std::uint32_t kHostOnly = 1U << 29;
constexpr std::uint8_t kSharedAccess = 1;
constexpr int kToDevice = 0;
constexpr int kFromDevice = 1;
constexpr int kCompleted = 4;

// Arguments of the kernel that MLIR-AIE puts into an xclbin: what to do, the instructions, their number, then the buffers.
constexpr std::uint64_t kRunInstructions = 3;
constexpr int kInstructionArgument = 1;
constexpr int kFirstBufferArgument = 3;

std::string stateName(int state) {
  constexpr const char* kNames[] = {"", "new", "queued", "running", "completed", "error", "aborted", "submitted", "timed out",
                                    "without response"};
  const auto known = state > 0 && state < static_cast<int>(std::size(kNames));
  return known ? kNames[state] : "state " + std::to_string(state);
}

}  // namespace

std::shared_ptr<Design> Design::open(const std::string& library, const std::string& xclbin, unsigned device) {
  // Kernels are opened on threads of their own; one of them loads, the others wait for it.
  static std::mutex mutex;
  static std::map<std::tuple<std::string, std::string, unsigned>, std::weak_ptr<Design>> loaded;
  const std::lock_guard lock(mutex);
  std::erase_if(loaded, [](const auto& entry) { return entry.second.expired(); });
  auto& known = loaded[{library, xclbin, device}];
  auto design = known.lock();
  if (!design) {
    design = std::make_shared<Design>(library, xclbin, device);
    known = design;
  }
  return design;
}

Design::Design(const std::string& library, const std::string& xclbin, unsigned device)
    : library_(library),
      device_(functions().closeDevice, [&](void* self) { functions().openDevice(self, device); }),
      xclbin_(functions().closeXclbin, [&](void* self) { functions().openXclbin(self, xclbin); }),
      uuid_(functions().registerXclbin(device_.get(), xclbin_.get())),
      context_(functions().closeContext,
               [&](void* self) { functions().openContext(self, device_.get(), uuid_, kSharedAccess); }) {}

Kernel::Kernel(std::shared_ptr<Design> design, const KernelPlan& plan)
    : design_(std::move(design)),
      plan_(plan.buffers),
      timeout_(plan.timeout),
      kernel_(design_->functions().closeKernel, [&](void* self) {
        design_->functions().openKernel(self, design_->context().get(), plan.kernel);
      }) {
  const auto& f = design_->functions();
  const std::size_t bytes = plan.instructions.size() * sizeof(std::uint32_t);
  instructions_ = open(bytes, kCacheable, kInstructionArgument);
  std::memcpy(f.mapBuffer(instructions_->get()), plan.instructions.data(), bytes);
  f.syncBuffer(instructions_->get(), kToDevice, bytes, 0);
  run_ = std::make_unique<Object>(f.closeRun, [&](void* self) { f.openRun(self, kernel_.get()); });
  const auto count = static_cast<std::uint32_t>(plan.instructions.size());
  f.setValue(run_->get(), 0, &kRunInstructions, sizeof kRunInstructions);
  f.setBuffer(run_->get(), kInstructionArgument, instructions_->get());
  f.setValue(run_->get(), 2, &count, sizeof count);
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    const int argument = kFirstBufferArgument + static_cast<int>(i);
    buffers_.push_back(open(plan_[i].bytes, kHostOnly, argument));
    f.setBuffer(run_->get(), argument, buffers_.back()->get());
  }
}

std::unique_ptr<Object> Kernel::open(std::size_t bytes, std::uint32_t flags, int argument) {
  const auto& f = design_->functions();
  const auto group = static_cast<std::uint32_t>(f.groupId(kernel_.get(), argument));
  return std::make_unique<Object>(f.closeBuffer,
                                  [&](void* self) { f.openBuffer(self, design_->device().get(), bytes, flags, group); });
}

void Kernel::run(std::span<const std::span<std::byte>> data) {
  const auto& f = design_->functions();
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    if (plan_[i].direction == Direction::OUT) continue;
    std::memcpy(f.mapBuffer(buffers_[i]->get()), data[i].data(), plan_[i].bytes);
    f.syncBuffer(buffers_[i]->get(), kToDevice, plan_[i].bytes, 0);
  }
  f.start(run_->get());
  const int state = f.wait(run_->get(), timeout_);
  if (state != kCompleted) {
    throw std::runtime_error("the NPU did not complete the run: it was " + stateName(state) + " after at most " +
                             std::to_string(timeout_.count()) + " ms");
  }
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    if (plan_[i].direction == Direction::IN) continue;
    f.syncBuffer(buffers_[i]->get(), kFromDevice, plan_[i].bytes, 0);
    std::memcpy(data[i].data(), f.mapBuffer(buffers_[i]->get()), plan_[i].bytes);
  }
}

}  // namespace heddle::xrt
