#include "sensors/can_powertrain.h"

#include <gtest/gtest.h>
#include <linux/can.h>

#include <cmath>
#include <cstring>
#include <map>
#include <string_view>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kBus = CanPowertrain();

can_frame FrameOf(const std::vector<std::byte>& bytes) {
  can_frame frame;
  EXPECT_EQ(bytes.size(), sizeof frame);
  std::memcpy(&frame, bytes.data(), sizeof frame);
  return frame;
}

std::vector<Nanos> PatternAt(Rate rate, std::string_view bitrate = "500000") {
  StreamPlan stream;
  stream.rate = rate;
  stream.parameters = {{"bitrate", std::string(bitrate)}};
  const auto pattern = kBus.info.pattern(stream);
  EXPECT_TRUE(pattern) << pattern.error().message;
  return pattern.value_or(std::vector<Nanos>());
}

TEST(Crc8J1850, GivesTheCatalogueCheckValue) { EXPECT_EQ(Crc8J1850(AsBytes("123456789")), 0x4B); }

// Bit by bit, as SAE J1850 defines it.
TEST(Crc8J1850, IsTheRemainderOfADivisionByHand) {
  for (std::uint64_t round = 0; round < 200; ++round) {
    const auto words = RandomWords(3, StreamId("crc"), round);
    std::vector<std::byte> bytes(1 + words[0] % 16);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(RandomWords(4, 0, round, i)[0]);
    unsigned crc = 0xFF;
    for (const std::byte byte : bytes) {
      for (int bit = 7; bit >= 0; --bit) {
        const bool top = ((crc >> 7) & 1) != (std::to_integer<unsigned>(byte) >> bit & 1);
        crc = (crc << 1 & 0xFF) ^ (top ? 0x1D : 0);
      }
    }
    EXPECT_EQ(Crc8J1850(bytes), crc ^ 0xFF) << round;
  }
}

TEST(CanPowertrain, SixMessagesComeEvery10MillisecondsAndSixEvery20WithCountersThatGoOn) {
  const auto model = kBus.make_model(ContextOf(kBus));
  std::map<canid_t, std::vector<unsigned>> counters;
  for (std::uint64_t n = 0; n < 900; ++n) {
    const can_frame frame = FrameOf(Encode(kBus, *model, n).bytes);
    EXPECT_EQ(frame.len, 8);
    counters[frame.can_id].push_back(frame.data[1]);
  }
  ASSERT_EQ(counters.size(), 12u);
  int fast = 0;
  for (const auto& [id, seen] : counters) {
    EXPECT_TRUE(seen.size() == 100 || seen.size() == 50) << id << " came " << seen.size() << " times in a second";
    fast += seen.size() == 100;
    for (std::size_t i = 1; i < seen.size(); ++i) EXPECT_EQ(seen[i], (seen[i - 1] + 1) % 16) << id;
  }
  EXPECT_EQ(fast, 6);
}

