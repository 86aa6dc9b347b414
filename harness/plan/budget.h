// A budget as it is written: "stream.imu.latency.p99 < 500us".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/result.h"
#include "harness/plan/plan.h"

namespace corerig {

// `metrics` are all that the run reports; the budget's pattern must match some, all of one unit, and the limit be in
// it: a duration, size, rate, share or whole number, "24MiB/s" or "1MiB/min".
Result<BudgetPlan> ParseBudget(std::string_view text, const std::vector<std::string>& metrics);

// A lower and an upper limit of one percentile leave room for the bucket that its value is read from. Other pairs pass.
Status CheckTogether(const BudgetPlan& one, const BudgetPlan& other, const std::vector<std::string>& metrics);

}  // namespace corerig
