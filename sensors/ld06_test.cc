#include "sensors/ld06.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "sensors/byte_order.h"
#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kScanner = Ld06();
constexpr double kTwoPi = 2 * std::numbers::pi;

// The example packet of the development manual: 2152 degrees per second, 324.27 to 334.70 degrees, 224 to 192 mm, 6714
// ms.
constexpr std::uint8_t kManual[] = {0x54, 0x2C, 0x68, 0x08, 0xAB, 0x7E, 0xE0, 0x00, 0xE4, 0xDC, 0x00, 0xE2,
                                    0xD9, 0x00, 0xE5, 0xD5, 0x00, 0xE3, 0xD3, 0x00, 0xE4, 0xD0, 0x00, 0xE9,
                                    0xCD, 0x00, 0xE4, 0xCA, 0x00, 0xE2, 0xC7, 0x00, 0xE9, 0xC5, 0x00, 0xE5,
                                    0xC2, 0x00, 0xE5, 0xC0, 0x00, 0xE5, 0xBE, 0x82, 0x3A, 0x1A, 0x50};

// What a real one sent with a hand before it, as its owner published it: no point came back.
constexpr std::uint8_t kBlind[] = {0x54, 0x2C, 0x74, 0x08, 0xB0, 0x86, 0x00, 0x00, 0xD4, 0x00, 0x00, 0xD4,
                                   0x00, 0x00, 0xD4, 0x00, 0x00, 0xD4, 0x00, 0x00, 0xD4, 0x00, 0x00, 0xD5,
                                   0x00, 0x00, 0xD5, 0x00, 0x00, 0x49, 0x00, 0x00, 0x5F, 0x00, 0x00, 0xB0,
                                   0x00, 0x00, 0xD2, 0x00, 0x00, 0xD4, 0x02, 0x89, 0x1E, 0x09, 0x1F};

std::vector<std::byte> BytesOf(std::span<const std::uint8_t> packet) {
  const auto bytes = std::as_bytes(packet);
  return {bytes.begin(), bytes.end()};
}

TEST(Ld06, ReadsTheExamplePacketOfTheManual) {
  const Received received = Decode(kScanner, BytesOf(kManual));
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 6714u);
  EXPECT_DOUBLE_EQ(received.frames[0].value, 0.192);
  EXPECT_EQ(received.frames[0].end, 47u);
}

TEST(Ld06, ReadsAPacketOfARealScannerInWhichNothingCameBack) {
  const Received received = Decode(kScanner, BytesOf(kBlind));
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 2334u);
  EXPECT_EQ(received.frames[0].value, 0);
}

TEST(Ld06, EveryFlippedBitIsFound) {
  for (std::size_t bit = 0; bit < 47 * 8; ++bit) {
    auto bytes = BytesOf(kManual);
    bytes[bit / 8] ^= std::byte(1 << bit % 8);
    EXPECT_TRUE(Decode(kScanner, bytes).frames.empty()) << "bit " << bit;
  }
}

