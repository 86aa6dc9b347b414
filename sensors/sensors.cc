#include "sensors/sensors.h"

#include "sensors/bmi088.h"
#include "sensors/camera.h"
#include "sensors/can_powertrain.h"
#include "sensors/icm42688p.h"
#include "sensors/ld06.h"
#include "sensors/microphone.h"
#include "sensors/ms5611.h"
#include "sensors/recorded.h"
#include "sensors/rm3100.h"
#include "sensors/tick.h"
#include "sensors/tmp117.h"
#include "sensors/vlp16.h"
#include "sensors/wheel_odometry.h"
#include "sensors/zed_f9p.h"

namespace corerig {

std::vector<SensorType> AllSensors() {
  std::vector<SensorType> sensors;
  for (const auto make : {Tick, Icm42688p, Bmi088, Rm3100, Ms5611, Tmp117, ZedF9p, WheelOdometry, Ld06, Vlp16,
                          CanPowertrain, Camera, Microphone, Recorded}) {
    sensors.push_back(make());
  }
  return sensors;
}

}  // namespace corerig
