#include "harness/stream/sensor_of.h"

#include <algorithm>

#include "harness/base/philox.h"

namespace corerig {

Result<const SensorType*> SensorOf(std::span<const SensorType> sensors, const StreamPlan& stream) {
  const auto found = std::find_if(sensors.begin(), sensors.end(),
                                  [&](const SensorType& sensor) { return sensor.info.name == stream.sensor; });
  if (found == sensors.end()) {
    return Fail("stream ", stream.name, ": this program has no sensor \"", stream.sensor,
                "\"; source, handler and supervisor must be the same program");
  }
  return &*found;
}

std::size_t LargestFrame(const SensorType& sensor, const StreamPlan& stream) {
  return stream.recording ? stream.recording->largest_frame : sensor.max_frame_size;
}

SensorContext ContextOf(const Plan& plan, const StreamPlan& stream) {
  return {.seed = plan.seed,
          .stream_id = StreamId(stream.name),
          .rate = stream.rate,
          .batch = stream.batch,
          .format = stream.format,
          .channel = stream.channel,
          .clock_offset = stream.clock.offset,
          .parameters = stream.parameters,
          .epoch = kSimulatedEpoch};
}

}  // namespace corerig
