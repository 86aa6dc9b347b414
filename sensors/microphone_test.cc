#include "sensors/microphone.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

constexpr std::uint32_t kPeriod = 480;
constexpr std::size_t kBytes = 4 * kPeriod;

SensorContext Context(std::uint32_t batch = kPeriod) {
  SensorContext context = ContextAt(Rate::Hertz(48'000));
  context.channel = ChannelKind::kPipe;
  context.batch = batch;
  return context;
}

std::vector<std::byte> Periods(int count, std::uint64_t first = 0) {
  std::vector<std::byte> bytes;
  const auto model = Microphone().make_model(Context());
  for (int n = 0; n < count; ++n) {
    const auto period = Encode(Microphone(), *model, first + static_cast<std::uint64_t>(n)).bytes;
    bytes.insert(bytes.end(), period.begin(), period.end());
  }
  return bytes;
}

Received Fed(std::span<const std::byte> bytes, std::size_t piece = SIZE_MAX) {
  Received received;
  const auto decoder = Microphone().make_decoder(Context());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = std::min(piece, bytes.size() - at);
    decoder->Feed(bytes.subspan(at, size), at, received);
    at += size;
  }
  return received;
}

// Samples as shares of full scale, the way any program reads S32_LE.
std::vector<double> Samples(std::span<const std::byte> bytes) {
  std::vector<double> samples;
  for (std::size_t at = 0; at < bytes.size(); at += 4) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 4; ++i) word |= std::to_integer<std::uint32_t>(bytes[at + i]) << (8 * i);
    samples.push_back(static_cast<std::int32_t>(word) / 2147483648.0);
  }
  return samples;
}

double Rms(const std::vector<double>& samples) {
  double squares = 0;
  for (const double sample : samples) squares += sample * sample;
  return std::sqrt(squares / static_cast<double>(samples.size()));
}

TEST(Microphone, APeriodIsItsSamplesAndNothingElse) {
  const auto bytes = Periods(1);
  ASSERT_EQ(bytes.size(), kBytes);
  for (std::size_t at = 0; at < bytes.size(); at += 4) ASSERT_EQ(bytes[at], std::byte{0}) << at;
  EXPECT_EQ(Microphone().max_frame_size, 4 * Microphone().info.batching.most);
}

TEST(Microphone, APascalIsAtTheDataSheetsLevel) {
  // Over whole swings of 2 s the mean square is 1 + 0.5^2 / 2 of a pascal's; 94 dB SPL, -26 dBFS, are 1.0024 Pa.
  const double dbfs = 20 * std::log10(Rms(Samples(Periods(200))) / std::sqrt(1.125) * std::numbers::sqrt2);
  EXPECT_NEAR(dbfs, -26 - 20 * std::log10(1.002374), 0.01);
}

// The oracle: a spectrum by the definition of the discrete Fourier transform, weighted by the curve of IEC 61672-1.
TEST(Microphone, NoiseIs65DecibelsBelowWeightedByA) {
  constexpr std::size_t kCount = 4800;
  constexpr double kTwoPi = 2 * std::numbers::pi;
  // The noise alone: what another seed has in its place, less; so twice its power.
  SensorContext other = Context();
  other.seed = 43;
  const auto one = Samples(Periods(10));
  std::vector<double> noise;
  const auto model = Microphone().make_model(other);
  for (std::uint64_t n = 0; n < 10; ++n) {
    for (const double sample : Samples(Encode(Microphone(), *model, n).bytes)) noise.push_back(sample);
  }
  for (std::size_t i = 0; i < kCount; ++i) noise[i] = (noise[i] - one[i]) / std::numbers::sqrt2;
  std::vector<std::complex<double>> roots;
  for (std::size_t i = 0; i < kCount; ++i) roots.push_back(std::polar(1.0, -kTwoPi * static_cast<double>(i) / kCount));
  double weighted = 0;
  for (std::size_t k = 1; k < kCount / 2; ++k) {
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < kCount; ++i) sum += noise[i] * roots[k * i % kCount];
    const double f = 48'000.0 * static_cast<double>(k) / kCount, f2 = f * f;
    const double a =
        12194.0 * 12194 * f2 * f2 /
        ((f2 + 20.6 * 20.6) * std::sqrt((f2 + 107.7 * 107.7) * (f2 + 737.9 * 737.9)) * (f2 + 12194.0 * 12194)) * 1.2589;
    weighted += 2 * std::norm(sum) / (kCount * kCount) * a * a;
  }
  const double dbfs = 10 * std::log10(weighted * 2);
  EXPECT_NEAR(dbfs, -26 - 65, 0.5) << "2400 bins: five deviations are 0.45 dB";
}

