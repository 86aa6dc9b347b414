// What every merge of workers' results checks first: results are untrusted, and so are their senders.
#pragma once

#include <span>

#include "harness/base/result.h"
#include "harness/child/workload.h"

namespace corerig {

// Fails if a result is of no worker of the group, of one that has sent another, or not `size` bytes long; or if there
// is none at all. `job` is any of the group's.
Status CheckResults(const WorkerJob& job, std::span<const WorkerResult> results, std::size_t size);

// "worker load.3": how messages begin that are about one.
std::string NameOf(const WorkerJob& job, const WorkerResult& result);

}  // namespace corerig
