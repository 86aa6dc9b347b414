// corerig with the sensors and workloads of this repository. A rig with your own is this file with your tables.
#include "scenarios/workloads.h"
#include "sensors/sensors.h"
#include "tools/corerig/rig_main.h"

int main(int argc, char** argv) {
  return corerig::RigMain({.sensors = corerig::AllSensors, .workloads = corerig::AllWorkloads}, argc, argv);
}
