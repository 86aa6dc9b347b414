// How long a child may take, and how much memory.
#pragma once

#include <optional>
#include <string>

#include "harness/plan/plan.h"
#include "harness/run/collect.h"
#include "harness/run/supervised_child.h"

namespace corerig {

// When it is killed if it still runs, CLOCK_MONOTONIC; the timeline has its start.
Nanos TimeLimitOf(const Plan& plan, const LaunchedChild& child, const Timeline& timeline);

// Where no control group enforces a worker's limit on memory, the sampler's latest look at it does. What to say of it
// when it is killed for that; nothing if it is not to be.
std::optional<std::string> AboveMemory(const Plan& plan, const SupervisedChild& child,
                                       const std::optional<MemoryReading>& latest);

}  // namespace corerig
