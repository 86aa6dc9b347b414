#include "sensors/camera.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

constexpr int kWidth = 640, kHeight = 480;
constexpr std::size_t kHeader = 64;

SensorContext ContextOf(std::string_view format, ChannelKind channel = ChannelKind::kShm) {
  SensorContext context = ContextAt(Rate::Hertz(30));
  context.format = format;
  context.channel = channel;
  return context;
}

std::vector<std::byte> FrameOf(const SensorContext& context, std::uint64_t sequence) {
  return Encode(Camera(), *Camera().make_model(context), sequence).bytes;
}

Received Fed(const SensorContext& context, std::span<const std::byte> bytes, std::size_t piece = SIZE_MAX) {
  Received received;
  const auto decoder = Camera().make_decoder(context);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size = std::min(piece, bytes.size() - at);
    decoder->Feed(bytes.subspan(at, size), at, received);
    at += size;
  }
  return received;
}

std::uint64_t Number(std::span<const std::byte> in, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value += std::to_integer<std::uint64_t>(in[at + i]) << (8 * i);
  return value;
}

int Pixel(std::span<const std::byte> frame, int x, int y) {
  const std::size_t bytes = (frame.size() - kHeader) / (kWidth * kHeight);
  return static_cast<int>(Number(frame, kHeader + bytes * static_cast<std::size_t>(y * kWidth + x), bytes));
}

class CameraFormats : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(Formats, CameraFormats, testing::Values("gray8", "raw16"),
                         [](const auto& info) { return std::string(info.param); });

// Bit by bit, as RFC 3720 defines it; its own check value is that of the nine digits.
std::uint32_t Crc32c(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) * 0x82F63B78);
  }
  return ~crc;
}

// As camera.h describes it, word by word.
std::uint64_t PayloadChecksum(std::span<const std::byte> payload) {
  std::uint32_t a[16] = {}, b[16] = {};
  for (std::size_t word = 0; word < payload.size() / 4; ++word) {
    a[word % 16] += static_cast<std::uint32_t>(Number(payload, 4 * word, 4));
    b[word % 16] += a[word % 16];
  }
  std::uint64_t h = 0;
  for (int i = 0; i < 16; ++i) {
    for (const std::uint32_t x : {a[i], b[i]}) {
      h = (h ^ x) * 0x9E3779B97F4A7C15;
      h ^= h >> 32;
    }
  }
  return h;
}

TEST_P(CameraFormats, TheHeaderIsAsItsDescriptionSays) {
  SensorContext context = ContextOf(GetParam());
  context.clock_offset = std::chrono::milliseconds(5);
  const bool gray = GetParam() == "gray8";
  const auto frame = FrameOf(context, 3);
  ASSERT_EQ(frame.size(), kHeader + kWidth * kHeight * (gray ? 1u : 2u));
  EXPECT_EQ(Text(std::span(frame).first(4)),
            "\x89"
            "CAM");
  EXPECT_EQ(Number(frame, 4, 2), 1u);
  EXPECT_EQ(Number(frame, 6, 2), 64u);
  EXPECT_EQ(Text(std::span(frame).subspan(8, 4)), gray ? "GREY" : "RG12");
  EXPECT_EQ(Number(frame, 12, 2), 640u);
  EXPECT_EQ(Number(frame, 14, 2), 480u);
  EXPECT_EQ(Number(frame, 16, 4), 3u);
  EXPECT_EQ(Number(frame, 20, 4), frame.size() - 64);
  EXPECT_EQ(Number(frame, 24, 8), 105'000'000u) << "the third frame after the first, at 30 Hz, by a clock 5 ms ahead";
  EXPECT_EQ(Number(frame, 32, 4), 10'000u);
  EXPECT_EQ(Number(frame, 36, 8) + Number(frame, 44, 4) + Number(frame, 56, 4), 0u);
  EXPECT_EQ(Number(frame, 48, 8), PayloadChecksum(std::span(frame).subspan(64)));
  ASSERT_EQ(Crc32c(AsBytes("123456789")), 0xE3069283u);
  EXPECT_EQ(Number(frame, 60, 4), Crc32c(std::span(frame).first(60)));
}

// A frame built by hand: a white square of 40 x 40 on black, its left border at 200.
TEST(CameraDecoder, ReadsAFrameThatNoModelMade) {
  std::vector<std::byte> frame(kHeader + kWidth * kHeight);
  const auto put = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) frame[at + i] = static_cast<std::byte>(value >> (8 * i));
  };
  put(0, 0x4D414389, 4), put(4, 1, 2), put(6, 64, 2), put(8, 0x59455247, 4), put(12, 640, 2), put(14, 480, 2);
  put(16, 0xFFFFFFFF, 4), put(20, kWidth * kHeight, 4), put(24, 7, 8), put(32, 1, 4);
  for (int y = 100; y < 140; ++y) std::fill_n(frame.begin() + kHeader + y * kWidth + 200, 40, std::byte{250});
  put(48, PayloadChecksum(std::span(frame).subspan(kHeader)), 8);
  put(60, Crc32c(std::span(frame).first(60)), 4);
  const Received received = Fed(ContextOf("gray8"), frame);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].wire_key, 0xFFFFFFFFu);
  EXPECT_EQ(received.frames[0].value, 220);
  EXPECT_EQ(Fed(ContextOf("raw16"), frame).frames.size(), 0u) << "of another format";
}

