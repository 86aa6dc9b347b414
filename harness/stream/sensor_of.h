// From a stream of the plan to the sensor that serves it, alike for source and handler.
#pragma once

#include <span>

#include "harness/base/result.h"
#include "harness/plan/plan.h"
#include "harness/stream/sensor.h"

namespace corerig {

// The sensor the stream names. Fails if this rig has none of that name.
Result<const SensorType*> SensorOf(std::span<const SensorType> sensors, const StreamPlan& stream);

// Bytes of the largest frame that the stream can send.
std::size_t LargestFrame(const SensorType& sensor, const StreamPlan& stream);

// What the stream's model and decoder are made for; `stream` outlives it.
SensorContext ContextOf(const Plan& plan, const StreamPlan& stream);

}  // namespace corerig
