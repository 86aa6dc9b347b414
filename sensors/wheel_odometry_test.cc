#include "sensors/wheel_odometry.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numbers>

#include "sensors/byte_order.h"
#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kOdometry = WheelOdometry();

// By hand: left 10000 = 0x2710, right -10000 = 0xD8F0, 12345 ms = 0x3039; 07^01^10^27^F0^D8^39^30 = 10.
constexpr std::array<std::uint8_t, 11> kGolden = {0xAA, 0x55, 0x07, 0x01, 0x10, 0x27, 0xF0, 0xD8, 0x39, 0x30, 0x10};

std::vector<std::byte> Golden() {
  const auto bytes = std::as_bytes(std::span(kGolden));
  return {bytes.begin(), bytes.end()};
}

TEST(WheelOdometry, ReadsAFrameLaidOutByHand) {
  const Received received = Decode(kOdometry, Golden());
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 12'345u);
  EXPECT_DOUBLE_EQ(received.frames[0].value, 1.0);
  EXPECT_EQ(received.frames[0].end, 11u);
}

TEST(WheelOdometry, EveryFlippedBitIsFound) {
  for (std::size_t bit = 0; bit < 88; ++bit) {
    auto bytes = Golden();
    bytes[bit / 8] ^= std::byte(1 << bit % 8);
    EXPECT_TRUE(Decode(kOdometry, bytes).frames.empty()) << "bit " << bit;
  }
}

TEST(WheelOdometry, TwoFlipsOfOneBitPositionPassBecauseTheCheckIsAnXor) {
  auto bytes = Golden();
  bytes[4] ^= std::byte{1};
  bytes[6] ^= std::byte{1};
  EXPECT_EQ(Decode(kOdometry, bytes).frames.size(), 1u);
}

TEST(WheelOdometry, StartBytesWithinTheDataCostNoFrame) {
  // The end of a frame whose right ticks and stamp read as the head of one, and then another frame, whole.
  auto bytes = Golden();
  for (int i = 0; i < 4; ++i) bytes[6 + i] = bytes[i];
  bytes[10] = std::byte{0x07 ^ 0x01 ^ 0x10 ^ 0x27 ^ 0xAA ^ 0x55 ^ 0x07 ^ 0x01};
  ASSERT_EQ(Decode(kOdometry, bytes).frames.size(), 1u);
  std::vector<std::byte> stream(bytes.begin() + 2, bytes.end());
  const auto golden = Golden();
  stream.insert(stream.end(), golden.begin(), golden.end());
  stream[9 + 4] = std::byte{0x11};
  stream[9 + 10] = std::byte{0x11};
  const Received received = Decode(kOdometry, stream);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].begin, 9u);
  EXPECT_EQ(received.corrupt, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 9}}));
}

// Decodes `seconds` of the stream in order; calls `each` with what was sent and what was received.
template <typename Each>
void ReceiveAll(SensorContext context, std::uint64_t seconds, const Each& each) {
  const auto model = kOdometry.make_model(context);
  const auto decoder = kOdometry.make_decoder(context);
  std::uint64_t offset = 0;
  for (std::uint64_t sequence = 0; sequence < seconds * 50; ++sequence) {
    const Encoded sent = Encode(kOdometry, *model, sequence);
    Received received;
    decoder->Feed(sent.bytes, offset, received);
    offset += sent.bytes.size();
    ASSERT_EQ(received.frames.size(), 1u) << sequence;
    each(sequence, sent, received.frames[0]);
  }
}

TEST(WheelOdometry, DistanceGoesOnWhereTheTicksWrap) {
  std::uint64_t wraps = 0, previous = 0;
  double last = 0;
  ReceiveAll(ContextOf(kOdometry), 100, [&](std::uint64_t, const Encoded& sent, const DecodedFrame& frame) {
    const std::uint64_t ticks = LittleEndian(sent.bytes, 4, 2);
    wraps += ticks + 32'768 < previous;
    previous = ticks;
    EXPECT_NEAR(frame.value, sent.frame.value, 5 * 0.01 * std::sqrt(50) + 1e-4);
    last = frame.value;
  });
  EXPECT_GE(wraps, 6u);
  EXPECT_GT(last, 45);
}

