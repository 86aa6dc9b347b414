#include "sensors/tmp117.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sensors/received.h"

namespace corerig {
namespace {

const SensorType kThermometer = Tmp117();

std::vector<std::byte> Register(unsigned word) { return {std::byte(word >> 8), std::byte(word & 0xFF)}; }

int Lsb(const std::vector<std::byte>& bytes) {
  return static_cast<std::int16_t>(std::to_integer<int>(bytes[0]) << 8 | std::to_integer<int>(bytes[1]));
}

TEST(Tmp117, ReadsTheDataSheetsExamples) {
  const std::pair<unsigned, double> examples[] = {{0xF380, -25}, {0xFF80, -1},        {0xFFFF, -0.0078125},
                                                  {0x0000, 0},   {0x0001, 0.0078125}, {0x0080, 1},
                                                  {0x0C80, 25},  {0x3200, 100}};
  for (const auto& [word, degrees] : examples) {
    const Received received = Decode(kThermometer, Register(word));
    ASSERT_EQ(received.frames.size(), 1u) << word;
    EXPECT_DOUBLE_EQ(received.frames[0].value, degrees) << word;
    EXPECT_EQ(received.frames[0].wire_key, word);
  }
}

TEST(Tmp117, TheRegisterBeforeTheFirstConversionIsNoMeasurement) {
  EXPECT_TRUE(Decode(kThermometer, Register(0x8000)).frames.empty());
}

TEST(Tmp117, WhatThePartCannotMeasureIsCorrupt) {
  EXPECT_EQ(Decode(kThermometer, Register(0xE480)).frames.size(), 1u) << "-55 degC";
  EXPECT_TRUE(Decode(kThermometer, Register(0xE47F)).frames.empty());
  EXPECT_EQ(Decode(kThermometer, Register(0x4B00)).frames.size(), 1u) << "150 degC";
  EXPECT_TRUE(Decode(kThermometer, Register(0x4B01)).frames.empty());
}

TEST(Tmp117, AnotherLengthIsCorrupt) {
  for (const std::size_t size : {1u, 3u, 4u}) {
    EXPECT_TRUE(Decode(kThermometer, std::vector<std::byte>(size)).frames.empty()) << size;
  }
}

TEST(Tmp117, AFlippedBitPassesUnlessItLeavesTheRange) {
  int passed = 0;
  for (int bit = 0; bit < 16; ++bit) passed += Decode(kThermometer, Register(0x0C80 ^ 1u << bit)).frames.size() == 1;
  EXPECT_EQ(passed, 14);  // 25 degC: bit 15 makes -231, bit 14 makes 153
}

TEST(Tmp117, MeasuredIsTrueWithinTheAccuracyAndWandersByFourDegrees) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto model = kThermometer.make_model(ContextAt(Rate::Hertz(1), seed));
    double least = 100, most = -100;
    for (std::uint64_t sequence = 0; sequence < 600; ++sequence) {
      const Encoded sent = Encode(kThermometer, *model, sequence);
      ASSERT_NEAR(Lsb(sent.bytes) * 0.0078125, sent.frame.value, 0.1 + 4 * 0.0078125) << sequence;
      least = std::min(least, sent.frame.value);
      most = std::max(most, sent.frame.value);
    }
    EXPECT_NEAR(least, 21, 0.01);
    EXPECT_NEAR(most, 29, 0.01);
  }
}

TEST(Tmp117, PartsDifferByAConstantWithinTheAccuracyAndByNoiseOfHalfAnLsb) {
  std::set<double> offsets;
  const auto reference = kThermometer.make_model(ContextAt(Rate::Hertz(8), 1000));
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto model = kThermometer.make_model(ContextAt(Rate::Hertz(8), seed));
    constexpr int kSamples = 20'000;
    double sum = 0, squares = 0;
    for (int sequence = 0; sequence < kSamples; ++sequence) {
      const double difference =
          Lsb(Encode(kThermometer, *model, sequence).bytes) - Lsb(Encode(kThermometer, *reference, sequence).bytes);
      sum += difference;
      squares += difference * difference;
    }
    const double mean = sum / kSamples, variance = squares / kSamples - mean * mean;
    EXPECT_LT(std::abs(mean), 2 * 0.1 / 0.0078125 + 0.1);
    EXPECT_NEAR(std::sqrt(variance / (2 * (0.25 + 1 / 12.0))), 1, 0.025);
    offsets.insert(std::round(mean));
  }
  EXPECT_GT(offsets.size(), 2u);
}

}  // namespace
}  // namespace corerig
