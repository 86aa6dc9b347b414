// A workload whose workers share an input and count in memory of their group.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

// "test/share": the input is `mib` MiB; a unit reads it and counts itself in the group's memory. Each worker's result
// is its units and the group's count at its end; the merged answer's check fails if a unit of any worker was not
// counted. With load = "throw" the input cannot be loaded, with load = "die" loading kills the process, with load =
// "stop-at-end" it stops its process when it is destroyed; each in a child only.
WorkloadType Share();

}  // namespace corerig
