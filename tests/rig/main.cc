// corerig with a workload more that misbehaves: also the example of a rig with tables of one's own.
#include <vector>

#include "scenarios/workloads.h"
#include "sensors/sensors.h"
#include "tests/rig/behave.h"
#include "tools/corerig/rig_main.h"

int main(int argc, char** argv) {
  std::vector<corerig::WorkloadType> workloads(corerig::AllWorkloads().begin(), corerig::AllWorkloads().end());
  workloads.push_back(corerig::kBehave);
  return corerig::RigMain({.sensors = corerig::AllSensors(), .workloads = workloads}, argc, argv);
}
