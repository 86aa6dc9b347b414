// The child that tests of keeper and spawning start: one verb per behaviour. Descriptor 3 is a pipe for what it tells.
//
// Whoever holds that pipe open lives: its reader sees the end only when all of them have died.
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/text.h"
#include "harness/child/keeper.h"
#include "harness/child/keeper_process.h"
#include "harness/os/fd.h"
#include "harness/os/process.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

constexpr int kTellFd = 3;

void Tell(std::string_view line) {
  const std::string text = StrCat(line, "\n");
  (void)!write(kTellFd, text.data(), text.size());  // at once, so lines of several processes do not mix
}

[[noreturn]] void Hang() {
  for (;;) pause();
}

// "fds 0 1 2 3", "core 1", …: what this process was started with.
void Report() {
  std::vector<int> fds;
  DIR* directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory)) {
    const auto fd = ParseNumber<int>(std::string_view(entry->d_name));
    if (fd && *fd != dirfd(directory)) fds.push_back(*fd);
  }
  closedir(directory);
  std::sort(fds.begin(), fds.end());
  std::string line = "fds";
  for (const int fd : fds) line += StrCat(" ", fd);
  Tell(line);

  line = "cores";
  for (const CpuId cpu : AllowedCores()) line += StrCat(" ", cpu.value);
  Tell(line);

  sched_param parameter = {};
  sched_getparam(0, &parameter);
  const int policy = sched_getscheduler(0);
  Tell(StrCat("policy ",
              policy == SCHED_FIFO    ? "fifo:"
              : policy == SCHED_BATCH ? "batch:"
                                      : "other:",
              policy == SCHED_FIFO ? parameter.sched_priority : getpriority(PRIO_PROCESS, 0)));

  rlimit limit = {};
  getrlimit(RLIMIT_RTTIME, &limit);
  Tell(StrCat("rttime ", static_cast<std::uint64_t>(limit.rlim_cur), " ", static_cast<std::uint64_t>(limit.rlim_max)));
  getrlimit(RLIMIT_CORE, &limit);
  Tell(StrCat("core ", static_cast<std::uint64_t>(limit.rlim_cur)));

  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
  Tell(StrCat("death ", SignalText(death_signal)));

  char path[256] = {};
  (void)!readlink("/proc/self/fd/0", path, sizeof path - 1);
  Tell(StrCat("stdin ", path));
  std::string out(256, '\0'), err(256, '\0');
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(readlink("/proc/self/fd/1", out.data(), out.size()), 0)));
  err.resize(static_cast<std::size_t>(std::max<ssize_t>(readlink("/proc/self/fd/2", err.data(), err.size()), 0)));
  Tell(StrCat("stdout is stderr ", out == err));

  const std::string status = ReadFile("/proc/self/status").value_or("");
  for (const std::string_view status_line : Split(status, '\n')) {
    if (status_line.starts_with("SigBlk:") || status_line.starts_with("SigIgn:")) Tell(status_line);
  }
}

// A child, and a grandchild in a session of its own whose parent has ended, as daemons are made.
void ForkTwo() {
  if (fork() == 0) {
    Tell("child");
    Hang();
  }
  if (fork() == 0) {
    if (fork() == 0) {
      setsid();
      signal(SIGTERM, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
      Tell("daemon");
      Hang();
    }
    _exit(0);
  }
}

// Never the same process for long: each forks the next one and ends.
[[noreturn]] void RunAway() {
  Tell("running");
  for (;;) {
    if (fork() > 0) _exit(0);
  }
}

// Every process forks, down to `depth`: 2^depth of them.
[[noreturn]] void Multiply(int depth) {
  for (int i = 0; i < depth; ++i) {
    if (fork() == 0) Multiply(depth - i - 1);
  }
  Tell("one");
  Hang();
}

// A supervisor with children of its own; what they hold is descriptor 3.
[[noreturn]] void Supervise() {
  auto keeper = Keeper::Start(ProgramPath(), AllowedCores().front());
  if (!keeper) {
    Tell(keeper.error().message);
    std::exit(1);
  }
  std::vector<ChildProcess> children;
  for (const char* verb : {"hang", "fork", "stop", "run-away"}) {
    auto child = keeper->Spawn(
        {.argv = {ProgramPath(), verb}, .fds = {{kTellFd, kTellFd}}, .cores = {AllowedCores().front()}, .policy = {}});
    if (!child) {
      Tell(child.error().message);
      std::exit(1);
    }
    children.push_back(std::move(*child));
  }
  Tell(StrCat("keeper ", keeper->pid()));
  Hang();
}

int Main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == kKeeperVerb) return KeeperMain(argc, argv);
  if (verb == "success") return 0;
  if (verb == "ret42") return 42;
  if (verb == "abort") std::abort();
  if (verb == "segv") {
    signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit of it
    raise(SIGSEGV);
  }
  if (verb == "spin") {
    Tell("spinning");
    for (volatile bool on = true; on;) {
    }
  }
  if (verb == "hang") {
    Tell("hanging");
    Hang();
  }
  if (verb == "hang-ignoring-sigterm") {
    signal(SIGTERM, SIG_IGN);
    Tell("hanging");
    Hang();
  }
  if (verb == "stop") {
    Tell("stopping");
    raise(SIGSTOP);
    return 0;
  }
  if (verb == "report") {
    Report();
    return 0;
  }
  if (verb == "fork") {
    ForkTwo();
    Hang();
  }
  if (verb == "fork-and-leave") {
    ForkTwo();
    return 0;
  }
  if (verb == "fork-and-be-silent" || verb == "fork-and-end") {
    if (fork() == 0) {
      close(kZygoteSocketFd);  // as a worker closes all that is not its own
      Tell("child");
      Hang();
    }
    if (verb == "fork-and-be-silent") Hang();
    char request;
    (void)!read(kZygoteSocketFd, &request, 1);
    return 0;
  }
  if (verb == "run-away") RunAway();
  if (verb == "multiply") Multiply(8);
  if (verb == "supervise") Supervise();
  return 100;
}

}  // namespace
}  // namespace corerig

int main(int argc, char** argv) { return corerig::Main(argc, argv); }
