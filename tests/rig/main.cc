// corerig with a workload more that misbehaves: also the example of a rig with workloads of one's own.
#include <stdlib.h>

#include "scenarios/workloads.h"
#include "sensors/sensors.h"
#include "tests/rig/behave.h"
#include "tests/rig/share.h"
#include "tools/corerig/rig_main.h"

int main(int argc, char** argv) {
  // A test that wants no control groups names a folder without any.
  const char* cgroup_root = getenv("TEST_CGROUP_ROOT");
  return corerig::RigMain({.sensors = corerig::AllSensors,
                           .workloads = corerig::AllWorkloadsAnd<corerig::Behave, corerig::Share>,
                           .cgroup_root = cgroup_root == nullptr ? "" : cgroup_root},
                          argc, argv);
}
