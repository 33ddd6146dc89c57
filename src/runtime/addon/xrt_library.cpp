#include "xrt_library.h"

#include <memory>

#include "failure.h"

namespace heddle::xrt {

namespace {

#if defined(__GLIBCXX__) && _GLIBCXX_USE_CXX11_ABI
constexpr bool kSameAbi = true;
#else
constexpr bool kSameAbi = false;
#endif

#define HEDDLE_STRING "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
#define HEDDLE_MILLISECONDS "NSt6chrono8durationIlSt5ratioILl1ELl1000EEEE"

/// For a class whose destructor is not exported because the compiler generates it: it lets go of the shared pointer.
void releasePointer(void* object) {
  using Pointer = std::shared_ptr<void>;
  static_cast<Pointer*>(object)->~Pointer();
}

}  // namespace

template <class Function>
void Library::need(Function& function, const char* symbol, const char* meaning) {
  function = library_.find<Function>(symbol);
  if (!function) {
    throw LibraryError(library_.path() + " has no " + meaning +
                       ": it is not XRT, or a version of before hardware contexts (2.14)");
  }
}

Library::Library(const std::string& path) : library_(path) {
  if (!kSameAbi) throw LibraryError("XRT can be loaded by a Linux build with libstdc++ only");
  auto& f = functions_;
  need(f.openDevice, "_ZN3xrt6deviceC1Ej", "xrt::device(unsigned)");
  need(f.openXclbin, "_ZN3xrt6xclbinC1ERK" HEDDLE_STRING, "xrt::xclbin(string)");
  need(f.registerXclbin, "_ZN3xrt6device15register_xclbinERKNS_6xclbinE", "xrt::device::register_xclbin");
  need(f.openContext, "_ZN3xrt10hw_contextC1ERKNS_6deviceERKNS_4uuidENS0_11access_modeE", "xrt::hw_context");
  need(f.openKernel, "_ZN3xrt6kernelC1ERKNS_10hw_contextERK" HEDDLE_STRING, "xrt::kernel(hw_context, string)");
  need(f.groupId, "_ZNK3xrt6kernel8group_idEi", "xrt::kernel::group_id");
  need(f.openBuffer, "_ZN3xrt2boC1ERKNS_6deviceEmNS0_5flagsEj", "xrt::bo(device, size, flags, group)");
  need(f.mapBuffer, "_ZN3xrt2bo3mapEv", "xrt::bo::map");
  need(f.syncBuffer, "_ZN3xrt2bo4syncE18xclBOSyncDirectionmm", "xrt::bo::sync");
  need(f.openRun, "_ZN3xrt3runC1ERKNS_6kernelE", "xrt::run(kernel)");
  need(f.setValue, "_ZN3xrt3run16set_arg_at_indexEiPKvm", "xrt::run::set_arg_at_index(value)");
  need(f.setBuffer, "_ZN3xrt3run16set_arg_at_indexEiRKNS_2boE", "xrt::run::set_arg_at_index(bo)");
  need(f.start, "_ZN3xrt3run5startEv", "xrt::run::start");
  need(f.wait, "_ZNK3xrt3run4waitERK" HEDDLE_MILLISECONDS, "xrt::run::wait");

  const auto destructor = [this](const char* symbol) {
    const auto found = library_.find<Functions::Destroy>(symbol);
    return found ? found : &releasePointer;
  };
  f.closeDevice = destructor("_ZN3xrt6deviceD1Ev");
  f.closeXclbin = destructor("_ZN3xrt6xclbinD1Ev");
  f.closeContext = destructor("_ZN3xrt10hw_contextD1Ev");
  f.closeKernel = destructor("_ZN3xrt6kernelD1Ev");
  f.closeBuffer = destructor("_ZN3xrt2boD1Ev");
  f.closeRun = destructor("_ZN3xrt3runD1Ev");
}

}  // namespace heddle::xrt
