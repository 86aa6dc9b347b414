// Which core everything runs on.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/plan.h"

namespace corerig {

// "core 0", "cores 0-1", "cores 0-1, 3", as messages name them.
std::string CoresText(const std::vector<CpuId>& cores);

bool Contains(const std::vector<CpuId>& cores, CpuId core);

// The cores of `board` that are not in `used`, in the board's order.
std::vector<CpuId> Without(const std::vector<CpuId>& board, const std::vector<CpuId>& used);

// Where supervisor and keeper disturb least: the first core no worker uses, if possible one that neither source nor
// loop uses; with workers on every core that of the source, else that of the first loop, else the first. Everything
// else of the plan is placed.
CpuId RigCoreOf(const Plan& plan);

}  // namespace corerig
