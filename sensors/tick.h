// The sensor that is none: periodic due times of the loop's own timer, to measure wake-up latency as cyclictest does.
#pragma once

#include "harness/stream/sensor.h"

namespace corerig {

SensorType Tick();

}  // namespace corerig
