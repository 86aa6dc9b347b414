// How large the kernel's buffers for the scheduling trace of a run have to be.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/measure/trace_reader.h"
#include "harness/plan/plan.h"

namespace corerig {

// One for each of `cpus`, the board's: they hold two seconds of what the plan will bring there, should the reader be
// kept from looking, 2 MiB at least and 128 MiB at most; all of them together at most a 32nd of `memory` bytes, unless
// that is less than 2 MiB each.
std::vector<TraceReader::Buffer> TraceBuffers(const Plan& plan, std::span<const CpuId> cpus, std::uint64_t memory);

}  // namespace corerig