TEST_P(CameraFormats, TheDiscIsFoundWhereItIs) {
  const SensorContext context = ContextOf(GetParam());
  const auto model = Camera().make_model(context);
  double squares = 0, least = kWidth, most = 0;
  for (std::uint64_t sequence = 0; sequence < 120; ++sequence) {
    const Encoded sent = Encode(Camera(), *model, sequence);
    const Received received = Fed(context, sent.bytes);
    ASSERT_EQ(received.frames.size(), 1u);
    const double error = received.frames[0].value - sent.frame.value;
    EXPECT_LT(std::abs(error), 0.5) << sequence;
    squares += error * error;
    least = std::min(least, sent.frame.value);
    most = std::max(most, sent.frame.value);
  }
  EXPECT_LT(std::sqrt(squares / 120), GetParam() == "gray8" ? 0.08 : 0.15);
  EXPECT_GT(std::sqrt(squares / 120), 0.005) << "noise and pixels leave a rest";
  EXPECT_NEAR(most - least, 440, 1) << "a whole turn in 4 s";
}

// EMVA 1288: variance = gain^2 (electrons + read noise^2), in 12-bit steps; at gray8 16 of them are one.
TEST_P(CameraFormats, NoiseGrowsAsTheRootOfTheLight) {
  constexpr double kGain = 3927 / 25119., kReadNoise = 1.995;
  const bool gray = GetParam() == "gray8";
  const auto model = Camera().make_model(ContextOf(GetParam()));
  std::vector<std::vector<std::byte>> frames;
  for (std::uint64_t n = 0; n < 40; ++n) frames.push_back(Encode(Camera(), *model, n).bytes);
  const double steps = gray ? 16 : 1;
  // The upper corners, which the disc does not reach, every other row and column: of the mosaic these are green.
  for (const int left : {1, 631}) {
    double variances = 0, expected_variances = 0;
    constexpr int kColumns = 4, kRows = 30;
    const auto count = static_cast<double>(frames.size() * kRows);
    for (int column = 0; column < kColumns; ++column) {
      const int x = left + 2 * column;
      double sum = 0, squares = 0;
      for (const auto& frame : frames) {
        for (int y = 0; y < 2 * kRows; y += 2) {
          const double value = Pixel(frame, x, y);
          sum += value;
          squares += value * value;
        }
      }
      const double electrons = (0.1 + 0.3 * x / 639) * 25119, mean = sum / count;
      const double expected = kGain * kGain * (electrons + kReadNoise * kReadNoise) / (steps * steps) + 1 / 12.;
      // Cutting off the last bits takes half a step.
      EXPECT_NEAR(mean * steps + steps / 2, 168 + kGain * electrons, 5 * std::sqrt(expected / count) * steps + 1) << x;
      variances += squares / count - mean * mean;
      expected_variances += expected;
    }
    // The variance of a variance is 2 / n of its square; five deviations are 10 %.
    EXPECT_NEAR(variances / expected_variances, 1, 5 * std::sqrt(2 / (kColumns * count))) << left;
  }
}