// With the CRC made right by a bit-by-bit division that shares no table with the decoder.
std::vector<std::byte> Closed(std::vector<std::byte> bytes) {
  unsigned crc = 0;
  for (std::size_t i = 0; i < 46; ++i) {
    crc ^= std::to_integer<unsigned>(bytes[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1 ^ (crc & 0x80 ? 0x4D : 0)) & 0xFF;
  }
  bytes[46] = std::byte(crc);
  return bytes;
}

TEST(Ld06, AnAngleBeyondTheCircleOrAStampBeyondItsPeriodIsCorruptInSpiteOfTheCrc) {
  EXPECT_EQ(Closed(BytesOf(kManual)), BytesOf(kManual));
  const auto accepted = [](std::size_t at, unsigned word) {
    auto bytes = BytesOf(kManual);
    bytes[at] = std::byte(word & 0xFF);
    bytes[at + 1] = std::byte(word >> 8);
    return Decode(kScanner, Closed(bytes)).frames.size() == 1;
  };
  for (const std::size_t angle : {4u, 42u}) {
    EXPECT_TRUE(accepted(angle, 35'999));
    EXPECT_FALSE(accepted(angle, 36'000));
  }
  EXPECT_TRUE(accepted(44, 30'000));
  EXPECT_FALSE(accepted(44, 30'001));
}

TEST(Ld06, APacketWithinTheGarbageOfAnotherIsFound) {
  const auto manual = BytesOf(kManual);
  std::vector<std::byte> stream(manual.begin(), manual.begin() + 20);  // cut short
  stream.insert(stream.end(), manual.begin(), manual.end());
  stream.insert(stream.end(), {std::byte{0x54}, std::byte{0x2C}, std::byte{0x54}});
  stream.insert(stream.end(), manual.begin(), manual.end());
  const Received received = Decode(kScanner, stream);
  ASSERT_EQ(received.frames.size(), 2u);
  EXPECT_EQ(received.frames[0].begin, 20u);
  EXPECT_EQ(received.frames[1].begin, 70u);
  EXPECT_EQ(received.corrupt, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 20}, {67, 70}}));
}

TEST(Ld06, PacketsHoldTwelvePointsOfTenTurnsPerSecond) {
  const auto model = kScanner.make_model(ContextOf(kScanner));
  for (std::uint64_t sequence = 0; sequence < 1000; ++sequence) {
    const auto bytes = Encode(kScanner, *model, sequence).bytes;
    ASSERT_EQ(bytes.size(), 47u);
    EXPECT_EQ(LittleEndian(bytes, 2, 2), 3600u);
    // 4500 points in 10 turns: 0.8 degrees each, 9.6 a packet.
    const double first = std::fmod(sequence * 960.0, 36'000), last = std::fmod(sequence * 960.0 + 880, 36'000);
    EXPECT_LE(std::abs(std::remainder(LittleEndian(bytes, 4, 2) - first, 36'000)), 1) << sequence;
    EXPECT_LE(std::abs(std::remainder(LittleEndian(bytes, 42, 2) - last, 36'000)), 1) << sequence;
    ASSERT_EQ(Closed(bytes), bytes) << sequence;
  }
}

TEST(Ld06, StampIsTheLastPointsByTheScannersOwnClockAndStartsAgainAtThirtySeconds) {
  auto context = ContextOf(kScanner);
  EXPECT_EQ(Encode(kScanner, *kScanner.make_model(context), 0).frame.wire_key, 2u);  // 11 / 4500 s
  EXPECT_EQ(Encode(kScanner, *kScanner.make_model(context), 11'249).frame.wire_key, 29'999u);
  EXPECT_EQ(Encode(kScanner, *kScanner.make_model(context), 11'250).frame.wire_key, 2u);
  context.clock_offset = std::chrono::milliseconds(29'999);
  const Encoded sent = Encode(kScanner, *kScanner.make_model(context), 0);
  EXPECT_EQ(sent.frame.wire_key, 1u);
  EXPECT_EQ(LittleEndian(sent.bytes, 44, 2), 1u);
}

// Every point of the wire, put into the room from where the robot was, lies on a wall or on the pillar.
TEST(Ld06, PointsLieOnTheWallsAndThePillarOfTheRoom) {
  const auto model = kScanner.make_model(ContextOf(kScanner));
  int missing = 0, on_pillar = 0, on_wall = 0;
  constexpr int kPackets = 375 * 20;
  for (int sequence = 0; sequence < kPackets; ++sequence) {
    const auto bytes = Encode(kScanner, *model, sequence).bytes;
    const double first = static_cast<double>(LittleEndian(bytes, 4, 2)) / 100;
    const double span = std::fmod(static_cast<double>(LittleEndian(bytes, 42, 2)) / 100 - first + 360, 360);
    for (int i = 0; i < 12; ++i) {
      const double distance = static_cast<double>(LittleEndian(bytes, 6 + 3 * i, 2)) / 1000;
      const unsigned intensity = std::to_integer<unsigned>(bytes[8 + 3 * i]);
      if (distance == 0) {
        EXPECT_EQ(intensity, 0u);
        ++missing;
        continue;
      }
      const double t = (sequence * 12 + i) / 4500.0;
      const double clockwise = (first + span * i / 11) * kTwoPi / 360, direction = kTwoPi * t / 60 - clockwise;
      const double from_x = std::sin(kTwoPi * t / 40), from_y = 0.5 * std::sin(kTwoPi * t / 20);
      const double x = from_x + distance * std::cos(direction), y = from_y + distance * std::sin(direction);
      const double to_pillar = std::abs(std::hypot(x - 1.8, y - 1.2) - 0.2);
      const double to_wall = std::min(std::abs(std::abs(x) - 3), std::abs(std::abs(y) - 2));
      ASSERT_LT(std::min(to_wall, to_pillar), 0.07) << "packet " << sequence << " point " << i << ": " << x << " " << y;
      // Nothing is seen through the pillar: where the ray comes nearest to its axis lies beyond the point, or well
      // beside.
      const double ahead = (1.8 - from_x) * std::cos(direction) + (1.2 - from_y) * std::sin(direction);
      const double beside = (1.8 - from_x) * std::sin(direction) - (1.2 - from_y) * std::cos(direction);
      ASSERT_TRUE(ahead < 0 || ahead > distance || std::abs(beside) > 0.199) << "packet " << sequence << " point " << i;
      ASSERT_LT(std::abs(x), 3.07);
      ASSERT_LT(std::abs(y), 2.07);
      EXPECT_EQ(intensity, to_wall < 0.07 ? 200u : 140u);
      (to_wall < 0.07 ? on_wall : on_pillar) += 1;
    }
  }
  EXPECT_NEAR(missing, kPackets * 12 / 100, 5 * std::sqrt(kPackets * 12 * 0.01));
  EXPECT_GT(on_pillar, 1000);
  EXPECT_GT(on_wall, 50'000);
}

TEST(Ld06, RangeNoiseIsOneCentimetreAndTheValueIsTheLastPointThatCameBack) {
  const auto model = kScanner.make_model(ContextOf(kScanner));
  constexpr int kPackets = 20'000;
  double sum = 0, squares = 0;
  for (int sequence = 0; sequence < kPackets; ++sequence) {
    const Encoded sent = Encode(kScanner, *model, sequence);
    const double error = Decode(kScanner, sent.bytes).frames.at(0).value - sent.frame.value;
    ASSERT_LT(std::abs(error), 0.06) << sequence;
    sum += error;
    squares += error * error;
  }
  EXPECT_NEAR(std::sqrt(squares / kPackets) / std::sqrt(0.01 * 0.01 + 1e-6 / 12), 1, 0.025);
  EXPECT_NEAR(sum / kPackets, 0, 5 * 0.01 / std::sqrt(kPackets));
}

}  // namespace
}  // namespace corerig
