#include "sensors/sensors.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <vector>

#include "sensors/received.h"
#include "sensors/sensor_rules.h"

namespace corerig {
namespace {

const std::vector<SensorType> kSensors = AllSensors();

Wire WireOf(const SensorType& sensor, std::string_view format) {
  const std::string_view name = sensor.info.name;
  if (name == "microphone") return {.key = Wire::Key::kNone};
  if (name == "rm3100") return {.key = Wire::Key::kMeasurement};
  if (name == "tmp117") return {.key = Wire::Key::kRepeatingMeasurement};
  // Pascals come whole.
  if (name == "ms5611") return {.key = Wire::Key::kRepeatingMeasurement, .bias = 50, .tolerance = 1.5};
  if (name == "recorded") {
    const std::vector<Parameter> file = {{.name = "file", .value = SampleRecording(format)}};
    if (format == "imu-csv") return {.parameters = file};
    // Of a datagram nothing is known; frames may be the same twice in a row.
    return {.key = Wire::Key::kRepeatingMeasurement, .checked = format != "pcap", .parameters = file};
  }
  // Steps of 0.2 m.
  if (name == "vlp16" && format == "position") return {.tolerance = 0.2};
  return {};
}

INSTANTIATE_TEST_SUITE_P(Sensors, EverySensor, testing::ValuesIn(WaysOf(kSensors, &WireOf)), NameOfWay);

TEST(Sensors, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (const SensorType& sensor : kSensors) {
    EXPECT_TRUE(names.insert(sensor.info.name).second) << sensor.info.name;
  }
}

TEST(Sensors, OnlyTickHasNoWire) {
  for (const SensorType& sensor : kSensors) {
    const bool tick = sensor.info.name == "tick";
    EXPECT_EQ(sensor.make_model == nullptr, tick) << sensor.info.name;
    EXPECT_EQ(sensor.make_decoder == nullptr, tick) << sensor.info.name;
    EXPECT_EQ(sensor.info.channels.at(0) == ChannelKind::kTimer, tick) << sensor.info.name;
  }
}

}  // namespace
}  // namespace corerig