TEST(CameraRaw16, IsAMosaicOfRedGreenGreenBlueOf12Bits) {
  const auto frame = FrameOf(ContextOf("raw16"), 0);
  double sums[2][2] = {};
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 40; ++x) sums[y % 2][x % 2] += Pixel(frame, x, y) - 168;
  }
  EXPECT_NEAR(sums[0][0] / sums[0][1], 0.6, 0.02) << "red";
  EXPECT_NEAR(sums[1][1] / sums[0][1], 0.7, 0.02) << "blue";
  EXPECT_NEAR(sums[1][0] / sums[0][1], 1.0, 0.02) << "green";
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) ASSERT_LT(Pixel(frame, x, y), 4096);
  }
}

TEST_P(CameraFormats, NoiseDiffersFromFrameToFrameAndFromRowToRow) {
  const auto model = Camera().make_model(ContextOf(GetParam()));
  const auto one = Encode(Camera(), *model, 0).bytes, other = Encode(Camera(), *model, 1).bytes;
  const auto row = [](const std::vector<std::byte>& frame, int y) {
    std::vector<int> pixels;
    for (int x = 0; x < kWidth; ++x) pixels.push_back(Pixel(frame, x, y));
    return pixels;
  };
  for (int y = 0; y < 60; y += 2) {
    EXPECT_NE(row(one, y), row(other, y)) << y;
    EXPECT_NE(row(one, y), row(one, y + 2)) << y;
  }
}

TEST_P(CameraFormats, EveryFlippedBitOfTheHeaderAndAnyOfThePayloadIsSeen) {
  const SensorContext context = ContextOf(GetParam());
  auto frame = FrameOf(context, 7);
  const auto rejected = [&](std::size_t byte, unsigned bit) {
    frame[byte] ^= std::byte(1u << bit);
    const Received received = Fed(context, frame);
    frame[byte] ^= std::byte(1u << bit);
    return received.frames.empty() && received.corrupt.size() == 1;
  };
  for (std::size_t byte = 0; byte < kHeader; ++byte) {
    for (unsigned bit = 0; bit < 8; ++bit) ASSERT_TRUE(rejected(byte, bit)) << byte << "." << bit;
  }
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto draw = RandomWords(1, StreamId("flip"), i);
    const std::size_t byte = kHeader + draw[0] % (frame.size() - kHeader);
    ASSERT_TRUE(rejected(byte, draw[1] % 8)) << byte;
  }
  std::swap_ranges(frame.begin() + kHeader, frame.begin() + kHeader + 64, frame.begin() + kHeader + 6400);
  EXPECT_EQ(Fed(context, frame).frames.size(), 0u) << "the same words in another order";
}

TEST_P(CameraFormats, AMessageOfAnotherSizeIsNoFrame) {
  const SensorContext context = ContextOf(GetParam());
  auto frame = FrameOf(context, 7);
  for (const std::size_t size : {std::size_t{1}, kHeader, frame.size() - 1}) {
    const Received received = Fed(context, std::span(frame).first(size));
    EXPECT_EQ(received.frames.size(), 0u);
    EXPECT_EQ(received.corrupt, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, size}}));
  }
  frame.push_back({});
  EXPECT_EQ(Fed(context, frame).frames.size(), 0u);
}

// Whole frames, and between them what a bad line makes of frames.
struct Line {
  std::vector<std::byte> bytes;
  std::vector<std::uint64_t> good;  // where the whole ones begin

