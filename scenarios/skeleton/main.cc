// A rig of one's own: corerig with one workload more.
#include <vector>

#include "scenarios/skeleton/motor_control.h"
#include "scenarios/workloads.h"
#include "sensors/sensors.h"
#include "tools/corerig/rig_main.h"

int main(int argc, char** argv) {
  std::vector<corerig::WorkloadType> workloads(corerig::AllWorkloads().begin(), corerig::AllWorkloads().end());
  workloads.push_back(corerig::MotorControl());
  return corerig::RigMain({.sensors = corerig::AllSensors(), .workloads = workloads}, argc, argv);
}
