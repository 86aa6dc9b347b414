// A rig of one's own: corerig with one workload more.
#include "scenarios/skeleton/motor_control.h"
#include "scenarios/workloads.h"
#include "sensors/sensors.h"
#include "tools/corerig/rig_main.h"

int main(int argc, char** argv) {
  return corerig::RigMain(
      {.sensors = corerig::AllSensors, .workloads = corerig::AllWorkloadsAnd<corerig::MotorControl>}, argc, argv);
}
