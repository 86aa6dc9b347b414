// The flat list of metrics, derived from the parts of a record.
#pragma once

#include <vector>

#include "harness/base/record.h"
#include "harness/plan/plan.h"

namespace corerig {

// Every metric of MetricsOf(plan), in that order, each with its value and origin or the reason why it is absent. Pure:
// the parts of `record` (streams, loops, workers, cores, memory) are filled in.
std::vector<Metric> MetricsFrom(const Plan& plan, const RunRecord& record);

}  // namespace corerig
