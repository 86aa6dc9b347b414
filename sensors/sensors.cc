#include "sensors/sensors.h"

#include <array>

#include "sensors/bmi088.h"
#include "sensors/can_powertrain.h"
#include "sensors/icm42688p.h"
#include "sensors/tick.h"
#include "sensors/vlp16.h"
#include "sensors/zed_f9p.h"

namespace corerig {

std::span<const SensorType> AllSensors() {
  static const std::array sensors = {
      Tick(), Icm42688p(), Bmi088(), ZedF9p(), Vlp16(), CanPowertrain(),
  };
  return sensors;
}

}  // namespace corerig
