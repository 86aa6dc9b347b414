// Workload "montecarlo/pi": points in the unit square, and the share of them that is less than 1 from a corner.
//
// One unit of work is a block of 65536 points. Point p of block b has uniform p of the draws of b in lane 0 as x, in
// lane 1 as y. Points are counted: the answer has the same bits on any CPU.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

inline constexpr std::uint64_t kPointsPerBlock = 65536;

WorkloadType MonteCarloPi();

}  // namespace corerig
