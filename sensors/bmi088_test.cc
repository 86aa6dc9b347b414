#include "sensors/bmi088.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kImu = Bmi088();

// Two samples as the data sheet and the application note lay them out, by hand. Acceleration 0, 0, 1 g = 32768/24 =
// 1365 = 0x0555, then 1 g, -1 g = 0xFAAB, 2 g = 2731 = 0x0AAB; sensor time 0x030201; rates 0, 0, 0, then 100 dps = 1638
// = 0x0666, -100 dps = 0xF99A, 1 LSB.
constexpr std::array<std::uint8_t, 30> kGolden = {0x84, 0x00, 0x00, 0x00, 0x00, 0x55, 0x05,  //
                                                  0x84, 0x55, 0x05, 0xAB, 0xFA, 0xAB, 0x0A,  //
                                                  0x44, 0x01, 0x02, 0x03,                    //
                                                  0x00, 0x00, 0x00, 0x00, 0x00, 0x00,        //
                                                  0x66, 0x06, 0x9A, 0xF9, 0x01, 0x00};

std::vector<std::byte> Golden() {
  const auto bytes = std::as_bytes(std::span(kGolden));
  return {bytes.begin(), bytes.end()};
}

SensorContext ContextWith(std::uint32_t batch, std::string_view format = "fifo",
                          ChannelKind channel = ChannelKind::kSeqpacket) {
  SensorContext context = ContextOf(kImu);
  context.batch = batch;
  context.format = format;
  context.channel = channel;
  return context;
}

Received DecodeIn(const SensorContext& context, std::span<const std::byte> bytes) {
  Received received;
  kImu.make_decoder(context)->Feed(bytes, 0, received);
  return received;
}

int Little(const std::vector<std::byte>& bytes, std::size_t at) {
  return static_cast<std::int16_t>(std::to_integer<int>(bytes[at]) | std::to_integer<int>(bytes[at + 1]) << 8);
}

TEST(Bmi088, ReadsBothFifosLaidOutByHand) {
  const Received received = DecodeIn(ContextWith(2), Golden());
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 0x030201u);
  EXPECT_DOUBLE_EQ(received.frames[0].value, 2731 * 24 * 9.80665 / 32768);
}

TEST(Bmi088, EveryFlippedHeaderBitIsCorrupt) {
  for (const std::size_t at : {0u, 7u, 14u}) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = Golden();
      bytes[at] ^= std::byte(1 << bit);
      EXPECT_TRUE(DecodeIn(ContextWith(2), bytes).frames.empty()) << at << ", bit " << bit;
    }
  }
}

TEST(Bmi088, ARateBelowTheRangeIsCorruptAndAnAccelerationIsNot) {
  for (std::size_t at = 18; at < 30; at += 2) {
    auto bytes = Golden();
    bytes[at + 1] = std::byte{0x80};
    bytes[at] = std::byte{0x00};
    EXPECT_TRUE(DecodeIn(ContextWith(2), bytes).frames.empty()) << at;
    bytes[at] = std::byte{0x01};
    EXPECT_EQ(DecodeIn(ContextWith(2), bytes).frames.size(), 1u) << at;
  }
  auto bytes = Golden();
  bytes[5] = std::byte{0x00};
  bytes[6] = std::byte{0x80};
  EXPECT_EQ(DecodeIn(ContextWith(2), bytes).frames.size(), 1u);
}

TEST(Bmi088, AnotherLengthIsCorrupt) {
  auto bytes = Golden();
  EXPECT_TRUE(DecodeIn(ContextWith(1), bytes).frames.empty());
  bytes.pop_back();
  EXPECT_TRUE(DecodeIn(ContextWith(2), bytes).frames.empty());
}