  Line(const SensorContext& context, int frames) {
    const auto model = Camera().make_model(context);
    for (int n = 0; n < frames; ++n) {
      auto frame = Encode(Camera(), *model, static_cast<std::uint64_t>(n)).bytes;
      const auto draw = RandomWords(9, StreamId("line"), static_cast<std::uint64_t>(n));
      switch (n % 7) {
        case 1:  // cut, as by a full socket
          frame.resize(draw[0] % frame.size());
          break;
        case 2:  // falsified
          frame[draw[0] % frame.size()] ^= std::byte{0x10};
          break;
        case 3:  // garbage before it, with what looks like a beginning
          good.push_back(bytes.size() + 9);
          for (const int garbage : {1, 0x89, 0x43, 0x41, 0x4D, 0x89, 0x89, 0x43, 2})
            bytes.push_back(std::byte(garbage));
          break;
        case 4: {  // another header within the payload, and the frame cut after it
          std::copy_n(frame.begin(), kHeader, frame.begin() + 1000);
          frame.resize(5000);
          break;
        }
        case 5:  // cut within its header
          frame.resize(1 + draw[0] % (kHeader - 1));
          break;
        default:
          good.push_back(bytes.size());
      }
      bytes.insert(bytes.end(), frame.begin(), frame.end());
    }
  }
};

TEST_P(CameraFormats, OnAByteStreamEveryWholeFrameIsFoundWhateverIsBetween) {
  const SensorContext context = ContextOf(GetParam(), ChannelKind::kStream);
  const Line line(context, 29);
  const Received received = Fed(context, line.bytes);
  std::vector<std::uint64_t> begins;
  std::uint64_t good = 0, corrupt = 0;
  for (const DecodedFrame& frame : received.frames) begins.push_back(frame.begin), good += frame.end - frame.begin;
  for (const auto& [begin, end] : received.corrupt) corrupt += end - begin;
  EXPECT_EQ(begins, line.good);
  EXPECT_EQ(good + corrupt, line.bytes.size()) << "every byte is accounted for";
  EXPECT_TRUE(received.in_order);
}

TEST_P(CameraFormats, BytesInPiecesGiveTheFramesOfTheWhole) {
  const SensorContext context = ContextOf(GetParam(), ChannelKind::kStream);
  const Line line(context, 8);
  const Received whole = Fed(context, line.bytes);
  const std::size_t frame = kHeader + kWidth * kHeight * (GetParam() == "gray8" ? 1u : 2u);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{63}, std::size_t{64}, std::size_t{65},
                                  std::size_t{4096}, frame - 1, frame, frame + 1, 2 * frame + 100}) {
    const Received pieces = Fed(context, line.bytes, piece);
    ASSERT_EQ(pieces.frames.size(), whole.frames.size()) << piece;
    for (std::size_t i = 0; i < whole.frames.size(); ++i) {
      EXPECT_EQ(pieces.frames[i].begin, whole.frames[i].begin) << piece;
      EXPECT_EQ(pieces.frames[i].end, whole.frames[i].end) << piece;
      EXPECT_EQ(pieces.frames[i].wire_key, whole.frames[i].wire_key) << piece;
      EXPECT_EQ(pieces.frames[i].value, whole.frames[i].value) << piece;
    }
    EXPECT_EQ(pieces.corrupt, whole.corrupt) << piece;
    EXPECT_TRUE(pieces.in_order) << piece;
  }
}

TEST(CameraDecoder, BytesThatNeverCameCostTheFrameTheyWereOf) {
  const SensorContext context = ContextOf("gray8", ChannelKind::kStream);
  const auto frame = FrameOf(context, 0);
  const auto decoder = Camera().make_decoder(context);
  Received received;
  decoder->Feed(std::span(frame).first(1000), 0, received);
  decoder->Feed(frame, 5000, received);
  ASSERT_EQ(received.frames.size(), 1u);
  EXPECT_EQ(received.frames[0].begin, 5000u);
  EXPECT_EQ(received.corrupt, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 1000}}));
}

}  // namespace
}  // namespace corerig
