// The sensors linked into this rig.
//
// To add one: a file of its own in this folder (model, wire format, receiver's check, one SensorType; skeleton/ is one
// to copy, with comments), a row in sensors.cc, an entry in BUILD.
#pragma once

#include <vector>

#include "harness/stream/sensor.h"

namespace corerig {

std::vector<SensorType> AllSensors();

// With a rig's own sensors: AllSensorsAnd<Mine, Another>.
template <SensorType (*... kOwn)()>
std::vector<SensorType> AllSensorsAnd() {
  auto sensors = AllSensors();
  (sensors.push_back(kOwn()), ...);
  return sensors;
}

}  // namespace corerig
