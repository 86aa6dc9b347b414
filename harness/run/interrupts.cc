#include "harness/run/interrupts.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "harness/os/process.h"

namespace corerig {

Result<Interrupts> Interrupts::Block() {
  Interrupts interrupts;
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, &interrupts.before_);
  interrupts.blocked_ = true;
  interrupts.fd_ = Fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!interrupts.fd_.valid()) return Fail("cannot watch for signals: ", ErrnoText(errno));
  return interrupts;
}

Interrupts::Interrupts(Interrupts&& other) noexcept
    : fd_(std::move(other.fd_)), before_(other.before_), blocked_(std::exchange(other.blocked_, false)) {}

Interrupts::~Interrupts() {
  if (!blocked_) return;
  // What arrived meanwhile has been dealt with, or is late for a run that was skipped: unblocking must not let it kill
  // the process after all.
  while (fd_.valid() && !Read().empty()) {
  }
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::string Interrupts::Read() const {
  signalfd_siginfo arrived = {};
  if (read(fd_.get(), &arrived, sizeof arrived) != sizeof arrived) return "";
  return SignalText(static_cast<int>(arrived.ssi_signo));
}

}  // namespace corerig
