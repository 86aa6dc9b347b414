// The supervisor's side of the keeper: a tiny process, ancestor of every child, that spawns them and kills them all,
// with their descendants, when the supervisor dies or lets go.
//
//   auto keeper = Keeper::Start(rig_core);
//   auto child = keeper->Spawn({.argv = {...}, .fds = {{job.get(), kJobFd}, ...}, .core = CpuId{1}, .policy = {}});
//   ... child->pidfd becomes readable when it has ended ...
//   ... read /proc/PID of the zombie ...
//   auto end = keeper->Reap(*child);
//
// The keeper is a child subreaper in a session of its own, so Ctrl-C in the terminal reaches the supervisor alone. It
// watches the supervisor's pidfd. One thread of it spawns, for as long as it lives: a death signal fires when the
// spawning thread ends.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/base/policy.h"
#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/fd.h"

namespace corerig {

struct SpawnRequest {
  std::vector<std::string> argv;         // argv[0] is the program's path
  std::vector<std::pair<int, int>> fds;  // ours -> the child's number; everything else is closed on exec
  CpuId core;                            // pinned before exec
  Policy policy;                         // set before exec; a real-time child also gets RLIMIT_RTTIME
};

// A running (or ended, not yet reaped) child. Owns its pidfd only: the keeper reaps.
struct ChildProcess {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // field 22 of /proc/PID/stat: with pid, names the process for good
  Fd pidfd;
};

class Keeper {
 public:
  // `program` is the path of this binary; it is exec'ed with the argument kKeeperVerb. The keeper stays on `core`.
  static Result<Keeper> Start(const std::string& program, CpuId core);

  Keeper(Keeper&&) noexcept = default;
  Keeper& operator=(Keeper&&) noexcept = default;
  // Kills and reaps everything below it, then the keeper itself. Returns when all are gone.
  ~Keeper();

  pid_t pid() const { return process_.pid; }

  // Returns once exec has happened or failed; the error names the step (affinity, policy, exec) and the cause.
  Result<ChildProcess> Spawn(const SpawnRequest& request);

  // Waits for an ended child (or one about to end) and frees its pid.
  Result<EndRecord> Reap(const ChildProcess& child);

  static Status Kill(const ChildProcess& child, int signal);

 private:
  Keeper() = default;
  ChildProcess process_;
  Fd socket_;
};

// The keeper's main function: argv[1] is kKeeperVerb. Returns its exit status.
inline constexpr std::string_view kKeeperVerb = "__keeper";
int KeeperMain(int argc, char** argv);

}  // namespace corerig
