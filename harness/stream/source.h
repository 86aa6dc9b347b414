// The source's main function: one thread that emits every stream of the plan at absolute due times.
#pragma once

#include <span>
#include <string_view>

#include "harness/stream/sensor.h"

namespace corerig {

inline constexpr std::string_view kSourceVerb = "__source";  // argv[1]

// Job: the plan as JSON. Descriptors from kFirstRoleFd on: the sending ends of the plan's streams that have a channel,
// in the plan's order, then the sockets of those whose receivers answer by datagrams, then, if WaitsForHandler(plan),
// the handler's slab. Returns the exit status.
int SourceMain(std::span<const SensorType> sensors);

}  // namespace corerig
