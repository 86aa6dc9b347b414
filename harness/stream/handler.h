// The handler's main function: one thread per loop of the plan, each receiving, decoding, checking and matching its
// streams.
#pragma once

#include <span>
#include <string_view>

#include "harness/stream/sensor.h"

namespace corerig {

inline constexpr std::string_view kHandlerVerb = "__handler";  // argv[1]

// Job: the plan as JSON. Descriptors from kFirstRoleFd on: the receiving ends of the plan's streams that have a
// channel, in the plan's order, then the source's slab (read-only) if the plan has a source, then an eventfd and the
// switch of the kernel's trace (or /dev/null) if a stream has a break. Returns the exit status.
int HandlerMain(std::span<const SensorType> sensors);

}  // namespace corerig
