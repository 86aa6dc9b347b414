// The sensors linked into this rig.
//
// To add one: a file of its own in this folder (model, wire format, receiver's check, one SensorType; skeleton/ is one
// to copy, with comments), a row in sensors.cc, an entry in BUILD.
#pragma once

#include <span>

#include "harness/stream/sensor.h"

namespace corerig {

std::span<const SensorType> AllSensors();

}  // namespace corerig
