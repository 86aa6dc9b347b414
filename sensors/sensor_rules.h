// The rules that every sensor keeps, as tests that any table of sensors can be put through: what is sent is received,
// frames are a function of seed and number, keys tell neighbours apart, bytes may come in pieces, damage is survived,
// values stay within what the sensor says of them, nothing is allocated per frame.
//
//   const SensorType kSensors[] = {PressureTransducer()};
//   INSTANTIATE_TEST_SUITE_P(Mine, EverySensor, testing::ValuesIn(WaysOf(kSensors)), NameOfWay);
//
// Each rule is run in each of the sensor's formats, on each of its channels, in frames of one sample and of more. What
// the sensor measures, and what its layout is, only its own test can know.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/stream/sensor.h"

namespace corerig {

// What the rules cannot see of a wire.
struct Wire {
  enum class Key {
    kCountsOrStamps,        // neighbours differ, whatever is measured
    kMeasurement,           // nothing but the measurement tells samples apart, and it is never the same in a row
    kRepeatingMeasurement,  // the same, and it may be
    kNone,                  // nothing does: frames are known by their place in the stream of bytes
  };
  Key key = Key::kCountsOrStamps;
  // A bias to be seen on the wire, in the value's unit, and how far what is read may be from it: the wire's steps.
  double bias = 1, tolerance = 0.05;
  bool checked = true;                     // what is damaged is seen to be
  std::vector<Parameter> parameters = {};  // what a scenario has to say: they have no default
};

// A way a sensor can be streamed.
struct Way {
  const SensorType* sensor;
  std::string_view format;
  ChannelKind channel;
  std::uint32_t batch;
  Wire wire;
};

// Of all but those that have no wire (`tick`). The sensors outlive the tests.
std::vector<Way> WaysOf(std::span<const SensorType> sensors,
                        Wire (*wire_of)(const SensorType& sensor, std::string_view format) = nullptr);

// So that a failure says whose it is: "pressuretransducer_raw_pty_1".
std::string NameOfWay(const testing::TestParamInfo<Way>& info);
void PrintTo(const Way& way, std::ostream* out);

class EverySensor : public testing::TestWithParam<Way> {
 protected:
  const SensorType& sensor() const { return *GetParam().sensor; }
  const Wire& wire() const { return GetParam().wire; }
  bool key_is_measurement() const {
    return wire().key == Wire::Key::kMeasurement || wire().key == Wire::Key::kRepeatingMeasurement;
  }
  bool large() const { return sensor().max_frame_size > 100'000; }
  // So many that frames of many samples, or of half a megabyte, do not take longer than others.
  std::uint64_t Frames(std::uint64_t samples, std::uint64_t least) const;
  SensorContext ContextFor(Rate rate) const;
  SensorContext Context() const { return ContextFor(sensor().info.default_rate); }
};

}  // namespace corerig
