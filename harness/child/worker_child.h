// A worker's main function: takes the job from kJobFd, finds its workload in the table, runs units until done or told
// to stop, publishes progress after each unit and the result at the end.
//
// A worker with a fixed number of units stops early only when everything ends; the others when the window is over.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "harness/child/workload.h"

namespace corerig {

inline constexpr std::string_view kWorkerVerb = "__worker";  // argv[1]; argv[2] is the worker's name, for people's ps

// Returns the exit status: 0, or 1 with the reason in the slab (and on stderr, if there is no slab).
int WorkerMain(std::span<const WorkloadType> workloads);

// The job as JSON, as the supervisor writes it and WorkerMain reads it; `workload` goes with it.
std::string WriteWorkerJob(const WorkerJob& job, std::string_view workload);

struct NamedWorkerJob {
  WorkerJob job;
  std::string workload;
};
// The inverse of WriteWorkerJob.
Result<NamedWorkerJob> ReadWorkerJob(std::string_view json);

}  // namespace corerig
