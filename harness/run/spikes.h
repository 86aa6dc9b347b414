// From the worst samples in the handler's slab to the spikes of the record, with the trace around them if there is one.
//
//   auto recorder = MakeSpikeRecorder(plan, sides, timeline);    // once all children are armed: loops have tids
//   ... the reader of the trace hands it its events ...
//   record.spikes = CollectSpikes(plan, sides, timeline, record, recorder.get());
#pragma once

#include <memory>
#include <vector>

#include "harness/base/record.h"
#include "harness/measure/spike_recorder.h"
#include "harness/plan/plan.h"
#include "harness/run/collect.h"

namespace corerig {

// The slabs must outlive it. Without a handler it has nothing to record.
std::unique_ptr<SpikeRecorder> MakeSpikeRecorder(const Plan& plan, const StreamSides& sides, const Timeline& timeline);

// The sample that the run was stopped at, then the largest delay first. `record` has its streams, cores and break
// already. `recorder`: its reader has ended; null without a trace.
std::vector<SpikeRecord> CollectSpikes(const Plan& plan, const StreamSides& sides, const Timeline& timeline,
                                       const RunRecord& record, const SpikeRecorder* recorder);

}  // namespace corerig
