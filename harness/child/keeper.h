// The supervisor's side of the keeper: a tiny process, ancestor of every child, that spawns them and kills them all,
// with their descendants, when the supervisor dies or lets go.
//
//   auto keeper = Keeper::Start(program, rig_core);
//   auto child = keeper->Spawn({.argv = {...}, .fds = {{job.get(), kJobFd}, ...}, .core = CpuId{1}, .policy = {}});
//   ... child->pidfd becomes readable when it has ended ...
//   ... read /proc/PID of the zombie ...
//   auto end = keeper->Reap(*child);
//
// The keeper is a child subreaper in a session of its own, so Ctrl-C in the terminal reaches the supervisor alone. It
// watches the supervisor's pidfd. One thread of it spawns, for as long as it lives: a death signal fires when the
// spawning thread ends. Should the keeper itself be killed, its direct children die with it.
#pragma once

#include <sys/types.h>

#include <string>

#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/child/keeper_process.h"
#include "harness/child/spawn.h"
#include "harness/os/fd.h"

namespace corerig {

// Used by one thread at a time.
class Keeper {
 public:
  // `program` is the path of this binary; it is exec'ed with the argument kKeeperVerb, and its main function hands over
  // to KeeperMain (keeper_process.h). The keeper stays on `core`.
  static Result<Keeper> Start(const std::string& program, CpuId core);

  Keeper(Keeper&&) noexcept = default;
  Keeper& operator=(Keeper&& other) noexcept;
  // Lets go: the keeper kills and reaps everything below it, then ends. Returns when all are gone; a keeper that cannot
  // finish within 10 s (a process hangs in the kernel) is killed.
  ~Keeper();

  pid_t pid() const { return process_.pid; }

  // Returns once exec has happened or failed; the error names the step (affinity, policy, exec) and the cause. See
  // spawn.h for what the child starts with.
  Result<ChildProcess> Spawn(const SpawnRequest& request);

  // Lets go of a zygote, which ends when it has answered all requests; to be reaped like any child.
  Status Release(const ChildProcess& zygote);

  // Waits for an ended child (or one about to end) and frees its pid.
  Result<EndRecord> Reap(const ChildProcess& child);

  // Removes the empty folder `name` of `folder` (a descriptor) at its end, whatever becomes of us.
  Status RemoveAtEnd(int folder, const std::string& name);

  static Status Kill(const ChildProcess& child, int signal);

 private:
  Keeper() = default;
  void End();

  ChildProcess process_;
  Fd socket_;
};

}  // namespace corerig
