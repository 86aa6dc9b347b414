// Refuses a budget that this board's clock and probes cannot resolve, before anything is started.
//
//   const BoardResolution board = MeasureBoard();
//   if (auto resolved = CheckResolution(plan, board); !resolved) ...
//   // budget "stream.imu.latency.p99 < 10ns": this board's clock is read in 20 ns and advances by 20 ns; write at
//   // least 20ns
//
// Only what can be known beforehand: that a percentile has too few samples shows in the verdict.
#pragma once

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/clock_resolution.h"
#include "harness/plan/plan.h"

namespace corerig {

struct BoardResolution {
  ClockResolution clock;
  Nanos tick{10'000'000};  // /proc/stat counts in these (USER_HZ)
  Bytes page{4096};        // memory comes in these
};

BoardResolution MeasureBoard();

// Pure. The first budget or break that is too tight, in the plan's order; the message names limit, figure, and what
// would be right.
Status CheckResolution(const Plan& plan, const BoardResolution& board);

}  // namespace corerig