TEST(WheelOdometry, WheelsTurnAsADifferentialDriveOnThatPath) {
  // The speeds of the header, integrated here in steps of 1 ms by the midpoint rule; slip is bounded by six sigma.
  const auto context = ContextOf(kOdometry);
  const auto model = kOdometry.make_model(context);
  double left = 0, right = 0;
  std::int64_t left_ticks = 0, right_ticks = 0;
  const auto unwrap = [](std::int64_t& ticks, std::uint64_t wire) {
    ticks += static_cast<std::int16_t>(static_cast<std::uint16_t>(wire - static_cast<std::uint64_t>(ticks)));
  };
  for (int sequence = 0; sequence <= 60 * 50; ++sequence) {
    const Encoded sent = Encode(kOdometry, *model, sequence);
    unwrap(left_ticks, LittleEndian(sent.bytes, 4, 2));
    unwrap(right_ticks, LittleEndian(sent.bytes, 6, 2));
    ASSERT_NEAR(sent.frame.value, left, 1e-4) << sequence;
    ASSERT_NEAR(left_ticks / 1e4, left, 6 * 0.01 * std::sqrt(std::abs(left)) + 2e-4) << sequence;
    ASSERT_NEAR(right_ticks / 1e4, right, 6 * 0.01 * std::sqrt(std::abs(right)) + 2e-4) << sequence;
    for (int step = 0; step < 20; ++step) {
      const double t = sequence * 0.02 + (step + 0.5) * 0.001;
      const double v = 0.5 + 0.3 * std::sin(2 * std::numbers::pi * t / 20);
      const double w = 0.4 * std::sin(2 * std::numbers::pi * t / 15);
      left += (v - w * 0.2) * 0.001;
      right += (v + w * 0.2) * 0.001;
    }
  }
}

TEST(WheelOdometry, SlipIsOneCentimetreAfterTheFirstMetreAndGrowsWithTheRootOfTheWay) {
  // The variance over 400 robots after 20 s (10 m and what the turning adds) and 80 s, against the way.
  for (const std::uint64_t seconds : {20u, 80u}) {
    double squares = 0, way = 0;
    constexpr int kRobots = 400;
    for (std::uint64_t seed = 0; seed < kRobots; ++seed) {
      auto context = ContextOf(kOdometry);
      context.seed = seed;
      const auto model = kOdometry.make_model(context);
      const Encoded sent = Encode(kOdometry, *model, seconds * 50);
      const auto difference = static_cast<std::int16_t>(static_cast<std::uint16_t>(
          LittleEndian(sent.bytes, 4, 2) - static_cast<std::uint64_t>(std::floor(sent.frame.value * 1e4))));
      squares += difference * 1e-4 * difference * 1e-4;
      way = sent.frame.value;
    }
    EXPECT_NEAR(std::sqrt(squares / kRobots) / (0.01 * std::sqrt(way)), 1, 0.14) << seconds;  // four sigma
  }
}

TEST(WheelOdometry, WheelsSlipIndependently) {
  // After 15 s the robot heads as at first, so both wheels have come equally far: what their ticks differ by is slip.
  double squares = 0, way = 0;
  constexpr int kRobots = 400;
  for (std::uint64_t seed = 0; seed < kRobots; ++seed) {
    auto context = ContextOf(kOdometry);
    context.seed = seed;
    const Encoded sent = Encode(kOdometry, *kOdometry.make_model(context), 15 * 50);
    const auto difference = static_cast<std::int16_t>(
        static_cast<std::uint16_t>(LittleEndian(sent.bytes, 4, 2) - LittleEndian(sent.bytes, 6, 2)));
    squares += difference * 1e-4 * difference * 1e-4;
    way = sent.frame.value;
  }
  EXPECT_NEAR(std::sqrt(squares / kRobots) / (0.01 * std::sqrt(2 * way)), 1, 0.14);  // four sigma
}

TEST(WheelOdometry, StampIsTheSensorsOwnClockInMillisecondsAndWraps) {
  auto context = ContextOf(kOdometry);
  context.clock_offset = std::chrono::milliseconds(65'530);
  const auto model = kOdometry.make_model(context);
  EXPECT_EQ(Encode(kOdometry, *model, 0).frame.wire_key, 65'530u);
  EXPECT_EQ(Encode(kOdometry, *model, 1).frame.wire_key, 65'550u - 65'536u);
}

}  // namespace
}  // namespace corerig
