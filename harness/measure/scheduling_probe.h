// How the kernel scheduled a thread or a process: figures that only grow, read twice and subtracted.
//
//   auto before = ReadThread(procfs, pid, tid);
//   ... the window ...
//   auto after = ReadThread(procfs, pid, tid);
//   record.scheduling = Difference(*before, *after);
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/procfs.h"

namespace corerig {

struct SchedulingReading {
  Nanos at{0};  // CLOCK_MONOTONIC
  Nanos run{0}, wait{0};
  std::uint64_t timeslices = 0, voluntary = 0, involuntary = 0;
  std::optional<std::uint64_t> migrations;  // absent if the kernel has no /proc/PID/sched
  std::uint64_t minor_faults = 0, major_faults = 0;
};

// Of one thread, its own faults included. Fails if it ended, or if the kernel keeps no such figures.
Result<SchedulingReading> ReadThread(const ProcFs& procfs, pid_t pid, pid_t tid);

// The sum over the threads that are alive: one that ended took its figures away (so read before it ends). Of a zombie,
// what its leader did. CPU time and faults are the whole process's, up to now and ended threads included: the kernel
// keeps these sums itself.
Result<SchedulingReading> ReadProcess(const ProcFs& procfs, pid_t pid);

// What happened between two readings; never negative, should a thread have ended in between.
SchedulingRecord Difference(const SchedulingReading& before, const SchedulingReading& after);

}  // namespace corerig
