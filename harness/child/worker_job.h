// What a worker's process is handed as its job, written by the supervisor and read by the child: lines "KEY LENGTH
// VALUE". Not JSON: to parse that takes a worker longer than all else that it does before it is armed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/base/policy.h"
#include "harness/base/units.h"
#include "harness/child/workload.h"

namespace corerig {

// `workload` goes with the job.
std::string WriteWorkerJob(const WorkerJob& job, std::string_view workload);

struct NamedWorkerJob {
  WorkerJob job;
  std::string workload;
};
// The inverse of WriteWorkerJob.
Result<NamedWorkerJob> ReadWorkerJob(std::string_view text);

// The workers of a group as threads of one process: worker 0's job, and how each of them is scheduled.
struct ThreadGroupJob {
  NamedWorkerJob first;
  std::vector<std::vector<CpuId>> cores;  // of worker i
  Policy policy = {};
};
std::string WriteThreadGroupJob(const ThreadGroupJob& group);
Result<ThreadGroupJob> ReadThreadGroupJob(std::string_view text);

}  // namespace corerig
