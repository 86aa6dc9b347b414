#include "sensors/icm42688p.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kImu = Icm42688p();

// Header; accel x = 1 g, y = -1 g, z = 2 g; gyro 100, -100 and 0.0 dps; 25 degC; stamp 0xABCD. By hand from DS-000347:
// 1 g = 2048 = 0x0800, -2048 = 0xF800; 100 dps = 1640 = 0x0668, -1640 = 0xF998.
constexpr std::array<std::uint8_t, 16> kGolden = {0x68, 0x08, 0x00, 0xF8, 0x00, 0x10, 0x00, 0x06,
                                                  0x68, 0xF9, 0x98, 0x00, 0x00, 0x00, 0xAB, 0xCD};

std::vector<std::byte> Golden() {
  const auto bytes = std::as_bytes(std::span(kGolden));
  return {bytes.begin(), bytes.end()};
}

int Word(const std::vector<std::byte>& bytes, std::size_t at) {
  return static_cast<std::int16_t>(std::to_integer<int>(bytes[at]) << 8 | std::to_integer<int>(bytes[at + 1]));
}

TEST(Icm42688p, ReadsAPacketLaidOutByHandAsTheDataSheetSays) {
  const Received received = Decode(kImu, Golden());
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 0xABCDu);
  EXPECT_DOUBLE_EQ(received.frames[0].value, 2 * 9.80665);
  EXPECT_EQ(received.frames[0].begin, 0u);
  EXPECT_EQ(received.frames[0].end, 16u);
}

TEST(Icm42688p, EveryFlippedHeaderBitIsCorrupt) {
  for (int bit = 0; bit < 8; ++bit) {
    auto bytes = Golden();
    bytes[0] ^= std::byte(1 << bit);
    const Received received = Decode(kImu, bytes);
    EXPECT_TRUE(received.frames.empty()) << "bit " << bit;
    EXPECT_EQ(received.corrupt, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 16}})) << "bit " << bit;
  }
}

TEST(Icm42688p, InvalidSampleCodeOnAnyAxisIsCorrupt) {
  for (std::size_t at = 1; at < 13; at += 2) {
    for (const int low : {0x00, 0x01}) {  // -32768 and -32767; -32766 is the lowest sample there is
      auto bytes = Golden();
      bytes[at] = std::byte{0x80};
      bytes[at + 1] = std::byte(low);
      EXPECT_TRUE(Decode(kImu, bytes).frames.empty()) << "byte " << at << ", low " << low;
      bytes[at + 1] = std::byte{0x02};
      EXPECT_EQ(Decode(kImu, bytes).frames.size(), 1u) << "byte " << at;
    }
  }
}

TEST(Icm42688p, AnotherLengthIsCorrupt) {
  auto longer = Golden();
  longer.push_back(std::byte{0});
  EXPECT_TRUE(Decode(kImu, longer).frames.empty());
  auto shorter = Golden();
  shorter.pop_back();
  EXPECT_TRUE(Decode(kImu, shorter).frames.empty());
}

TEST(Icm42688p, AFlippedBitInAMeasurementPassesBecauseTheWireHasNoChecksum) {
  auto bytes = Golden();
  bytes[6] ^= std::byte{1};  // accel z
  const Received received = Decode(kImu, bytes);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_DOUBLE_EQ(received.frames[0].value, 4097.0 / 2048 * 9.80665);
}

TEST(Icm42688p, StampCountsSixteenMicrosecondsAndWraps) {
  const auto model = kImu.make_model(ContextOf(kImu, Rate::Hertz(1000)));
  EXPECT_EQ(Encode(kImu, *model, 0).frame.wire_key, 0u);
  EXPECT_EQ(Encode(kImu, *model, 1).frame.wire_key, 62u);  // 1000 us / 16 = 62.5
  EXPECT_EQ(Encode(kImu, *model, 2).frame.wire_key, 125u);
  EXPECT_EQ(Encode(kImu, *model, 1048).frame.wire_key, 65500u);
  EXPECT_EQ(Encode(kImu, *model, 1049).frame.wire_key, 65562u - 65536u);
  const Encoded encoded = Encode(kImu, *model, 1048);
  EXPECT_EQ(static_cast<std::uint16_t>(Word(encoded.bytes, 14)), 65500u);
}

// The noise of one axis is what differs between two streams at the same time, less their constant offsets: the motion
// is the same. Its standard deviation is sqrt(2) * sqrt((density^2 * rate / 2) + LSB^2 / 12).
struct Axis {
  const char* name;
  std::size_t at;
  double density, lsb;
};

class Noise : public testing::TestWithParam<std::tuple<Axis, int>> {};

