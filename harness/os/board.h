// What this board is, for the report.
#pragma once

#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/units.h"

namespace corerig {

// Reads below root/proc and root/sys; root "" is this board, a recorded tree in tests. The machine is uname's. What the
// board does not tell reads "unknown" (memory: 0); a CPU without frequency scaling has the governor "none".
BoardRecord ReadBoard(const std::string& root, const std::vector<CpuId>& cores);

// The CPUs that are switched on: "0-3,6" of /sys/devices/system/cpu/online; CPU 0 if that cannot be read.
std::vector<CpuId> OnlineCpus(const std::string& root);

// Load average over 1 min: tasks that run, wait to run or are in uninterruptible sleep. NaN if unknown.
double ReadLoadAverage(const std::string& root);

}  // namespace corerig
