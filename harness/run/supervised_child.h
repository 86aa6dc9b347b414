// One child as the supervisor follows it, from the launch to its end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "harness/base/record.h"
#include "harness/child/worker_slab.h"
#include "harness/loop/event_loop.h"
#include "harness/measure/counters.h"
#include "harness/measure/process_tree.h"
#include "harness/measure/scheduling_probe.h"
#include "harness/run/launch.h"

namespace corerig {

// A window figure is the difference of two readings.
struct WindowReadings {
  std::optional<SchedulingReading> before, after;

  SchedulingRecord Scheduling() const {
    SchedulingRecord scheduling = before && after ? Difference(*before, *after) : SchedulingRecord{};
    scheduling.lost = before && !after;
    return scheduling;
  }
};

// Counters of one part, and what they said at the window's ends.
struct WindowCounters {
  Counters counters;
  CountersReading before, after;

  CountersRecord Record() const { return counters.Between(before, after); }
};

struct SupervisedChild {
  LaunchedChild launched;
  EndRecord end;
  WindowReadings scheduling;
  std::optional<std::uint64_t> rss_peak;                             // VmHWM of the window
  std::optional<std::uint64_t> cow_before, cow_after;                // copy-on-write faults, at the window's ends
  std::optional<WindowCounters> counters;                            // workers
  std::optional<MemoryGroupReading> memory_group;                    // at its end; of a worker that has one
  bool rss_peak_counts = false;                                      // it was reset when the window began
  std::optional<Progress::Reading> progress_before, progress_after;  // workers, at the window's ends
  // Why the supervisor killed it, if it did.
  enum class Killed { kNo, kTimeLimit, kMemory, kInterrupted } killed = Killed::kNo;
  std::string killed_detail;
  std::unique_ptr<EventLoop::Watch> watch;
  // Commands only.
  std::optional<ProcessTree> tree;
  std::optional<Nanos> told_to_end;  // when it was sent SIGTERM
  std::optional<Nanos> ended_at;     // when its end was seen; what it had started may live on a moment

  bool running() const { return end.kind == EndRecord::Kind::kRunning; }
  const SlabHeader& header() const { return *launched.slab.At<SlabHeader>(0); }

  // A worker that is a thread of another child.
  bool is_thread() const { return launched.host.has_value(); }
  pid_t pid() const { return launched.pid(); }
  pid_t tid() const { return is_thread() ? static_cast<pid_t>(header().tid.Get()) : pid(); }

  // Of the process, of the thread, or of the command and all it started.
  Result<SchedulingReading> ReadScheduling(const ProcFs& procfs);

  // Workers only.
  Progress::Reading progress() const {
    if (launched.output) return launched.output->units();
    return launched.slab.At<Progress>(WorkerSlabLayout(launched.result_capacity).progress)->Read();
  }
  const ResultBox& result() const {
    return *launched.slab.At<ResultBox>(WorkerSlabLayout(launched.result_capacity).result);
  }
};

}  // namespace corerig