INSTANTIATE_TEST_SUITE_P(
    Axes, Noise,
    testing::Combine(testing::Values(Axis{"accel_x", 1, 65e-6, 1 / 2048.0}, Axis{"accel_y", 3, 65e-6, 1 / 2048.0},
                                     Axis{"accel_z", 5, 70e-6, 1 / 2048.0}, Axis{"gyro_x", 7, 2.8e-3, 1 / 16.4},
                                     Axis{"gyro_y", 9, 2.8e-3, 1 / 16.4}, Axis{"gyro_z", 11, 2.8e-3, 1 / 16.4}),
                     testing::Values(1000, 8000)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) + "_" + std::to_string(std::get<1>(info.param));
    });

TEST_P(Noise, HasTheDensityOfTheDataSheetOverHalfTheRate) {
  const auto& [axis, hertz] = GetParam();
  const auto context = ContextOf(kImu, Rate::Hertz(hertz));
  auto other_context = context;
  other_context.stream_id += 1;
  const auto model = kImu.make_model(context), other = kImu.make_model(other_context);
  // Differences of neighbours take out offsets and the slow drift; they double the variance once more.
  constexpr int kSamples = 30'000;
  double previous = 0, sum = 0, squares = 0;
  for (int sequence = 0; sequence <= kSamples; ++sequence) {
    const double difference =
        (Word(Encode(kImu, *model, sequence).bytes, axis.at) - Word(Encode(kImu, *other, sequence).bytes, axis.at)) *
        axis.lsb;
    if (sequence > 0) {
      sum += difference - previous;
      squares += (difference - previous) * (difference - previous);
    }
    previous = difference;
  }
  const double measured = std::sqrt(squares / kSamples) / 2;
  const double expected = std::sqrt(axis.density * axis.density * hertz / 2 + axis.lsb * axis.lsb / 12);
  EXPECT_NEAR(measured / expected, 1, 0.02) << measured << " against " << expected;
}

TEST(Icm42688p, MeasuredIsTrueWithinOffsetDriftAndNoise) {
  const auto model = kImu.make_model(ContextOf(kImu, Rate::Hertz(1000)));
  // 20 mg offset, 0.15 mg/degC over at most 20 degC, 0.5 % of 1.05 g, 1 % of what x and y have, 6 standard deviations
  // of 1.565 mg, half a LSB of 0.49 mg.
  constexpr double kMost = (20e-3 + 0.15e-3 * 20 + 0.005 * 1.05 + 0.01 * 0.15 + 6 * 1.565e-3 + 0.25e-3) * 9.80665;
  double worst = 0, lowest = 100, highest = -100;
  for (std::uint64_t sequence = 0; sequence < 20'000; ++sequence) {
    const Encoded encoded = Encode(kImu, *model, sequence);
    worst = std::max(worst, std::abs(Decode(kImu, encoded.bytes).frames.at(0).value - encoded.frame.value));
    lowest = std::min(lowest, encoded.frame.value);
    highest = std::max(highest, encoded.frame.value);
  }
  EXPECT_LT(worst, kMost);
  EXPECT_GT(highest - lowest, 0.5) << "the drone does not move";
  EXPECT_NEAR((highest + lowest) / 2, 9.80665, 0.2) << "hovering is 1 g";
}

TEST(Icm42688p, AngularRateIsTheDerivativeOfTheAttitudeThatGravityShows) {
  // Roll from gravity at two times 100 ms apart against the integral of the measured rate between them; offsets of
  // 0.5 dps and 20 mg (1.2 degrees) bound the difference.
  const auto model = kImu.make_model(ContextOf(kImu, Rate::Hertz(1000)));
  const auto roll = [&](std::uint64_t sequence) {
    const auto bytes = Encode(kImu, *model, sequence).bytes;
    return std::atan2(Word(bytes, 3), Word(bytes, 5)) * 180 / M_PI;
  };
  for (const std::uint64_t begin : {0u, 500u, 1000u, 1900u}) {
    double integral = 0;
    for (std::uint64_t sequence = begin; sequence < begin + 100; ++sequence) {
      integral += Word(Encode(kImu, *model, sequence).bytes, 7) / 16.4 * 1e-3;
    }
    EXPECT_NEAR(roll(begin + 100) - roll(begin), integral, 0.8) << "from sample " << begin;
  }
}

TEST(Icm42688p, OffsetsDifferBetweenPartsWithinTheTolerance) {
  // The mean over whole periods of the motion is offset and slow drift alone; x has no constant part.
  std::vector<double> offsets;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto model = kImu.make_model(ContextOf(kImu, Rate::Hertz(100), seed));
    double sum = 0;
    for (int sequence = 0; sequence < 1000; ++sequence) sum += Word(Encode(kImu, *model, sequence).bytes, 7) / 16.4;
    offsets.push_back(sum / 1000);
    EXPECT_LT(std::abs(offsets.back()), 0.5 + 0.005 * 12 + 0.02);
  }
  const auto [least, most] = std::minmax_element(offsets.begin(), offsets.end());
  EXPECT_GT(*most - *least, 0.2);
}

