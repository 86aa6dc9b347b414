// What is found out about the board before anything starts: what it refuses, and what that means for the run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/os/cgroup.h"
#include "harness/os/dma_latency.h"
#include "harness/plan/plan.h"

namespace corerig {

struct Preflight {
  Plan plan;                           // with every policy as it will be granted
  std::optional<std::string> skipped;  // why the run cannot be what the scenario requires
  std::vector<Warning> warnings;
  std::optional<DmaLatencyHold> dma_latency;  // held for as long as this lives
  // Where workers with a limit on their memory get control groups; absent where nobody asks for them, or none can be
  // made: then limits are enforced by sampling.
  std::optional<MemoryGroups> memory_groups;
  std::string dma_latency_text;  // for the report: "0us", "system", or why it is not held
};

// Tries what the plan asks for. A refusal is a warning, with the policy lowered to "other"; or the run is skipped if
// the plan requires it.
Preflight Prepare(Plan plan, const BoardRecord& board, const std::string& cgroup_root);

}  // namespace corerig
