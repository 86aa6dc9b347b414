// The workloads linked into this rig.
//
// To add one: a file of its own in this folder (the computation, its result, how results merge into a checked answer),
// a row in workloads.cc, an entry in BUILD. skeleton/ is one to copy.
#pragma once

#include <span>

#include "harness/child/workload.h"

namespace corerig {

std::span<const WorkloadType> AllWorkloads();

}  // namespace corerig
