#include "sensors/ms5611.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sensors/byte_order.h"
#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kBarometer = Ms5611();

// The data sheet's example part; its CRC-4 comes to 0 (computed by an independent program).
constexpr Ms5611Prom kExample = {0, 40127, 36924, 23317, 23282, 33464, 28312, 0};
constexpr std::uint32_t kD1 = 9'085'466, kD2 = 8'569'150;

std::vector<std::byte> Image(const Ms5611Prom& prom, std::uint32_t d1, std::uint32_t d2) {
  std::vector<std::byte> image;
  for (const std::uint16_t word : prom) {
    image.push_back(std::byte(word >> 8));
    image.push_back(std::byte(word & 0xFF));
  }
  for (const std::uint32_t adc : {d1, d2}) {
    for (const int shift : {16, 8, 0}) image.push_back(std::byte(adc >> shift & 0xFF));
  }
  return image;
}

SensorContext Piped() { return ContextOf(kBarometer, Rate::Hertz(75), ChannelKind::kPipe); }

Received Fed(const SensorContext& context, std::span<const std::byte> bytes) {
  Received received;
  kBarometer.make_decoder(context)->Feed(bytes, 0, received);
  return received;
}

TEST(Ms5611, ComputesTheDataSheetsExample) {
  EXPECT_EQ(Ms5611Compensated(kExample, kD1, kD2), (Ms5611Reading{.centidegrees = 2007, .pascals = 100'009}));
  const Received received = Decode(kBarometer, Image(kExample, kD1, kD2));
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].value, 100'009);
  EXPECT_EQ(received.frames[0].end, 22u);
}

TEST(Ms5611, SecondOrderAppliesBelowTwentyAndMoreSoBelowMinusFifteenDegrees) {
  // The data sheet's formulas in floating point, by an independent program: 957.32 and 94505.59; without the second
  // order 41 and 77 more. -3022.73 and 83254.05; 747 and 1523 more.
  const auto cool = Ms5611Compensated(kExample, 8'900'000, 8'270'000);
  EXPECT_NEAR(cool.centidegrees, 957, 1);
  EXPECT_NEAR(cool.pascals, 94'505, 2);
  const auto cold = Ms5611Compensated(kExample, 8'700'000, 7'300'000);
  EXPECT_NEAR(cold.centidegrees, -3023, 1);
  EXPECT_NEAR(cold.pascals, 83'254, 3);
}

TEST(Ms5611, CrcIsThatOfTheApplicationNotesExample) {
  EXPECT_EQ(Ms5611Crc4({0x3132, 0x3334, 0x3536, 0x3738, 0x3940, 0x4142, 0x4344, 0x4500}), 0xB);
  EXPECT_EQ(Ms5611Crc4({0x3132, 0x3334, 0x3536, 0x3738, 0x3940, 0x4142, 0x4344, 0x450B}), 0xB) << "its own byte counts";
  EXPECT_EQ(Ms5611Crc4(kExample), 0);
}

TEST(Ms5611, EveryFlippedBitOfThePromThatTheCrcCoversIsCorrupt) {
  for (int bit = 0; bit < 128; ++bit) {
    auto image = Image(kExample, kD1, kD2);
    image[bit / 8] ^= std::byte(0x80 >> bit % 8);
    const bool uncovered = bit >= 120 && bit < 124;  // 7:4 of the last word
    EXPECT_EQ(Decode(kBarometer, image).frames.size(), uncovered ? 1u : 0u) << "bit " << bit;
  }
}

TEST(Ms5611, AnAdcReadTooEarlyIsCorrupt) {
  EXPECT_TRUE(Decode(kBarometer, Image(kExample, 0, kD2)).frames.empty());
  EXPECT_TRUE(Decode(kBarometer, Image(kExample, kD1, 0)).frames.empty());
  // Also where 0 would make a plausible temperature: a part with C5 = 0 shows 20 degC.
  Ms5611Prom prom = kExample;
  prom[5] = 0;
  prom[7] = Ms5611Crc4(prom);
  EXPECT_EQ(Decode(kBarometer, Image(prom, kD1, 1)).frames.size(), 1u);
  EXPECT_TRUE(Decode(kBarometer, Image(prom, kD1, 0)).frames.empty());
}

TEST(Ms5611, WhatThePartCannotMeasureIsCorrupt) {
  // By the formulas: 8 mbar, 1330 mbar; -80 and 109 degC.
  for (const auto& [d1, d2] : {std::pair{3'900'000u, kD2}, {10'800'000u, kD2}, {kD1, 6'300'000u}, {kD1, 11'200'000u}}) {
    const auto reading = Ms5611Compensated(kExample, d1, d2);
    EXPECT_TRUE(reading.pascals < 1000 || reading.pascals > 120'000 || reading.centidegrees < -4000 ||
                reading.centidegrees > 8500)
        << reading.pascals << " Pa, " << reading.centidegrees;
    EXPECT_TRUE(Decode(kBarometer, Image(kExample, d1, d2)).frames.empty()) << d1 << " " << d2;
  }
}

TEST(Ms5611, AFlippedBitInAConversionPassesWithAKeyThatWasNotSent) {
  const Received received = Decode(kBarometer, Image(kExample, kD1 ^ 1, kD2));
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, std::uint64_t{kD1 ^ 1} << 24 | kD2);
}

TEST(Ms5611, APromOtherThanTheOneTwoImagesAgreedOnIsCorruptEvenWithARightCrc) {
  Ms5611Prom other = kExample;
  other[1] = 40'128;
  other[7] = Ms5611Crc4(other);
  const auto good = Image(kExample, kD1, kD2), strange = Image(other, kD1, kD2);
  const auto decoder = kBarometer.make_decoder(ContextOf(kBarometer));
  const auto accepted = [&](const std::vector<std::byte>& image) {
    Received received;
    decoder->Feed(image, 0, received);
    return received.frames.size() == 1;
  };
  EXPECT_TRUE(accepted(strange));  // nothing is known yet
  EXPECT_TRUE(accepted(good));
  EXPECT_TRUE(accepted(good));
  EXPECT_FALSE(accepted(strange));
  EXPECT_TRUE(accepted(good));
}

TEST(Ms5611, OverAPipeEveryWholeImageIsFoundAgainAfterGarbageAndImagesCutWithinTheProm) {
  const auto context = Piped();
  const auto model = kBarometer.make_model(context);
  std::vector<std::byte> bytes;
  std::set<std::uint64_t> begins;  // of the whole ones
  for (std::uint64_t sequence = 0; sequence < 3000; ++sequence) {
    auto image = Encode(kBarometer, *model, sequence).bytes;
    if (sequence % 10 == 5) image.resize(1 + sequence % 15);                                      // cut
    if (sequence % 10 == 8) image.insert(image.begin(), 1 + sequence % 30, std::byte(sequence));  // garbage before it
    const bool whole = image.size() >= 22;
    if (whole) begins.insert(bytes.size() + image.size() - 22);
    bytes.insert(bytes.end(), image.begin(), image.end());
  }
  const Received received = Fed(context, bytes);
  for (const DecodedFrame& frame : received.frames) EXPECT_EQ(begins.count(frame.begin), 1u) << frame.begin;
  EXPECT_EQ(received.frames.size(), begins.size());
  EXPECT_FALSE(received.corrupt.empty());
}

TEST(Ms5611, AnImageCutWithinItsConversionsTakesTheRestFromTheNextAndPassesWithAKeyThatWasNotSent) {
  const auto context = Piped();
  const auto first = Image(kExample, kD1, kD2), second = Image(kExample, kD1 + 5, kD2 + 5);
  std::vector<std::byte> bytes(first.begin(), first.begin() + 20);
  for (int i = 0; i < 2; ++i) bytes.insert(bytes.end(), second.begin(), second.end());
  const Received received = Fed(context, bytes);
  ASSERT_EQ(received.frames.size(), 2u);
  EXPECT_EQ(received.frames[0].begin, 0u);
  EXPECT_NE(received.frames[0].wire_key, std::uint64_t{kD1} << 24 | kD2);
  EXPECT_EQ(received.frames[1].begin, 42u);
  EXPECT_EQ(received.frames[1].wire_key, std::uint64_t{kD1 + 5} << 24 | (kD2 + 5));
}

// What a receiver computes, against the truth: the noise of the data sheet, a whole Pascal rounded down.
TEST(Ms5611, PressureIsTrueWithinTheResolutionOfTheDataSheet) {
  const auto context = ContextOf(kBarometer);
  const auto model = kBarometer.make_model(context);
  const auto decoder = kBarometer.make_decoder(context);
  constexpr int kSamples = 75 * 600;  // ten minutes: the temperature goes through both orders
  double sum = 0, squares = 0, least = 1e9, most = 0;
  std::int64_t coldest = 10'000, warmest = -10'000;
  for (int sequence = 0; sequence < kSamples; ++sequence) {
    const Encoded sent = Encode(kBarometer, *model, sequence);
    Received received;
    decoder->Feed(sent.bytes, 0, received);
    const double error = received.frames.at(0).value - sent.frame.value;
    sum += error;
    squares += error * error;
    least = std::min(least, sent.frame.value);
    most = std::max(most, sent.frame.value);
    Ms5611Prom prom;
    for (std::size_t i = 0; i < 8; ++i) prom[i] = static_cast<std::uint16_t>(BigEndian(sent.bytes, 2 * i, 2));
    const auto centidegrees = Ms5611Compensated(prom, static_cast<std::uint32_t>(BigEndian(sent.bytes, 16, 3)),
                                                static_cast<std::uint32_t>(BigEndian(sent.bytes, 19, 3)))
                                  .centidegrees;
    coldest = std::min(coldest, centidegrees);
    warmest = std::max(warmest, centidegrees);
  }
  const double mean = sum / kSamples;
  EXPECT_NEAR(mean, -0.5, 0.05);
  EXPECT_NEAR(std::sqrt(squares / kSamples - mean * mean), std::sqrt(1.2 * 1.2 + 1 / 12.0), 0.02);
  EXPECT_NEAR(coldest, 1500, 3);
  EXPECT_NEAR(warmest, 2500, 3);
  // ISA: 960.3 hPa at 450 m, 955.7 at 490 m.
  EXPECT_NEAR(most, 96'030, 30);
  EXPECT_NEAR(most - least, 40 * 11.5, 10);  // 11.5 Pa per metre there
}

SensorContext Slow(std::string delivers, std::uint64_t seed = 42) {
  auto context = ContextOf(kBarometer, Rate::Hertz(20), ChannelKind::kSeqpacket);
  context.seed = seed;
  context.parameters = {{"delivers", std::move(delivers)}};
  return context;
}

TEST(Ms5611, ANominalTwentyHertzThatDeliversEighteenHasGapsThatDependOnTheSeed) {
  const auto model = kBarometer.make_model(Slow("18")), again = kBarometer.make_model(Slow("18")),
             other = kBarometer.make_model(Slow("18", 43));
  constexpr int kSamples = 20'000;
  int gaps = 0, elsewhere = 0;
  for (int sequence = kSamples; sequence-- > 0;) {
    const bool gap = Encode(kBarometer, *model, sequence).bytes.empty();
    ASSERT_EQ(Encode(kBarometer, *again, sequence).bytes.empty(), gap);
    elsewhere += Encode(kBarometer, *other, sequence).bytes.empty() != gap;
    gaps += gap;
  }
  EXPECT_NEAR(gaps, kSamples / 10, 5 * std::sqrt(kSamples * 0.1 * 0.9));
  EXPECT_GT(elsewhere, kSamples / 10);
}

TEST(Ms5611, WhatIsDeliveredIsWhatWouldHaveBeenDeliveredWithoutGaps) {
  const auto gappy = kBarometer.make_model(Slow("18")), whole = kBarometer.make_model(Slow("0")),
             ample = kBarometer.make_model(Slow("25"));
  for (int sequence = 0; sequence < 500; ++sequence) {
    const auto bytes = Encode(kBarometer, *gappy, sequence).bytes, all = Encode(kBarometer, *whole, sequence).bytes;
    ASSERT_EQ(all.size(), 22u);
    ASSERT_TRUE(bytes.empty() || bytes == all) << sequence;
    ASSERT_EQ(Encode(kBarometer, *ample, sequence).bytes, all);
  }
}

TEST(Ms5611, PartsHaveACalibrationOfTheirOwnNearTheTypicalOne) {
  std::set<std::uint64_t> sensitivities;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    auto context = ContextOf(kBarometer);
    context.seed = seed;
    const auto bytes = Encode(kBarometer, *kBarometer.make_model(context), 0).bytes;
    for (std::size_t i = 1; i < 7; ++i) {
      EXPECT_NEAR(static_cast<double>(BigEndian(bytes, 2 * i, 2)) / kExample[i], 1, 0.021) << seed << " C" << i;
    }
    sensitivities.insert(BigEndian(bytes, 2, 2));
  }
  EXPECT_GT(sensitivities.size(), 15u);
}

}  // namespace
}  // namespace corerig
