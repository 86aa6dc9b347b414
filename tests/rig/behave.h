// A workload that behaves as its parameter says: to see what becomes of the others.
#pragma once

#include "harness/child/workload.h"

namespace corerig {

// "test/behave": each unit spins for a millisecond of CPU time; with "rest", "hold", "drip" and "family" it sleeps as
// long. At unit `at` of its own count, worker `worker` does `how`: "well" or "rest" (nothing), "segv", "abort",
// "throw", "exit3", "stop" (SIGSTOP to itself), "hang" (sleeps for ever), "spin" (computes for ever), "leak" (1 MiB per
// unit from then on), "hold" (touches `mib` MiB), "drip" (touches 1 MiB more per second from then on), "family"
// (touches `mib` MiB and forks two children that share them with it), "greedy-child" (waits for one that wants 256
// MiB), "orphan" (leaves a daemon of its own behind), "no-result" (exits 0 at once). With how = "wrong" the merged
// answer fails its check; with how = "refuse" the workload cannot be made.
WorkloadType Behave();

}  // namespace corerig
