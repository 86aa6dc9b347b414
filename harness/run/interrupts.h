// SIGINT, SIGTERM and SIGHUP as something to read, for as long as this lives.
#pragma once

#include <signal.h>

#include <string>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

class Interrupts {
 public:
  // Blocks the signals for the calling thread (the only one there is).
  static Result<Interrupts> Block();
  Interrupts(Interrupts&& other) noexcept;
  ~Interrupts();  // as it was before

  int fd() const { return fd_.get(); }
  // The signal that arrived: "SIGINT"; empty if none is pending.
  std::string Read() const;

 private:
  Interrupts() = default;
  Fd fd_;
  sigset_t before_{};
  bool blocked_ = false;
};

}  // namespace corerig
