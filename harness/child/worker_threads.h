// A group of workers as threads of one process: its main function.
//
// The process loads the workload's input once and starts a thread per worker, each pinned and scheduled as its own
// process would be, with a slab of its own. One that cannot go on says so in its slab, and the others go on; one that
// crashes ends them all. The process ends when all of them are done.
#pragma once

#include <span>
#include <string_view>

#include "harness/child/worker_job.h"

namespace corerig {

inline constexpr std::string_view kThreadsVerb = "__threads";  // argv[1]; argv[2] is the group's name, for people's ps

// Descriptors: the memory the group exchanges (kExchangeFd; /dev/null where it exchanges nothing), then a slab per
// worker.
inline constexpr int kFirstThreadSlabFd = 8;

// Returns the exit status: 0, also if a worker failed; or 1 with the reason in the process's slab.
int ThreadsMain(std::span<const WorkloadType> workloads);

}  // namespace corerig