// The oracle is a bus that is played through in steps of a microsecond for five cycles.
TEST(CanPowertrain, TheBusSendsTheLowestIdentifierOfThoseThatWait) {
  struct Queued {
    canid_t id;
    int period, after;  // us
  };
  constexpr Queued kUnits[] = {{0x0A0, 10000, 0},   {0x0B0, 10000, 0},    {0x0C4, 10000, 150}, {0x0E0, 10000, 150},
                               {0x120, 10000, 200}, {0x140, 10000, 500},  {0x1A0, 20000, 0},   {0x220, 20000, 150},
                               {0x280, 20000, 0},   {0x320, 20000, 2000}, {0x3D0, 20000, 500}, {0x440, 20000, 2000}};
  for (const int bits_per_second : {500'000, 250'000, 135'000}) {
    const int frame = 135 * 1'000'000 / bits_per_second;  // us, whole for these
    std::vector<std::pair<canid_t, int>> expected;        // and when the last bit is out, of the last cycle
    std::map<canid_t, int> waiting;
    int busy_until = 0;
    for (int now = 0; now < 5 * 20'000; ++now) {
      for (const Queued& unit : kUnits) waiting[unit.id] += now >= unit.after && (now - unit.after) % unit.period == 0;
      if (now < busy_until) continue;
      for (auto& [id, count] : waiting) {
        if (count == 0) continue;
        --count;
        busy_until = now + frame;
        if (busy_until >= 4 * 20'000 && busy_until < 5 * 20'000) expected.emplace_back(id, busy_until - 4 * 20'000);
        break;
      }
    }
    const auto pattern = PatternAt(kBus.info.default_rate, std::to_string(bits_per_second));
    SensorContext context = ContextOf(kBus);
    Set(context, "bitrate", std::to_string(bits_per_second));
    const auto model = kBus.make_model(context);
    ASSERT_EQ(pattern.size(), 18u);
    ASSERT_EQ(expected.size(), 18u);
    for (std::size_t i = 0; i < 18; ++i) {
      EXPECT_EQ(FrameOf(Encode(kBus, *model, 180 + i).bytes).can_id, expected[i].first) << bits_per_second << " " << i;
      EXPECT_EQ(pattern[i].count(), expected[i].second * 1000) << bits_per_second << " " << i;
    }
  }
}

TEST(CanPowertrain, ALowerRateStretchesThePeriodsAndNotTheFrames) {
  const auto usual = PatternAt(Rate::Hertz(900)), slow = PatternAt(Rate::Hertz(450));
  EXPECT_EQ(usual[0], slow[0]);  // a frame's length
  EXPECT_LT(usual.back(), Nanos(20'000'000));
  EXPECT_GT(slow.back(), Nanos(20'000'000));
  EXPECT_LT(slow.back(), Nanos(40'000'000));
}

TEST(CanPowertrain, MoreThanTheBusCarriesIsRefused) {
  StreamPlan stream;
  stream.rate = Rate::Hertz(900);
  stream.parameters = {{"bitrate", "121000"}};
  const auto pattern = kBus.info.pattern(stream);
  ASSERT_FALSE(pattern);
  EXPECT_EQ(
      pattern.error().message,
      "a bus of 121000 bit/s carries at most 896 frames per second, of 135 bits each; lower rate, or raise bitrate");
}

TEST(CanPowertrain, AnyOneOrTwoFlippedBitsAndShortBurstsAreFound) {
  const auto model = kBus.make_model(ContextOf(kBus));
  const auto good = Encode(kBus, *model, 7).bytes;
  ASSERT_EQ(Decode(kBus, good).frames.size(), 1u);
  const auto flipped = [](std::vector<std::byte> bytes, std::initializer_list<std::size_t> bits) {
    for (const std::size_t bit : bits) bytes[bit / 8] ^= std::byte(1 << bit % 8);
    return bytes;
  };
  // Of the data, and of the identifier's eleven bits; those of the length are no secret to the receiver either.
  std::vector<std::size_t> bits;
  for (std::size_t bit = 0; bit < 11; ++bit) bits.push_back(bit);
  for (std::size_t bit = 64; bit < 128; ++bit) bits.push_back(bit);
  for (const std::size_t a : bits) {
    EXPECT_TRUE(Decode(kBus, flipped(good, {a})).frames.empty()) << a;
    for (const std::size_t b : bits) {
      if (b <= a) continue;
      EXPECT_TRUE(Decode(kBus, flipped(good, {a, b})).frames.empty()) << a << " " << b;
    }
  }
  // The CRC's bits run from the highest of a byte to the lowest.
  for (std::size_t first = 8 * 9; first + 8 <= 128; ++first) {
    for (unsigned burst = 1; burst < 256; burst += 2) {
      auto bytes = good;
      for (std::size_t k = 0; k < 8; ++k) {
        const std::size_t bit = first + k;
        if ((burst >> k & 1) != 0) bytes[bit / 8] ^= std::byte(0x80 >> bit % 8);
      }
      EXPECT_TRUE(Decode(kBus, bytes).frames.empty()) << first << " " << burst;
    }
  }
  for (std::size_t bit = 32; bit < 40; ++bit) EXPECT_TRUE(Decode(kBus, flipped(good, {bit})).frames.empty()) << bit;
}

TEST(CanPowertrain, AFrameOfAnotherSizeIsCorrupt) {
  const auto model = kBus.make_model(ContextOf(kBus));
  auto bytes = Encode(kBus, *model, 0).bytes;
  bytes.push_back(std::byte{0});
  EXPECT_EQ(Decode(kBus, bytes).corrupt.size(), 1u);
  bytes.resize(15);
  EXPECT_EQ(Decode(kBus, bytes).corrupt.size(), 1u);
}

// Signals of several messages that belong together: the wheels' mean is the speed, yaw is their difference over the
// track, and the battery's message reads as volts.
TEST(CanPowertrain, SignalsOfDifferentMessagesAgreeWithEachOther) {
  const auto model = kBus.make_model(ContextOf(kBus));
  const auto physical = [](const can_frame& frame, int signal, double scale, double offset) {
    return (frame.data[2 + 2 * signal] | frame.data[3 + 2 * signal] << 8) * scale + offset;
  };
  double left = NAN, right = NAN, yaw = NAN, volts = NAN;
  int compared = 0;
  for (std::uint64_t n = 0; n < 9000; ++n) {
    const can_frame frame = FrameOf(Encode(kBus, *model, n).bytes);
    if (frame.can_id == 0x0C4) {
      left = physical(frame, 0, 0.002, 0);
      right = physical(frame, 1, 0.002, 0);
      EXPECT_NEAR((left + right) / 2, physical(frame, 2, 0.002, 0), 0.05);
    }
    if (frame.can_id == 0x220) yaw = physical(frame, 0, 0.01, -300);
    if (frame.can_id == 0x320) volts = physical(frame, 0, 0.001, 0);
    if (std::isnan(left) || std::isnan(yaw) || std::isnan(volts)) continue;
    constexpr double kDegreesPerRadian = 57.29577951308232;
    // They were taken up to 20 ms apart.
    EXPECT_NEAR((right - left) / 1.55 * kDegreesPerRadian, yaw, 1.0) << n;
    EXPECT_NEAR(volts, 14.1, 0.3);
    ++compared;
  }
  EXPECT_GT(compared, 8000);
}

}  // namespace
}  // namespace corerig
