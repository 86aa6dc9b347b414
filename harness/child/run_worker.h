// One worker's work, in whatever model of running: makes the workload, arms, waits for the start, does its units until
// done or told to stop, publishes progress after each unit and the result at the end.
//
// A worker with a fixed number of units stops early only when everything ends; the others when the window is over.
#pragma once

#include <span>
#include <string_view>

#include "harness/child/child_context.h"
#include "harness/child/worker_job.h"
#include "harness/child/workload.h"

namespace corerig {

// A workload of the program's, and what its workers share: null if it has them share nothing.
struct LoadedWorkload {
  const WorkloadType* type = nullptr;
  std::unique_ptr<WorkloadInput> input = {};
};
// Fails if the program has no workload of that name, or its input cannot be loaded; catches what loading throws.
Result<LoadedWorkload> LoadWorkload(std::span<const WorkloadType> workloads, const NamedWorkerJob& job);

// On the calling thread; `context` is this worker's alone. What the workload throws becomes the error.
Status RunWorker(ChildContext& context, const WorkloadType& type, const WorkerJob& job, const WorkloadInput* input,
                 std::span<std::byte> exchange);

}  // namespace corerig
