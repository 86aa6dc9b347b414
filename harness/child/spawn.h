// Starts a program as a child: pinned, scheduled, limited and with the descriptors it is given and no others.
//
// Like posix_spawn, and for what posix_spawn lacks (affinity before exec, a pidfd, a death signal, which step failed):
// the child shares our memory until it has exec'ed and we stand still that long, so nothing is copied, however much
// memory we have.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/policy.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/fd.h"

namespace corerig {

struct SpawnRequest {
  std::vector<std::string> argv;         // argv[0] is the program's path
  std::vector<std::pair<int, int>> fds;  // ours -> the child's number, from 3 on; everything else is closed on exec
  std::vector<CpuId> cores;              // those it may run on, set before exec; one: it is pinned
  Policy policy;                         // set before exec
  // The control group it joins before exec (os/cgroup.h): cgroup.procs, open for writing, and its directory, which the
  // keeper removes when it ends. -1: it stays in ours.
  int group = -1;
  std::string group_directory = {};
  std::uint64_t address_space = 0;  // RLIMIT_AS in bytes; 0: as ours
  // By the keeper only (zygote.h). The child is a zygote: it finds kZygoteSocketFd, whose other end the keeper keeps.
  bool zygote = false;
  // The child is forked from that zygote; of argv only the name counts. 0: it is executed.
  pid_t forked_from = 0;
};

inline constexpr int kZygoteSocketFd = 7;

// A running (or ended, not yet reaped) child. Owns its pidfd only.
struct ChildProcess {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // field 22 of /proc/PID/stat: with pid, names the process for good
  Fd pidfd;
};

enum class Lifetime {
  kOwn,        // may outlive us
  kOfSpawner,  // killed when the thread that spawned it ends, however that comes about
};

// Returns once exec has happened or failed; the error names the step: "affinity to core 3: Invalid argument (EINVAL)",
// "exec ./x: No such file or directory (ENOENT)".
//
// The child's standard input is /dev/null, its standard output our standard error: ours carries the summary alone. No
// signal is blocked or ignored. It leaves no core dump. Any real-time thread of it that runs 3 s without a blocking
// call gets SIGXCPU, and SIGKILL after 3.5 s (RLIMIT_RTTIME).
Result<ChildProcess> Spawn(const SpawnRequest& request, Lifetime lifetime);

// Of a process that was just forked: becomes a child as the request says and Spawn promises, but for the death signal
// and the program. The error names the step; the process is good for nothing then.
Status BecomeChild(const SpawnRequest& request);

}  // namespace corerig
