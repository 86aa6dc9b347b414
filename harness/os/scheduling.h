// Where and how a thread runs: cores, policy, memory that stays, timers that are not coalesced.
#pragma once

#include <sys/types.h>

#include <vector>

#include "harness/base/policy.h"
#include "harness/base/result.h"
#include "harness/base/units.h"

namespace corerig {

// Pins thread `tid` to one core, or lets it run on any of some; 0 is the calling thread.
Status SetAffinity(pid_t tid, CpuId core);
Status SetAffinity(pid_t tid, const std::vector<CpuId>& cores);

// The cores this thread may run on, ascending: what a batch system, a container or taskset left to us.
std::vector<CpuId> AllowedCores();

// SCHED_FIFO, SCHED_OTHER and so on, as sched_setscheduler takes it.
int KernelPolicy(Policy::Class scheduling_class);

// Schedules thread `tid` by `policy`; 0 is the calling thread. A refusal names its likely cause and the remedy.
Status SetPolicy(pid_t tid, const Policy& policy);

// Whether `policy` would be granted to a child of ours: tried on a thread that ends at once.
Status TryPolicy(const Policy& policy);

// Why the kernel refused `policy` with `error`, and what helps. Exact for a process of our own limits and capabilities.
std::string PolicyRefusal(const Policy& policy, int error);

// Keeps all pages of this process in memory, those it has and those to come.
Status LockMemory();

// How late the kernel may deliver a timer of the calling thread, to merge wake-ups; without effect on real-time
// threads.
void SetTimerSlack(Nanos slack);

}  // namespace corerig
