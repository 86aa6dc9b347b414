// A worker's main function, as a process of its own: takes the job from kJobFd, finds its workload in the table and
// runs it (run_worker.h).
#pragma once

#include <span>
#include <string_view>

#include "harness/child/worker_job.h"

namespace corerig {

inline constexpr std::string_view kWorkerVerb = "__worker";  // argv[1]; argv[2] is the worker's name, for people's ps

// Descriptors of a worker: the memory its group exchanges, if it does.
inline constexpr int kExchangeFd = 7;

// Returns the exit status: 0, or 1 with the reason in the slab (and on stderr, if there is no slab).
int WorkerMain(std::span<const WorkloadType> workloads);

// Likewise, of a worker that was forked with its input in memory; null: it has none.
int ForkedWorkerMain(const WorkloadType& type, const WorkloadInput* input);

}  // namespace corerig
