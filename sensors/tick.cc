#include "sensors/tick.h"

namespace corerig {

SensorType Tick() {
  return {.info = {.name = "tick",
                   .about = "the loop's own timer and no wire: wake-up latency, as cyclictest measures it",
                   .default_rate = Rate::Hertz(1000),
                   .highest_rate = Rate::Hertz(10'000),
                   .channels = {ChannelKind::kTimer},
                   .formats = {}},
          .max_frame_size = 0,
          .value_unit = "",
          .make_model = nullptr,
          .make_decoder = nullptr};
}

}  // namespace corerig
