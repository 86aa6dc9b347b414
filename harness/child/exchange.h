// The memory that the workers of a group exchange something through: a sealed memfd, mapped by each of their processes.
#pragma once

#include <cstddef>
#include <span>

#include "harness/child/workload.h"
#include "harness/os/shared_memory.h"

namespace corerig {

// How many bytes the group of this job exchanges; 0: nothing.
std::size_t ExchangeSize(const WorkloadType& type, const WorkerJob& job);

// Maps the group's exchange from descriptor `fd`, which a group has that exchanges something; else an empty mapping.
Result<Mapping> MapExchange(const WorkloadType& type, const WorkerJob& job, int fd);

}  // namespace corerig
