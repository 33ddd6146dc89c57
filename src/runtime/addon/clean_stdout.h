// Keeps what a vendor's library prints while it starts out of standard output, which belongs to the program.
#pragma once

#ifndef _WIN32
#include <unistd.h>
#endif

#include <cstdio>

namespace heddle {

/// While it lives, standard output goes to standard error. Qualcomm's simulator prints a line when it starts, which would
/// spoil `--json` output. Node writes its own output on the thread that is busy here, so nothing else is diverted.
class CleanStdout {
 public:
#ifdef _WIN32
  CleanStdout() {}
  ~CleanStdout() {}
#else
  CleanStdout() {
    std::fflush(stdout);
    saved_ = dup(STDOUT_FILENO);
    if (saved_ >= 0) dup2(STDERR_FILENO, STDOUT_FILENO);
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
  int saved_ = -1;
};

}  // namespace heddle
