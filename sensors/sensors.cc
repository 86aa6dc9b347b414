#include "sensors/sensors.h"

#include <array>

#include "sensors/camera.h"
#include "sensors/icm42688p.h"
#include "sensors/microphone.h"
#include "sensors/tick.h"
#include "sensors/vlp16.h"
#include "sensors/zed_f9p.h"

namespace corerig {

std::span<const SensorType> AllSensors() {
  static const std::array sensors = {
      Tick(), Icm42688p(), ZedF9p(), Vlp16(), Camera(), Microphone(),
  };
  return sensors;
}

}  // namespace corerig