TEST(Icm42688p, TemperatureStaysNearRoomTemperatureAndVariesSlowly) {
  const auto model = kImu.make_model(ContextOf(kImu, Rate::Hertz(1000)));
  const auto celsius = [&](std::uint64_t second) {
    return static_cast<std::int8_t>(Encode(kImu, *model, second * 1000).bytes[13]) / 2.07 + 25;
  };
  for (std::uint64_t second = 0; second < 300; ++second) {
    EXPECT_NEAR(celsius(second), 25, 15) << second;
    EXPECT_NEAR(celsius(second + 1), celsius(second), 2.5) << second;
  }
}

SensorContext ContextWith(Rate rate, std::uint32_t batch, std::string_view format, ChannelKind channel) {
  SensorContext context = ContextOf(kImu, rate);
  context.batch = batch;
  context.format = format;
  context.channel = channel;
  return context;
}

// Scan of accel 1 g = 2048, -1 g, 2 g; gyro 100 dps = 1640, -100 dps, 0; padding; 2026-03-14 15:09:26.535 UTC =
// 1773500966535000000 ns = 0x189CBDBB8F216FC0. By hand from the kernel's iio_devbuf.rst and the scales of DS-000347.
constexpr std::array<std::uint8_t, 24> kGoldenScan = {0x00, 0x08, 0x00, 0xF8, 0x00, 0x10, 0x68, 0x06,
                                                      0x98, 0xF9, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                                      0xC0, 0x6F, 0x21, 0x8F, 0xBB, 0xBD, 0x9C, 0x18};

TEST(Icm42688pIio, ReadsAScanLaidOutByHandAsTheKernelsDocumentationSays) {
  Received received;
  const auto bytes = std::as_bytes(std::span(kGoldenScan));
  kImu.make_decoder(ContextWith(Rate::Hertz(1000), 1, "iio", ChannelKind::kSeqpacket))->Feed(bytes, 0, received);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 1'773'500'966'535'000'000u);
  EXPECT_DOUBLE_EQ(received.frames[0].value, 2 * 9.80665);
}

TEST(Icm42688pIio, PaddingThatIsNotZeroAStampOfAnotherCenturyAndAnotherLengthAreCorrupt) {
  const auto whole = std::as_bytes(std::span(kGoldenScan));
  const auto frames = [](std::span<const std::byte> bytes) {
    Received received;
    kImu.make_decoder(ContextWith(Rate::Hertz(1000), 1, "iio", ChannelKind::kSeqpacket))->Feed(bytes, 0, received);
    return received.frames.size();
  };
  EXPECT_EQ(frames(whole.first(23)), 0u);
  for (const std::size_t at : {12u, 13u, 14u, 15u, 23u}) {
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    bytes[at] ^= std::byte{0x40};
    EXPECT_EQ(frames(bytes), 0u) << at;
  }
}

TEST(Icm42688pIio, StampsOfOneFrameMustBeOnePeriodApart) {
  const auto context = ContextWith(Rate::Hertz(8000), 8, "iio", ChannelKind::kSeqpacket);
  auto bytes = Encode(kImu, *kImu.make_model(context), 3).bytes;
  const auto frames = [&] {
    Received received;
    kImu.make_decoder(context)->Feed(bytes, 0, received);
    return received.frames.size();
  };
  EXPECT_EQ(frames(), 1u);
  bytes[24 * 5 + 16] ^= std::byte{1};  // a driver's stamps jitter
  EXPECT_EQ(frames(), 1u);
  bytes[24 * 5 + 18] ^= std::byte{1};  // 65.5 us
  EXPECT_EQ(frames(), 0u);
}

