// Keeps what a vendor's library prints while it starts out of standard output, which belongs to the program.
#pragma once

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

#include <cstdio>
#include <mutex>

namespace heddle {

/// While it lives, standard output goes nowhere. Qualcomm's simulator prints a line about itself when it starts, which would
/// spoil `--json` output and means nothing to the user; what matters goes to the log. Node writes its own output on the
/// thread that is busy here, so nothing else is lost. One at a time: of two that overlap, the second would take the first's
/// nowhere for standard output and restore that.
class CleanStdout {
 public:
#ifdef _WIN32
  CleanStdout() {}
  ~CleanStdout() {}
#else
  CleanStdout() {
    std::fflush(stdout);
    saved_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);  // not for programs that another thread starts meanwhile
    const int nowhere = saved_ >= 0 ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
    if (nowhere < 0) return;
    dup2(nowhere, STDOUT_FILENO);
    close(nowhere);
  }
  ~CleanStdout() {
    std::fflush(stdout);
    if (saved_ < 0) return;
    dup2(saved_, STDOUT_FILENO);
    close(saved_);
  }
#endif
  CleanStdout(const CleanStdout&) = delete;
  CleanStdout& operator=(const CleanStdout&) = delete;

 private:
  static std::mutex& one() {
    static std::mutex mutex;
    return mutex;
  }

  const std::lock_guard<std::mutex> lock_{one()};
  int saved_ = -1;
};

}  // namespace heddle
