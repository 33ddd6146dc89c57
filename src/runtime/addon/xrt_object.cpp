#include "xrt_object.h"

#include <cstring>

#include "environment.h"
#include "field.h"
#include "js_error.h"

namespace heddle {

namespace {

/// Far above any design (an instruction stream is kilobytes), far below what would exhaust a machine.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 32;

xrt::BufferPlan parseBuffer(const Field& field) {
  field.allowOnly({"bytes", "direction"});
  const auto bytes = static_cast<std::size_t>(field["bytes"].integer(4, kMostBytes));
  const std::string direction = field["direction"].text();
  if (direction == "in") return {bytes, xrt::Direction::IN};
  if (direction == "out") return {bytes, xrt::Direction::OUT};
  if (direction == "inout") return {bytes, xrt::Direction::IN_OUT};
  field["direction"].refuse("in, out or inout");
}

xrt::KernelPlan parsePlan(const Napi::Value& value) {
  const Field field(value, "kernel");
  field.allowOnly({"xclbin", "kernel", "instructions", "buffers", "device", "timeoutMs"});
  xrt::KernelPlan plan;
  plan.xclbin = field["xclbin"].nonEmptyText();
  if (field["kernel"].present()) plan.kernel = field["kernel"].nonEmptyText();
  const auto words = bytesOf(field["instructions"].value(), "kernel.instructions");
  if (words.empty() || words.size() % sizeof(std::uint32_t) != 0) {
    throw BadInput("kernel.instructions: expected whole 32-bit words, got " + std::to_string(words.size()) + " bytes");
  }
  plan.instructions.resize(words.size() / sizeof(std::uint32_t));
  std::memcpy(plan.instructions.data(), words.data(), words.size());
  for (const Field& buffer : field["buffers"].elements()) plan.buffers.push_back(parseBuffer(buffer));
  if (field["device"].present()) plan.device = field["device"].u32();
  if (field["timeoutMs"].present()) plan.timeout = std::chrono::milliseconds(field["timeoutMs"].integer(1, 3'600'000));
  return plan;
}

}  // namespace

Napi::Value openXrtKernel(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto opened = std::make_shared<std::shared_ptr<xrt::Kernel>>();
    return launch(std::make_unique<Task>(
        info.Env(), nullptr,
        [opened, path = Field(info[0], "library path").nonEmptyText(), plan = parsePlan(info[1])] {
          *opened = std::make_shared<xrt::Kernel>(xrt::Design::open(path, plan.xclbin, plan.device), plan);
        },
        [opened](Napi::Env env) -> Napi::Value { return wrap(env, &Environment::xrtKernel, std::move(*opened)); }));
  });
}

Napi::Function XrtKernelObject::define(Napi::Env env) {
  return DefineClass(env, "XrtKernel",
                     {InstanceMethod<&XrtKernelObject::run>("run"), InstanceMethod<&XrtKernelObject::close>("close")});
}

XrtKernelObject::XrtKernelObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<XrtKernelObject>(info),
      kernel_(unwrapPending<std::shared_ptr<xrt::Kernel>>(info, "call openXrtKernel(library, plan)")) {}

Napi::Value XrtKernelObject::run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto kernel = kernel_;
    if (!kernel) throw Misuse("the kernel is closed");
    const std::vector<Field> arrays = Field(info[0], "buffers").elements();
    const auto& plan = kernel->buffers();
    if (arrays.size() != plan.size()) {
      throw BadInput("buffers: expected " + std::to_string(plan.size()) + " arrays, got " + std::to_string(arrays.size()));
    }
    std::vector<std::span<std::byte>> data;
    std::vector<std::shared_ptr<Pin>> pins;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      data.push_back(bytesOf(arrays[i].value(), arrays[i].path()));
      if (data[i].size() != plan[i].bytes) {
        throw BadInput(arrays[i].path() + ": expected " + std::to_string(plan[i].bytes) + " bytes, got " +
                       std::to_string(data[i].size()));
      }
      pins.push_back(pin(arrays[i].value(), data[i]));
    }
    auto task = std::make_unique<Task>(
        info.Env(), queue_, [kernel, data] { kernel->run(data); }, Task::Result());
    for (auto& held : pins) task->hold(std::move(held));
    return queue_->submit(std::move(task));
  });
}

Napi::Value XrtKernelObject::close(const Napi::CallbackInfo& info) {
  kernel_.reset();
  return info.Env().Undefined();
}

}  // namespace heddle
