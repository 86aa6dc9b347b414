#include "tests/oracle/frames.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>

#include "sensors/sensors.h"

namespace corerig {

std::vector<SentFrame> FramesOf(std::string_view sensor, std::string_view format, Rate rate, std::size_t count) {
  const auto sensors = AllSensors();
  const SensorType& type =
      *std::find_if(sensors.begin(), sensors.end(), [&](const SensorType& any) { return any.info.name == sensor; });
  SensorContext context{.seed = 42, .stream_id = 7, .rate = rate, .format = format, .epoch = kOracleEpoch};
  context.channel = type.info.channels.at(0);
  for (const ParameterInfo& info : type.info.parameters) {
    context.parameters.push_back({std::string(info.name), std::string(info.default_value)});
  }
  const auto model = type.make_model(context);
  std::vector<std::byte> room(type.max_frame_size);
  std::vector<SentFrame> frames;
  for (std::uint64_t sequence = 0; sequence < count; ++sequence) {
    const EncodedFrame encoded = model->Encode(sequence, room);
    frames.push_back({.bytes = std::string(reinterpret_cast<const char*>(room.data()), encoded.size),
                      .wire_key = encoded.wire_key,
                      .value = encoded.value,
                      .time = kOracleEpoch + rate.OffsetOf(sequence)});
  }
  return frames;
}

std::string WriteFile(const std::string& name, std::string_view content) {
  const char* const folder = getenv("TEST_TMPDIR");
  const std::string path = std::string(folder == nullptr ? "/tmp" : folder) + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

}  // namespace corerig
