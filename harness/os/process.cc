#include "harness/os/process.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace corerig {

Result<Fd> OpenPidfd(pid_t pid) {
  // By number: glibc has had the function since 2.36 only.
  Fd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!fd.valid()) return Fail("cannot open a pidfd of process ", pid, ": ", ErrnoText(errno));
  return fd;
}

bool SignalProcess(pid_t pid, std::uint64_t start_time, int signal) {
  const auto pidfd = OpenPidfd(pid);
  if (!pidfd) return false;
  // From here on the descriptor stands for one process; whether it is the one that was meant, its start time tells.
  const auto started = StartTimeOf(pid);
  if (!started || *started != start_time) return false;
  return syscall(SYS_pidfd_send_signal, pidfd->get(), signal, nullptr, 0) == 0;
}

Result<std::uint64_t> ParseStartTime(std::string_view stat) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return Fail("stat has no ')' after the command's name");
  // Trimmed, what follows the ')' begins with field 3, the state.
  const auto parts = Split(Trim(stat.substr(name_end + 1)), ' ');
  constexpr std::size_t kStartTime = 22 - 3;
  if (parts.size() <= kStartTime) return Fail("stat has ", parts.size() + 2, " fields; at least 22 were expected");
  const auto value = ParseNumber<std::uint64_t>(parts[kStartTime]);
  if (!value) return Fail("field 22 of stat is \"", parts[kStartTime], "\"; a whole number was expected");
  return *value;
}

Result<std::uint64_t> StartTimeOf(pid_t pid) {
  const std::string path = StrCat("/proc/", pid, "/stat");
  const auto text = ReadFile(path);
  if (!text) return Forward(text);
  auto start_time = ParseStartTime(*text);
  if (!start_time) return ForwardWith(start_time, path, ": ");
  return start_time;
}

std::string SignalText(int signal) {
  if (const char* name = sigabbrev_np(signal)) return StrCat("SIG", name);
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) return StrCat("SIGRTMIN+", signal - SIGRTMIN);
  return StrCat("signal ", signal);
}

std::string ProgramPath() {
  char path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  return n < 0 ? std::string() : std::string(path, static_cast<std::size_t>(n));
}

}  // namespace corerig
