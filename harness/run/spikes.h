// From the worst samples in the handler's slab to the spikes of the record, with the trace around them if there is one.
//
//   auto recorder = MakeSpikeRecorder(plan, sides, timeline);    // once all children are armed: the loops have their
//   tids
//   ... the reader of the trace hands it its events ...
//   record.spikes = CollectSpikes(plan, sides, timeline, roles, record, {.recorder = recorder.get()});
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/measure/spike_recorder.h"
#include "harness/plan/plan.h"
#include "harness/run/collect.h"
#include "harness/run/supervised_child.h"

namespace corerig {

// The slabs must outlive it. Without a handler it has nothing to record.
std::unique_ptr<SpikeRecorder> MakeSpikeRecorder(const Plan& plan, const StreamSides& sides, const Timeline& timeline);

// The trace's part: a recorder whose reader has ended, or why there is none.
struct SpikeTrace {
  const SpikeRecorder* recorder = nullptr;
  std::string absent;  // "no scheduling trace: tracefs cannot be mounted"
};

// Who each task of the run is, by tid; `rig` are the processes of corerig itself.
std::map<int, std::string> RolesOf(const Plan& plan, const std::vector<SupervisedChild>& children,
                                   const std::vector<int>& rig);

// Largest delay first. `record` has its streams and cores already.
std::vector<SpikeRecord> CollectSpikes(const Plan& plan, const StreamSides& sides, const Timeline& timeline,
                                       const std::map<int, std::string>& roles, const RunRecord& record,
                                       const SpikeTrace& trace);

}  // namespace corerig
