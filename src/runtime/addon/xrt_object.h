// An AMD NPU's kernel as JavaScript sees it. xrt.ts documents it for users.
#pragma once

#include <napi.h>

#include <memory>

#include "task.h"
#include "xrt_kernel.h"

namespace heddle {

/// `openXrtKernel(library, plan)`: a promise of a kernel, opened off the JavaScript thread.
Napi::Value openXrtKernel(const Napi::CallbackInfo& info);

class XrtKernelObject : public Napi::ObjectWrap<XrtKernelObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit XrtKernelObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<xrt::Kernel> kernel_;  ///< null once closed; a run under way keeps its own
  std::shared_ptr<TaskQueue> queue_ = std::make_shared<TaskQueue>();
};

}  // namespace heddle
