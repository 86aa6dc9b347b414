// A rig of one's own: corerig with one sensor more.
#include <vector>

#include "scenarios/workloads.h"
#include "sensors/sensors.h"
#include "sensors/skeleton/pressure_transducer.h"
#include "tools/corerig/rig_main.h"

int main(int argc, char** argv) {
  std::vector<corerig::SensorType> sensors(corerig::AllSensors().begin(), corerig::AllSensors().end());
  sensors.push_back(corerig::PressureTransducer());
  return corerig::RigMain({.sensors = sensors, .workloads = corerig::AllWorkloads()}, argc, argv);
}
