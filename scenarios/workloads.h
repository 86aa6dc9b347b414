// The workloads linked into this rig.
//
// To add one: a file of its own in this folder (the computation, its result, how results merge into a checked answer),
// a row in workloads.cc, an entry in BUILD. skeleton/ is one to copy.
#pragma once

#include <vector>

#include "harness/child/workload.h"

namespace corerig {

std::vector<WorkloadType> AllWorkloads();

// With a rig's own workloads: AllWorkloadsAnd<Mine, Another>.
template <WorkloadType (*... kOwn)()>
std::vector<WorkloadType> AllWorkloadsAnd() {
  auto workloads = AllWorkloads();
  (workloads.push_back(kOwn()), ...);
  return workloads;
}

}  // namespace corerig
