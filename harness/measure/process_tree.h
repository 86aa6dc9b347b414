// A process and all that descend from it, measured as one.
//
//   ProcessTree tree(procfs, {.root = pid, .start_time = child.start_time, .reaper = keeper, .mark =
//   "CORERIG_ID=7.0"}); auto before = tree.Read();
//   ... the window ...
//   auto after = tree.Read();
//   record.scheduling = Difference(*before, *after);
//
// Who belongs: the children of members (task/TID/children, or the parents in every /proc/PID/stat where the kernel has
// no such file), whoever was a member once, and of the processes that the subreaper was given when their parents died
// those of the root's session and those with the mark in their environment. Missed is a process whose parents ended
// between two looks if it also left the session and wiped its environment.
//
// What ended descendants used is counted as far as the kernel keeps it: CPU time (in clock ticks) and page faults of
// those that their parent waited for. Of those that the subreaper waited for, and for all other figures (switches,
// run-queue waits), the last reading of them counts: look often. A parent that ignores SIGCHLD leaves no trace of its
// ended children.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/measure/memory_probe.h"
#include "harness/measure/scheduling_probe.h"
#include "harness/os/procfs.h"

namespace corerig {

// One thread at a time.
class ProcessTree {
 public:
  struct Origin {
    pid_t root = 0;
    std::uint64_t start_time = 0;  // the root's
    pid_t reaper = 0;              // who is given the root's orphans
    std::string mark;              // "NAME=value" in the environment of the root and so of its descendants
  };
  struct Member {
    pid_t pid = 0;
    ProcessStat stat;
    bool ended() const { return stat.state == 'Z' || stat.state == 'X'; }
  };

  ProcessTree(const ProcFs& procfs, Origin origin) : procfs_(procfs), origin_(std::move(origin)) {}

  // Looks anew for who belongs, zombies included; the root comes first if it is not yet reaped.
  const std::vector<Member>& Look();

  // Those of the last look.
  const std::vector<Member>& members() const { return members_; }

  // Looks, and sums up; what only grows in a process only grows here, too. `run` covers ended threads as well. Fails if
  // the root is gone, or if the kernel keeps no such figures.
  Result<SchedulingReading> Read();

  // Looks, and sums up over those alive; nothing if none is. Pages that members share count in each one's RSS, in parts
  // in PSS, and in no USS.
  Result<std::optional<MemoryReading>> ReadMemory();

  // The most members seen alive at once.
  std::size_t most() const { return most_; }

 private:
  using Identity = std::pair<pid_t, std::uint64_t>;  // pid and start time

  struct Seen {
    pid_t parent = 0;
    SchedulingReading reading;
  };

  std::vector<pid_t> ChildrenOf(pid_t pid, std::optional<std::map<pid_t, std::vector<pid_t>>>& scanned) const;
  bool Belongs(pid_t orphan, const ProcessStat& stat);
  bool TryRead(std::map<Identity, Seen>& seen);
  void Retain(const std::map<Identity, Seen>& now);

  const ProcFs& procfs_;
  Origin origin_;
  std::vector<Member> members_;
  std::set<Identity> known_;                        // members of the last look
  std::set<Identity> strangers_;                    // the reaper's children that do not belong
  std::map<Identity, Seen> seen_;                   // by the last reading
  SchedulingReading retained_ = {.migrations = 0};  // of members that are gone
  std::size_t most_ = 0;
};

}  // namespace corerig
