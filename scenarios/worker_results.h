// What every merge of workers' results checks first: results are untrusted, and so are their senders.
#pragma once

#include <span>

#include "harness/base/result.h"
#include "harness/child/workload.h"

namespace corerig {

// Fails if a result is of no worker of the group, or of one that has sent another. `job` is any of the group's.
Status CheckSenders(const WorkerJob& job, std::span<const WorkerResult> results);

// Also if one is not `size` bytes long, or if there is none at all.
Status CheckResults(const WorkerJob& job, std::span<const WorkerResult> results, std::size_t size);

// "worker load.3": how messages begin that are about one.
std::string NameOf(const WorkerJob& job, const WorkerResult& result);

// Fails if a worker claims more units than were its own; a group without fixed units has no such bound.
Status CheckUnits(const WorkerJob& job, const WorkerResult& result, std::uint64_t units);

}  // namespace corerig
