#include "sensors/skeleton/pressure_transducer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "sensors/received.h"
#include "sensors/sensor_rules.h"
#include "sensors/sensors.h"

namespace corerig {
namespace {

const SensorType kSensors[] = {PressureTransducer()};
const SensorType& kTransducer = kSensors[0];

// What every sensor keeps. A bias has to be large enough to be seen in steps of 25 Pa.
Wire WireOf(const SensorType&, std::string_view) { return {.bias = 1000, .tolerance = 26}; }
INSTANTIATE_TEST_SUITE_P(Skeleton, EverySensor, testing::ValuesIn(WaysOf(kSensors, &WireOf)), NameOfWay);

// A frame as the data sheet would show it, by hand: number 0x1234, 0x7D00 = 32000 steps of 25 Pa; the CRC is from
// Python's binascii.crc_hqx, which shares nothing with ours. What this sensor alone has is held to it.
constexpr std::uint8_t kGolden[] = {0xA5, 0x5A, 0x12, 0x34, 0x7D, 0x00, 0x15, 0x6F};

std::vector<std::byte> Golden() {
  const auto bytes = std::as_bytes(std::span(kGolden));
  return {bytes.begin(), bytes.end()};
}

TEST(PressureTransducer, ReadsTheFrameOfTheDataSheet) {
  const Received received = Decode(kTransducer, Golden());
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 0x1234u);
  EXPECT_EQ(received.frames[0].value, 800'000);
}

TEST(PressureTransducer, WritesTheFrameOfTheDataSheet) {
  auto context = ContextOf(kTransducer, Rate::Hertz(1000));
  Set(context, "noise", "0");
  // That number with the pressure of sample 0, 0.8 MPa.
  const auto model = kTransducer.make_model(context);
  std::vector<std::byte> bytes(kTransducer.max_frame_size);
  bytes.resize(model->EncodeFalsified(0x1234, {.measurement_of = 0}, bytes).size);
  EXPECT_EQ(bytes, Golden());
}

TEST(PressureTransducer, EveryOneTwoAndThreeFlippedBitsAreFound) {
  const auto flip = [](std::vector<std::byte>& bytes, std::size_t bit) { bytes[bit / 8] ^= std::byte(1 << bit % 8); };
  constexpr std::size_t kBits = sizeof kGolden * 8;
  for (std::size_t a = 0; a < kBits; ++a) {
    for (std::size_t b = a; b < kBits; ++b) {
      for (std::size_t c = b; c < kBits; ++c) {
        auto bytes = Golden();
        flip(bytes, a);
        if (b > a) flip(bytes, b);
        if (c > b) flip(bytes, c);
        ASSERT_TRUE(Decode(kTransducer, bytes).frames.empty()) << a << " " << b << " " << c;
      }
    }
  }
}

TEST(PressureTransducer, TheTruthIsASineAndTheNoiseIsWhiteAndAsLargeAsItIsSaidToBe) {
  const auto model = kTransducer.make_model(ContextOf(kTransducer));
  constexpr int kSamples = 20'000;
  double squares = 0, neighbours = 0, last = 0;
  for (int n = 0; n < kSamples; ++n) {
    const Encoded sent = Encode(kTransducer, *model, n);
    ASSERT_NEAR(sent.frame.value, 8e5 + 3e5 * std::sin(2 * std::numbers::pi * n / 5000), 1e-6);
    const double error = Decode(kTransducer, sent.bytes).frames.at(0).value - sent.frame.value;
    squares += error * error;
    neighbours += error * last;
    last = error;
  }
  // The steps add 25 / sqrt(12) Pa. Five standard deviations of both estimates.
  const double variance = squares / kSamples, expected = 200 * 200 + 25. * 25 / 12;
  EXPECT_NEAR(variance / expected, 1, 5 * std::sqrt(2. / kSamples));
  EXPECT_NEAR(neighbours / kSamples / expected, 0, 5 / std::sqrt(kSamples));
}

TEST(PressureTransducer, NumberWraps) {
  const auto model = kTransducer.make_model(ContextOf(kTransducer));
  EXPECT_EQ(Encode(kTransducer, *model, 65'535).frame.wire_key, 65'535u);
  EXPECT_EQ(Encode(kTransducer, *model, 65'536).frame.wire_key, 0u);
}

TEST(PressureTransducer, IsNoSensorOfCorerigs) {
  for (const SensorType& sensor : AllSensors()) EXPECT_NE(sensor.info.name, kTransducer.info.name);
}

}  // namespace
}  // namespace corerig
