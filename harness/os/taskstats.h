// Copy-on-write faults of a process, as the kernel counts them.
//
//   const auto stats = TaskStats::Open();
//   const auto faults = stats->CopyOnWriteFaults(pid);
//
// Nothing in /proc tells them: minor faults hold every first touch as well, and private pages grow by both. The
// kernel's delay accounting counts each time it copied a page because a process wrote to what it shared (wpcopy_count
// of struct taskstats, from Linux 6.0 on; Documentation/accounting/delay-accounting.rst). It is told over generic
// netlink (Documentation/accounting/taskstats.rst) to those with CAP_NET_ADMIN, and it counts while
// kernel.task_delayacct is 1. The first write to a page of a private file mapping that had not been read before is not
// among them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

class TaskStats {
 public:
  // Fails where the kernel does not count, or does not tell us; the error names the remedy. `root` is for tests.
  static Result<TaskStats> Open(std::string_view root = "");

  // Since the process's start, of all its threads, also those that ended. Fails for a process that has ended.
  Result<std::uint64_t> CopyOnWriteFaults(pid_t process) const;

 private:
  TaskStats() = default;

  Fd socket_;
  std::uint16_t family_ = 0;
};

// wpcopy_count of a reply to TASKSTATS_CMD_GET for a thread group, netlink header included.
Result<std::uint64_t> ParseCopyOnWriteFaults(std::string_view reply);

}  // namespace corerig
