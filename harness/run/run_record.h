// The record of a run from what has been measured up to now; or of a run that was not done.
#pragma once

#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/measure/memory_sampler.h"
#include "harness/plan/plan.h"
#include "harness/run/collect.h"
#include "harness/run/rig.h"
#include "harness/run/window_observer.h"

namespace corerig {

// The sampler's numbers of processes that are not children; children have their index.
inline constexpr int kSupervisorKey = -1;
inline constexpr int kKeeperKey = -2;

// Finishes the record of a run that was not done, and says why. `plan` is the one of the scenario.
void Skip(const Plan& plan, const std::string& reason, RunRecord& record);

// Where the figures of a run are; all of it outlives the call that is given it.
struct RunFigures {
  const Plan& plan;
  const Rig& rig;
  const Timeline& timeline;
  const std::vector<SupervisedChild>& children;
  const MemorySampler& memory;
  const WindowObserver& window;
};

// Writes into `record` all that children, sampler and window say now.
void FillMeasured(const RunFigures& figures, RunRecord& record);

}  // namespace corerig
