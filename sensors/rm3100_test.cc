#include "sensors/rm3100.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kMagnetometer = Rm3100();

// By hand, at 75 LSB/uT: 20 uT = 1500 = 0x0005DC, -10 uT = -750 = 0xFFFD12, 43.4 uT = 3255 = 0x000CB7.
constexpr std::array<std::uint8_t, 11> kGolden = {0x80, 0x00, 0x05, 0xDC, 0xFF, 0xFD, 0x12, 0x00, 0x0C, 0xB7, 0x22};

std::vector<std::byte> Golden() {
  const auto bytes = std::as_bytes(std::span(kGolden));
  return {bytes.begin(), bytes.end()};
}

double Microtesla(const std::vector<std::byte>& image, std::size_t axis) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < 3; ++i) word = word << 8 | std::to_integer<std::uint32_t>(image[1 + 3 * axis + i]);
  return (word >= 0x800000 ? static_cast<double>(word) - 0x1000000 : static_cast<double>(word)) / 75;
}

bool Accepted(const std::vector<std::byte>& image) { return Decode(kMagnetometer, image).frames.size() == 1; }

TEST(Rm3100, ReadsAnImageLaidOutByHandAsTheManualSays) {
  const Received received = Decode(kMagnetometer, Golden());
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_DOUBLE_EQ(received.frames[0].value, 20);
  EXPECT_EQ(received.frames[0].end, 11u);
  auto negative = Golden();
  std::copy_n(negative.begin() + 4, 3, negative.begin() + 1);
  EXPECT_DOUBLE_EQ(Decode(kMagnetometer, negative).frames.at(0).value, -10);
}

TEST(Rm3100, DataNotReadyAndAnotherRevisionAreCorrupt) {
  auto bytes = Golden();
  bytes[0] = std::byte{0x7F};
  EXPECT_FALSE(Accepted(bytes));
  bytes[0] = std::byte{0xFF};  // bits 0 to 6 are indeterminate
  EXPECT_TRUE(Accepted(bytes));
  for (int bit = 0; bit < 8; ++bit) {
    bytes = Golden();
    bytes[10] ^= std::byte(1 << bit);
    EXPECT_FALSE(Accepted(bytes)) << "bit " << bit;
  }
}

TEST(Rm3100, AFieldBeyondThePartsRangeIsCorruptOnEachAxis) {
  const auto with = [](std::size_t axis, std::uint32_t word) {
    auto bytes = Golden();
    for (std::size_t i = 0; i < 3; ++i) bytes[1 + 3 * axis + i] = static_cast<std::byte>(word >> (16 - 8 * i));
    return bytes;
  };
  for (std::size_t axis = 0; axis < 3; ++axis) {
    EXPECT_TRUE(Accepted(with(axis, 0x00EA60))) << "60000";
    EXPECT_FALSE(Accepted(with(axis, 0x00EA61)));
    EXPECT_TRUE(Accepted(with(axis, 0xFF15A0))) << "-60000";
    EXPECT_FALSE(Accepted(with(axis, 0xFF159F)));
    EXPECT_FALSE(Accepted(with(axis, 0x800000)));
  }
}

TEST(Rm3100, AFlippedBitInAMeasurementPassesWithAKeyThatWasNotSent) {
  auto bytes = Golden();
  bytes[3] ^= std::byte{1};
  const Received received = Decode(kMagnetometer, bytes);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_NE(received.frames[0].wire_key, Decode(kMagnetometer, Golden()).frames.at(0).wire_key);
}

TEST(Rm3100, FieldTurnsWithTheBody) {
  // Level at multiples of 13 s; a turn takes 8 s: north, east, south, west ahead at 0, 26, 52, 78 s.
  const auto model = kMagnetometer.make_model(ContextAt(Rate::Hertz(1)));
  const double x[] = {21.45, 1.5, -21.45, -1.5}, y[] = {1.5, -21.45, -1.5, 21.45};
  for (int quarter = 0; quarter < 4; ++quarter) {
    const auto image = Encode(kMagnetometer, *model, 26 * quarter).bytes;
    EXPECT_NEAR(Microtesla(image, 0), x[quarter], 0.1) << quarter;
    EXPECT_NEAR(Microtesla(image, 1), y[quarter], 0.1) << quarter;
    EXPECT_NEAR(Microtesla(image, 2), 43.4, 0.1) << quarter;
  }
}

TEST(Rm3100, AttitudeChangesTheFieldsDirectionAndNotItsStrength) {
  const auto model = kMagnetometer.make_model(ContextAt(Rate::Hertz(75)));
  double least = 100, most = 0;
  for (std::uint64_t sequence = 0; sequence < 5000; ++sequence) {
    const auto image = Encode(kMagnetometer, *model, sequence).bytes;
    const double x = Microtesla(image, 0), y = Microtesla(image, 1), z = Microtesla(image, 2);
    ASSERT_NEAR(std::sqrt(x * x + y * y + z * z), std::sqrt(21.45 * 21.45 + 1.5 * 1.5 + 43.4 * 43.4), 0.1) << sequence;
    least = std::min(least, z);
    most = std::max(most, z);
  }
  EXPECT_GT(most - least, 7) << "10 degrees of nod turn the horizontal field into the vertical";
}

TEST(Rm3100, NoiseIsFifteenNanoteslaOnEveryAxisWhateverTheRate) {
  for (const int hertz : {10, 75}) {
    const auto context = ContextAt(Rate::Hertz(hertz));
    auto other_context = context;
    other_context.stream_id += 1;
    const auto model = kMagnetometer.make_model(context), other = kMagnetometer.make_model(other_context);
    constexpr int kSamples = 20'000;
    std::array<double, 3> sums = {}, squares = {};
    for (int sequence = 0; sequence < kSamples; ++sequence) {
      const auto first = Encode(kMagnetometer, *model, sequence).bytes;
      const auto second = Encode(kMagnetometer, *other, sequence).bytes;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const double difference = Microtesla(first, axis) - Microtesla(second, axis);
        sums[axis] += difference;
        squares[axis] += difference * difference;
      }
    }
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double expected = std::sqrt(2 * (0.015 * 0.015 + 1 / (75.0 * 75.0) / 12));
      EXPECT_NEAR(std::sqrt(squares[axis] / kSamples) / expected, 1, 0.025) << axis << " at " << hertz;
      EXPECT_NEAR(sums[axis] / kSamples, 0, 5 * expected / std::sqrt(kSamples)) << axis << " at " << hertz;
    }
  }
}

TEST(Rm3100, TheTrueValueIsTheFieldAlongXBeforeNoise) {
  const auto model = kMagnetometer.make_model(ContextAt(Rate::Hertz(75)));
  for (std::uint64_t sequence = 0; sequence < 2000; ++sequence) {
    const Encoded sent = Encode(kMagnetometer, *model, sequence);
    ASSERT_NEAR(Decode(kMagnetometer, sent.bytes).frames.at(0).value, sent.frame.value, 0.1);
  }
}

}  // namespace
}  // namespace corerig
