// What the slabs and readings of a run say, as parts of its record. Nothing read from a slab is trusted to be sound.
#pragma once

#include <optional>
#include <vector>

#include "harness/base/record.h"
#include "harness/measure/memory_sampler.h"
#include "harness/plan/plan.h"
#include "harness/run/rig.h"
#include "harness/run/supervised_child.h"

namespace corerig {

// The instants of a run, CLOCK_MONOTONIC; 0 while it has not come to them.
struct Timeline {
  Nanos start{0};
  Nanos window_begin{0};  // planned
  Nanos window_end{0};    // planned, or earlier if the run was cut short
  Nanos drain_end{0};
  Nanos stop_ordered{0};  // when the workers were told that the window is over
};

// Source and handler of a run; null where there is none.
struct StreamSides {
  const SupervisedChild* source = nullptr;
  const SupervisedChild* handler = nullptr;
};
StreamSides SidesOf(const std::vector<SupervisedChild>& children);

// The sample that the handler stopped the run at; nothing if it did not, or says nonsense. `traced`: the kernel's trace
// was running.
std::optional<BreakRecord> CollectBreak(const Plan& plan, const StreamSides& sides, const Timeline& timeline,
                                        bool traced);

std::vector<StreamRecord> CollectStreams(const Plan& plan, const Rig& rig, const StreamSides& sides,
                                         const Timeline& timeline);

// `scheduling[i]` are the readings of loop i's thread.
std::vector<LoopRecord> CollectLoops(const Plan& plan, const SupervisedChild* handler,
                                     const std::vector<WindowReadings>& scheduling);

// `key` is the child's in the sampler; `cow_absent` says why its copy-on-write faults may not be known.
ProcessRecord CollectProcess(const SupervisedChild& child, const MemorySampler& memory, int key,
                             const std::string& cow_absent);

WorkerRecord CollectWorker(const Plan& plan, const SupervisedChild& worker, const MemorySampler& memory, int key,
                           const std::string& cow_absent, const Timeline& timeline);

// The workers' results merged, one answer per group.
std::vector<ResultRecord> CollectResults(const Plan& plan, const Rig& rig,
                                         const std::vector<const SupervisedChild*>& workers);

// What the children themselves, and the files of their output, complain of.
std::vector<Warning> CollectWarnings(const std::vector<SupervisedChild>& children);

// Shares of the cores by the tasks that were pinned to them.
std::vector<CoreRecord> CollectCores(const Plan& plan, const RunRecord& record);

}  // namespace corerig