TEST(Bmi088, SensorTimeCountsTicksOf39MicrosecondsFromTheClockOffsetAndWrapsAt24Bits) {
  SensorContext context = ContextWith(1);
  const auto model = kImu.make_model(context);
  EXPECT_EQ(Encode(kImu, *model, 0).frame.wire_key, 0u);
  EXPECT_EQ(Encode(kImu, *model, 1).frame.wire_key, 64u);  // 2.5 ms
  EXPECT_EQ(Encode(kImu, *model, 3).frame.wire_key, 192u);
  // 655.36 s are 262144 samples at 400 Hz.
  EXPECT_EQ(Encode(kImu, *model, 262'143).frame.wire_key, (1u << 24) - 64);
  const Encoded wrapped = Encode(kImu, *model, 262'144);
  EXPECT_EQ(wrapped.frame.wire_key, 0u);
  EXPECT_EQ(Little(wrapped.bytes, 8), 0);
  const auto fast = kImu.make_model(ContextOf(kImu, Rate::Hertz(2000)));
  EXPECT_EQ(Encode(kImu, *fast, 1).frame.wire_key, 12u);  // 12.8
  EXPECT_EQ(Encode(kImu, *fast, 4).frame.wire_key, 51u);  // 51.2
  context.clock_offset = std::chrono::milliseconds(655'360 - 10);
  EXPECT_EQ(Encode(kImu, *kImu.make_model(context), 0).frame.wire_key, (1u << 24) - 256);
  EXPECT_EQ(Encode(kImu, *kImu.make_model(context), 5).frame.wire_key, 64u);
}

TEST(Bmi088, BytesAreInStepWhenTheSensorTimeWraps) {
  SensorContext context = ContextWith(4, "fifo", ChannelKind::kPipe);
  context.clock_offset = std::chrono::milliseconds(655'360 - 50);
  const auto model = kImu.make_model(context);
  const auto decoder = kImu.make_decoder(context);
  Received received;
  std::uint64_t offset = 0;
  for (std::uint64_t n = 0; n < 50; ++n) {
    const Encoded sent = Encode(kImu, *model, n);
    decoder->Feed(sent.bytes, offset, received);
    offset += sent.bytes.size();
    ASSERT_EQ(received.frames.size(), n + 1) << "taken at once";
    ASSERT_EQ(received.frames.back().wire_key, sent.frame.wire_key);
  }
  EXPECT_TRUE(received.corrupt.empty());
}

TEST(Bmi088, ScanOfIioHoldsTheSameSampleWithItsStamp) {
  SensorContext context = ContextWith(2, "iio");
  context.clock_offset = std::chrono::milliseconds(3);
  const auto scans = Encode(kImu, *kImu.make_model(context), 5);
  context.format = "fifo";
  const auto fifo = Encode(kImu, *kImu.make_model(context), 5);
  ASSERT_EQ(scans.bytes.size(), 48u);
  for (std::size_t sample = 0; sample < 2; ++sample) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      EXPECT_EQ(Little(scans.bytes, 24 * sample + 2 * axis), Little(fifo.bytes, 7 * sample + 1 + 2 * axis));
      EXPECT_EQ(Little(scans.bytes, 24 * sample + 6 + 2 * axis), Little(fifo.bytes, 18 + 6 * sample + 2 * axis));
    }
    for (std::size_t at = 12; at < 16; ++at) EXPECT_EQ(scans.bytes[24 * sample + at], std::byte{0});
  }
  EXPECT_EQ(scans.frame.wire_key,
            static_cast<std::uint64_t>((kPiDay + std::chrono::microseconds(3000 + 27'500)).count()));
  EXPECT_EQ(scans.frame.value, fifo.frame.value);
}

// At rest and without errors there is noise alone: its deviation against the density of the data sheet.
TEST(Bmi088, NoiseHasTheDensityOfTheDataSheet) {
  SensorContext context = ContextWith(1);
  Set(context, "motion", "0");
  Set(context, "errors", "0");
  const auto model = kImu.make_model(context);
  constexpr double kAccelLsb = 24.0 / 32768, kRateLsb = 2000.0 / 32768;
  const std::array<double, 6> densities = {160e-6, 160e-6, 190e-6, 0.014, 0.014, 0.014};
  std::array<double, 6> squares{};
  constexpr int kSamples = 20'000;
  for (std::uint64_t n = 0; n < kSamples; ++n) {
    const auto bytes = Encode(kImu, *model, n).bytes;
    for (std::size_t axis = 0; axis < 6; ++axis) {
      const double value = axis < 3 ? Little(bytes, 1 + 2 * axis) * kAccelLsb - (axis == 2 ? 1 : 0)
                                    : Little(bytes, 11 + 2 * (axis - 3)) * kRateLsb;
      squares[axis] += value * value / kSamples;
    }
  }
  for (std::size_t axis = 0; axis < 6; ++axis) {
    const double lsb = axis < 3 ? kAccelLsb : kRateLsb;
    const double expected = std::sqrt(densities[axis] * densities[axis] * 200 + lsb * lsb / 12);
    EXPECT_NEAR(std::sqrt(squares[axis]) / expected, 1, 0.02) << axis;
  }
}

}  // namespace
}  // namespace corerig
