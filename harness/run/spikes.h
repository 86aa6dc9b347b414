// From the worst samples in the handler's slab to the spikes of the record, with the trace around them if there is one.
//
//   auto recorder = MakeSpikeRecorder(plan, sides, timeline);    // once all children are armed: the loops have their
//   tids
//   ... the reader of the trace hands it its events ...
//   record.spikes = CollectSpikes(plan, sides, timeline, record, {.recorder = recorder.get()});
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/measure/spike_recorder.h"
#include "harness/plan/plan.h"
#include "harness/run/collect.h"

namespace corerig {

// The slabs must outlive it. Without a handler it has nothing to record.
std::unique_ptr<SpikeRecorder> MakeSpikeRecorder(const Plan& plan, const StreamSides& sides, const Timeline& timeline);

// The trace's part: a recorder whose reader has ended, or why there is none.
struct SpikeTrace {
  const SpikeRecorder* recorder = nullptr;
  std::string absent;  // "there is no scheduling trace"
};

// The sample that the run was stopped at, then the largest delay first. `record` has its streams, cores and break
// already.
std::vector<SpikeRecord> CollectSpikes(const Plan& plan, const StreamSides& sides, const Timeline& timeline,
                                       const RunRecord& record, const SpikeTrace& trace);

}  // namespace corerig