// As ADIS16xxx parts are read: 819.2 samples a second, four at a time.
TEST(Icm42688p, ComesAt819Point2HertzInBatchesOfFour) {
  const Rate rate{819'200};
  for (const std::string_view format : {"fifo", "iio"}) {
    for (const ChannelKind channel : {ChannelKind::kSeqpacket, ChannelKind::kPipe}) {
      auto context = ContextWith(rate, 4, format, channel);
      context.clock_offset = std::chrono::microseconds(7'003);
      const auto model = kImu.make_model(context);
      const auto decoder = kImu.make_decoder(context);
      Received received;
      std::uint64_t offset = 0;
      for (std::uint64_t frame = 0; frame < 1000; ++frame) {
        const Encoded sent = Encode(kImu, *model, frame);
        // The last sample's stamp: 7003 us and 4 * frame + 3 samples of 1220.703125 us.
        const std::int64_t nanos = 7'003'000 + static_cast<std::int64_t>(4 * frame + 3) * 1'220'703'125 / 1000;
        const auto stamp = format == "iio" ? static_cast<std::uint64_t>(kPiDay.count() + nanos)
                                           : static_cast<std::uint64_t>(nanos / 16'000) & 0xFFFF;
        ASSERT_EQ(sent.frame.wire_key, stamp);
        decoder->Feed(sent.bytes, offset, received);
        offset += sent.bytes.size();
        ASSERT_EQ(received.frames.size(), frame + 1);
        ASSERT_EQ(received.frames.back().wire_key, stamp);
      }
      EXPECT_TRUE(received.corrupt.empty());
    }
  }
}

TEST(Icm42688p, AFrameHoldsTheSamplesOfItsBatch) {
  const auto one = kImu.make_model(ContextWith(Rate::Hertz(8000), 1, "fifo", ChannelKind::kSeqpacket));
  const auto eight = kImu.make_model(ContextWith(Rate::Hertz(8000), 8, "fifo", ChannelKind::kSeqpacket));
  for (std::uint64_t frame = 0; frame < 20; ++frame) {
    const Encoded batch = Encode(kImu, *eight, frame);
    std::vector<std::byte> expected;
    Encoded single;
    for (std::uint64_t i = 0; i < 8; ++i) {
      single = Encode(kImu, *one, 8 * frame + i);
      expected.insert(expected.end(), single.bytes.begin(), single.bytes.end());
    }
    EXPECT_EQ(batch.bytes, expected);
    EXPECT_EQ(batch.frame.wire_key, single.frame.wire_key);
    EXPECT_EQ(batch.frame.value, single.frame.value);
  }
}

TEST(Icm42688p, APacketOutOfStepInABatchIsCorrupt) {
  const auto context = ContextWith(Rate::Hertz(8000), 8, "fifo", ChannelKind::kSeqpacket);
  auto bytes = Encode(kImu, *kImu.make_model(context), 3).bytes;
  bytes[16 * 4 + 15] ^= std::byte{4};
  Received received;
  kImu.make_decoder(context)->Feed(bytes, 0, received);
  EXPECT_TRUE(received.frames.empty());
  EXPECT_EQ(received.corrupt.size(), 1u);
}

TEST(Icm42688p, WithoutNoiseAndErrorsItShowsTheTruth) {
  auto context = ContextOf(kImu, Rate::Hertz(1000));
  Set(context, "noise", "0");
  Set(context, "errors", "0");
  const auto model = kImu.make_model(context);
  for (std::uint64_t n = 0; n < 2000; ++n) {
    const Encoded sent = Encode(kImu, *model, n);
    ASSERT_NEAR(Decode(kImu, sent.bytes).frames.at(0).value, sent.frame.value, 0.5001 * 9.80665 / 2048) << n;
  }
}

TEST(Icm42688p, AtRestItShowsOneGravityAndNoRate) {
  auto context = ContextOf(kImu, Rate::Hertz(1000));
  for (const char* key : {"noise", "errors", "motion"}) Set(context, key, "0");
  const auto bytes = Encode(kImu, *kImu.make_model(context), 777).bytes;
  const std::array<int, 6> expected = {0, 0, 2048, 0, 0, 0};
  for (std::size_t axis = 0; axis < 6; ++axis) EXPECT_EQ(Word(bytes, 1 + 2 * axis), expected[axis]) << axis;
}

TEST(Icm42688p, DensityAndFactorAreTheUsersToSet) {
  auto context = ContextOf(kImu, Rate::Hertz(1000));
  for (const char* key : {"errors", "motion", "accel_density", "accel_bias_instability", "accel_rate_random_walk"}) {
    Set(context, key, "0");
  }
  Set(context, "gyro_density", "0.001");  // (rad/s)/sqrt(Hz)
  Set(context, "noise", "2");
  const auto model = kImu.make_model(context);
  double squares = 0;
  constexpr int kSamples = 20'000;
  for (std::uint64_t n = 0; n < kSamples; ++n) {
    const auto bytes = Encode(kImu, *model, n).bytes;
    ASSERT_EQ(Word(bytes, 5), 2048);
    const double rate = Word(bytes, 7) / 16.4 * M_PI / 180;
    squares += rate * rate / kSamples;
  }
  EXPECT_NEAR(std::sqrt(squares) / (2 * 0.001 * std::sqrt(500)), 1, 0.02);
}

}  // namespace
}  // namespace corerig
