#include "sensors/fixed_frames.h"

#include <gtest/gtest.h>

#include "harness/base/philox.h"
#include "sensors/received.h"

namespace corerig {
namespace {

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

// '<', three letters, and the sum of the letters: "<abcX".
class Check {
 public:
  static constexpr std::size_t kSize = 5;
  bool MayBegin(std::span<const std::byte> bytes) const { return bytes[0] == std::byte{'<'}; }
  std::optional<FrameContent> Read(std::span<const std::byte> frame) const {
    if (SumOf(frame) != frame[4]) return std::nullopt;
    return FrameContent{.wire_key = std::to_integer<std::uint64_t>(frame[1]), .value = 0.5};
  }
  static std::byte SumOf(std::span<const std::byte> frame) {
    unsigned sum = 0;
    for (int i = 1; i < 4; ++i) sum += std::to_integer<unsigned>(frame[i]);
    return static_cast<std::byte>(sum);
  }
};

std::string Frame(std::string_view letters) {
  std::string frame = "<" + std::string(letters) + "?";
  frame[4] = static_cast<char>(Check::SumOf(AsBytes(frame)));
  return frame;
}

Received Fed(std::string_view text, ChannelKind channel = ChannelKind::kPipe) {
  FixedFrames<Check> decoder(channel);
  Received received;
  decoder.Feed(AsBytes(text), 0, received);
  return received;
}

std::string Keys(const Received& received) {
  std::string keys;
  for (const auto& frame : received.frames) keys += static_cast<char>(frame.wire_key);
  return keys;
}

TEST(FixedFrames, FramesInARowAreFoundWhereTheyLie) {
  const Received received = Fed(Frame("abc") + Frame("def"));
  EXPECT_EQ(Keys(received), "ad");
  EXPECT_EQ(received.frames[1].begin, 5u);
  EXPECT_EQ(received.frames[1].end, 10u);
  EXPECT_EQ(received.frames[1].value, 0.5);
  EXPECT_TRUE(received.corrupt.empty());
}

TEST(FixedFrames, GarbageBeforeAndBetweenIsCorruptAndCostsNoFrame) {
  const Received received = Fed("xyz" + Frame("abc") + "q" + Frame("def"));
  EXPECT_EQ(Keys(received), "ad");
  EXPECT_EQ(received.corrupt, (Ranges{{0, 3}, {8, 9}}));
}

TEST(FixedFrames, AFrameThatBeginsWithinABrokenOneIsFound) {
  const Received received = Fed("<a<" + Frame("def"));
  EXPECT_EQ(Keys(received), "d");
  EXPECT_EQ(received.corrupt, (Ranges{{0, 3}}));
}

TEST(FixedFrames, AWrongCheckCostsThatFrameAlone) {
  std::string text = Frame("abc") + Frame("def") + Frame("ghi");
  text[7] ^= 1;
  const Received received = Fed(text);
  EXPECT_EQ(Keys(received), "ag");
  EXPECT_EQ(received.corrupt, (Ranges{{5, 10}}));
}

TEST(FixedFrames, WhatMayBecomeAFrameIsHeldBackAndWhatMayNotIsNot) {
  FixedFrames<Check> decoder(ChannelKind::kPty);
  Received received;
  decoder.Feed(AsBytes("zz<abc"), 0, received);
  EXPECT_EQ(received.corrupt, (Ranges{{0, 2}}));
  EXPECT_EQ(received.reported, 2u);
  decoder.Feed(AsBytes(Frame("abc").substr(4)), 6, received);
  EXPECT_EQ(Keys(received), "a");
}

TEST(FixedFrames, MissingBytesEndTheFrameThatWasBegun) {
  FixedFrames<Check> decoder(ChannelKind::kPty);
  Received received;
  decoder.Feed(AsBytes("<ab"), 0, received);
  decoder.Feed(AsBytes(Frame("def")), 100, received);
  EXPECT_EQ(Keys(received), "d");
  EXPECT_EQ(received.corrupt, (Ranges{{0, 3}}));
  EXPECT_EQ(received.frames[0].begin, 100u);
}

TEST(FixedFrames, AMessageIsOneWholeFrameOrCorrupt) {
  const std::string frame = Frame("abc");
  EXPECT_EQ(Keys(Fed(frame, ChannelKind::kSeqpacket)), "a");
  for (const std::string& text : {frame.substr(1), frame + "x", frame + frame, "x" + frame.substr(1)}) {
    const Received received = Fed(text, ChannelKind::kSeqpacket);
    EXPECT_TRUE(received.frames.empty()) << text;
    EXPECT_EQ(received.corrupt, (Ranges{{0, text.size()}})) << text;
  }
}

}  // namespace
}  // namespace corerig