TEST(Microphone, ThePressureIsReadAsItIs) {
  const auto model = Microphone().make_model(Context());
  const auto decoder = Microphone().make_decoder(Context());
  double least = 10, most = 0;
  for (std::uint64_t n = 0; n < 200; ++n) {
    const Encoded sent = Encode(Microphone(), *model, n);
    Received received;
    decoder->Feed(sent.bytes, n * kBytes, received);
    ASSERT_EQ(received.frames.size(), 1u);
    EXPECT_NEAR(received.frames[0].value, sent.frame.value, 5e-4) << n;
    EXPECT_NE(received.frames[0].value, sent.frame.value) << "noise";
    least = std::min(least, sent.frame.value);
    most = std::max(most, sent.frame.value);
  }
  EXPECT_NEAR(least, 0.5, 0.01);
  EXPECT_NEAR(most, 1.5, 0.01);
}

TEST(Microphone, SamplesDoNotDependOnThePeriod) {
  const auto model = Microphone().make_model(Context(7));
  std::vector<std::byte> bytes;
  for (std::uint64_t n = 0; bytes.size() < 2 * kBytes; ++n) {
    const auto period = Encode(Microphone(), *model, n).bytes;
    bytes.insert(bytes.end(), period.begin(), period.end());
  }
  bytes.resize(2 * kBytes);
  EXPECT_EQ(bytes, Periods(2));
}

TEST(Microphone, AKnownPeriodIsReadByTheDefinition) {
  // +0.5 and -0.5 of full scale by turns: 0x40000000 and 0xC0000000.
  std::vector<std::byte> bytes(kBytes);
  for (std::size_t i = 0; i < kPeriod; ++i) bytes[4 * i + 3] = i % 2 == 0 ? std::byte{0x40} : std::byte{0xC0};
  const Received received = Fed(bytes);
  ASSERT_EQ(received.frames.size(), 1u);
  // RMS 0.5; full scale's sine has 1 / sqrt 2, and is 26 dB above 1.0024 Pa.
  EXPECT_NEAR(received.frames[0].value, 0.5 * std::numbers::sqrt2 * std::pow(10, 26 / 20.) * 1.002374, 1e-4);
}

TEST(Microphone, BytesInPiecesGiveTheFramesOfTheWhole) {
  auto bytes = Periods(12);
  bytes.erase(bytes.begin() + 3000, bytes.begin() + 3005);
  bytes[10'000 - 10'000 % 4] ^= std::byte{1};
  const Received whole = Fed(bytes);
  EXPECT_GT(whole.frames.size(), 6u);
  for (std::size_t piece = 1; piece < 50; ++piece) {
    const Received pieces = Fed(bytes, piece);
    ASSERT_EQ(pieces.frames.size(), whole.frames.size()) << piece;
    for (std::size_t i = 0; i < whole.frames.size(); ++i) {
      EXPECT_EQ(pieces.frames[i].begin, whole.frames[i].begin) << piece;
      EXPECT_EQ(pieces.frames[i].value, whole.frames[i].value) << piece;
    }
    EXPECT_EQ(pieces.corrupt, whole.corrupt) << piece;
    EXPECT_TRUE(pieces.in_order) << piece;
  }
}

TEST(Microphone, LostBytesAreSeenAndTheSamplesFoundAgain) {
  for (std::size_t lost = 1; lost <= 9; ++lost) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{1001}, std::size_t{1900}, std::size_t{4000}}) {
      auto bytes = Periods(30);
      bytes.erase(bytes.begin() + at, bytes.begin() + at + lost);
      const Received received = Fed(bytes);
      std::uint64_t corrupt = 0;
      for (const auto& [begin, end] : received.corrupt) corrupt += end - begin;
      if (lost % 4 == 0) {
        EXPECT_EQ(corrupt, 0u) << "whole samples leave no trace on this wire";
        continue;
      }
      EXPECT_GT(corrupt, 0u) << lost << " at " << at;
      EXPECT_LE(corrupt, 3 * kBytes) << lost << " at " << at;
      ASSERT_GE(received.frames.size(), 26u) << lost << " at " << at;
      // What is passed after that is sound again: no louder than any.
      for (const DecodedFrame& frame : received.frames) EXPECT_LT(frame.value, 1.6) << lost << " at " << at;
    }
  }
}

TEST(Microphone, AFlippedBitIsSeenInTheLowestByteAloneAndCostsOnePeriod) {
  const auto good = Periods(4);
  for (std::uint64_t i = 0; i < 400; ++i) {
    const auto draw = RandomWords(1, StreamId("flip"), i);
    auto bytes = good;
    const std::size_t at = kBytes + draw[0] % kBytes;
    bytes[at] ^= std::byte(1u << draw[1] % 8);
    const Received received = Fed(bytes);
    EXPECT_EQ(received.frames.size(), at % 4 == 0 ? 3u : 4u) << at;
    EXPECT_EQ(received.corrupt.size(), at % 4 == 0 ? 1u : 0u) << at;
  }
}

TEST(Microphone, BytesThatNeverCameCostThePeriodTheyWereOf) {
  const auto bytes = Periods(1);
  const auto decoder = Microphone().make_decoder(Context());
  Received received;
  decoder->Feed(std::span(bytes).first(1000), 0, received);
  decoder->Feed(bytes, 5000, received);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].begin, 5000u);
  EXPECT_EQ(received.corrupt, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 1000}}));
}

}  // namespace
}  // namespace corerig
