#include "harness/child/children.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>

#include "harness/os/fd.h"
#include "harness/os/process.h"

namespace corerig {

Result<pid_t> ParseParent(std::string_view stat) {
  // The command's name (field 2) may hold anything: the fields are counted from the last ')'.
  const auto name_end = stat.rfind(')');
  const auto parts = name_end == std::string_view::npos ? std::vector<std::string_view>()
                                                        : Split(Trim(stat.substr(name_end + 1)), ' ');
  const auto parent = parts.size() < 2 ? std::nullopt : ParseNumber<pid_t>(parts[1]);
  if (!parent) return Fail("stat has no whole number as field 4");
  return *parent;
}

Result<std::vector<pid_t>> ListedChildren() {
  // Of the one thread, so its id is the process's.
  const auto text = ReadFile(StrCat("/proc/self/task/", getpid(), "/children"));
  if (!text) return Forward(text);
  std::vector<pid_t> children;
  for (const std::string_view part : Split(Trim(*text), ' ')) {
    if (const auto pid = ParseNumber<pid_t>(part)) children.push_back(*pid);
  }
  return children;
}

std::vector<pid_t> ScannedChildren() {
  std::vector<pid_t> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return children;
  while (const dirent* entry = readdir(proc.get())) {
    const auto pid = ParseNumber<pid_t>(std::string_view(entry->d_name));
    if (!pid) continue;
    const auto stat = ReadFile(StrCat("/proc/", *pid, "/stat"));
    if (!stat) continue;  // gone in the meantime
    const auto parent = ParseParent(*stat);
    if (parent && *parent == getpid()) children.push_back(*pid);
  }
  return children;
}

std::vector<pid_t> Children() {
  auto listed = ListedChildren();
  return listed ? std::move(*listed) : ScannedChildren();
}

Result<EndRecord> ReapChild(pid_t child) {
  siginfo_t ended = {};
  while (waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED) != 0) {
    if (errno != EINTR) return Fail("cannot reap process ", child, ": ", ErrnoText(errno));
  }
  return EndFrom(ended.si_code, ended.si_status);
}

EndRecord EndFrom(int wait_code, int wait_status) {
  EndRecord end;
  end.number = wait_status;
  end.kind = wait_code == CLD_EXITED ? EndRecord::Kind::kExited : EndRecord::Kind::kSignalled;
  if (end.kind == EndRecord::Kind::kSignalled) end.detail = SignalText(end.number);
  return end;
}

void EndDescendants() {
  sigset_t child_signal, before;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_signal, &before);
  for (;;) {
    for (const pid_t child : Children()) kill(child, SIGKILL);
    siginfo_t ended = {};
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | __WALL) == 0 && ended.si_pid != 0) ended = {};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD) break;
    // Until the next one has died; not much longer, as the list of children may have missed one.
    const timespec moment = {.tv_sec = 0, .tv_nsec = 10'000'000};
    sigtimedwait(&child_signal, nullptr, &moment);
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace corerig
