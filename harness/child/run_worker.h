// One worker's work, in whatever model of running: makes the workload, arms, waits for the start, does its units until
// done or told to stop, publishes progress after each unit and the result at the end.
//
// A worker with a fixed number of units stops early only when everything ends; the others when the window is over.
#pragma once

#include <span>
#include <string_view>

#include "harness/child/child_context.h"
#include "harness/child/workload.h"

namespace corerig {

// The row of that name, or an error.
Result<const WorkloadType*> FindWorkload(std::span<const WorkloadType> workloads, std::string_view name);

// What `type` has its workers share; null if it has them share nothing. Catches what it throws.
Result<std::unique_ptr<WorkloadInput>> LoadInput(const WorkloadType& type, const WorkerJob& job);

// On the calling thread; `context` is this worker's alone. What the workload throws becomes the error.
Status RunWorker(ChildContext& context, const WorkloadType& type, const WorkerJob& job, const WorkloadInput* input,
                 std::span<std::byte> exchange);

}  // namespace corerig
