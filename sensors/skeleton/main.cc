// A rig of one's own: corerig with one sensor more.
#include "scenarios/workloads.h"
#include "sensors/sensors.h"
#include "sensors/skeleton/pressure_transducer.h"
#include "tools/corerig/rig_main.h"

int main(int argc, char** argv) {
  return corerig::RigMain(
      {.sensors = corerig::AllSensorsAnd<corerig::PressureTransducer>, .workloads = corerig::AllWorkloads}, argc, argv);
}
