#include "sensors/sensors.h"

#include <array>

#include "sensors/icm42688p.h"
#include "sensors/ld06.h"
#include "sensors/ms5611.h"
#include "sensors/rm3100.h"
#include "sensors/tick.h"
#include "sensors/tmp117.h"
#include "sensors/vlp16.h"
#include "sensors/wheel_odometry.h"
#include "sensors/zed_f9p.h"

namespace corerig {

std::span<const SensorType> AllSensors() {
  static const std::array sensors = {
      Tick(), Icm42688p(), ZedF9p(), Vlp16(), Rm3100(), Ms5611(), Tmp117(), WheelOdometry(), Ld06(),
  };
  return sensors;
}

}  // namespace corerig
