#include "sensors/stamped_frames.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>

#include "harness/base/philox.h"
#include "sensors/byte_order.h"
#include "sensors/received.h"

namespace corerig {
namespace {

TEST(StampClock, GoesTheShortWayRoundWhenItWraps) {
  const StampClock clock{.tick = 10, .bits = 16, .tolerance = 10};
  EXPECT_EQ(clock.Between(5, 7), 20);
  EXPECT_EQ(clock.Between(7, 5), -20);
  EXPECT_EQ(clock.Between(0xFFFF, 1), 20);
  EXPECT_EQ(clock.Between(1, 0xFFFF), -20);
  EXPECT_EQ(clock.Between(0, 0x7FFF), 0x7FFF * 10);
  const StampClock whole{};
  EXPECT_EQ(whole.Between(1'767'225'600'000'000'000, 1'767'225'600'000'000'007), 7);
  EXPECT_EQ(whole.Between(9, 2), -7);
}

TEST(StampClock, IsInStepWithinTheToleranceAfterAnyNumberOfPeriodsInBothDirections) {
  const StampClock clock{.tick = 16'000, .bits = 16, .tolerance = 16'000};
  constexpr double kPeriod = 1e6;  // 62.5 ticks
  for (int periods = -500; periods <= 500; ++periods) {
    const auto down = static_cast<std::uint64_t>(std::floor(periods * 62.5)), up = down + 1;
    for (const std::uint64_t begin : {0ull, 40'000ull, 65'535ull}) {
      EXPECT_TRUE(clock.InStep(begin, (begin + down) & 0xFFFF, kPeriod)) << periods;
      EXPECT_TRUE(clock.InStep(begin, (begin + up) & 0xFFFF, kPeriod)) << periods;
      EXPECT_FALSE(clock.InStep(begin, (begin + down + 20) & 0xFFFF, kPeriod)) << periods;
      EXPECT_EQ(clock.IsNext(begin, (begin + down) & 0xFFFF, kPeriod), periods == 1) << periods;
    }
  }
}

// Frames of a mark, a stamp of two bytes (1 ms, 62.5 ticks) and a byte of value; the mark may be in the others too.
constexpr std::byte kMark{0x68};
class Marked final : public FrameFormat {
 public:
  std::size_t size() const override { return 4; }
  bool Plausible(std::span<const std::byte> frame) const override { return frame[0] == kMark; }
  std::uint64_t Stamp(std::span<const std::byte> frame) const override { return BigEndian(frame, 1, 2); }
  double Value(std::span<const std::byte> frame) const override { return std::to_integer<int>(frame[3]); }
};

std::vector<std::byte> Frame(std::uint64_t n) {
  std::vector<std::byte> frame(4, kMark);
  PutBigEndian(frame, 1, static_cast<std::uint16_t>(n * 125 / 2), 2);
  frame[3] = static_cast<std::byte>(n % 3 == 0 ? 0x68 : n);
  return frame;
}

class Bytes {
 public:
  explicit Bytes(bool datagrams = false)
      : decoder(std::make_unique<Marked>(), {.tick = 16'000, .bits = 16, .tolerance = 16'000}, 1e6, datagrams) {}
  void Feed(std::vector<std::byte> bytes) {
    decoder.Feed(bytes, offset, received);
    offset += bytes.size();
  }
  std::vector<std::uint64_t> Begins() const {
    std::vector<std::uint64_t> begins;
    for (const DecodedFrame& frame : received.frames) begins.push_back(frame.begin);
    return begins;
  }
  StampedFrameDecoder decoder;
  Received received;
  std::uint64_t offset = 0;
};

using Begins = std::vector<std::uint64_t>;
using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

TEST(StampedFrames, AFrameInStepIsTakenAtOnce) {
  Bytes bytes;
  for (std::uint64_t n = 0; n < 3000; ++n) {
    bytes.Feed(Frame(n));
    ASSERT_EQ(bytes.received.frames.size(), n + 1);
    ASSERT_EQ(bytes.received.frames.back().begin, 4 * n);
    ASSERT_EQ(bytes.received.frames.back().end, 4 * n + 4);
  }
  EXPECT_TRUE(bytes.received.corrupt.empty());
}

TEST(StampedFrames, LostRepeatedAndReorderedFramesAreAllInStep) {
  Bytes bytes;
  for (const std::uint64_t n : {0, 1, 5, 6, 6, 8, 7, 9, 300, 301}) bytes.Feed(Frame(n));
  EXPECT_EQ(bytes.received.frames.size(), 10u);
  EXPECT_TRUE(bytes.received.corrupt.empty());
}

TEST(StampedFrames, AfterASilenceInWhichTheStampWrappedAFrameWaitsForTheNext) {
  Bytes bytes;
  bytes.Feed(Frame(0));
  bytes.Feed(Frame(5000));
  EXPECT_EQ(bytes.Begins(), (Begins{0})) << "4.77 wraps later, out of step";
  bytes.Feed(Frame(5001));
  EXPECT_EQ(bytes.Begins(), (Begins{0, 4, 8}));
  EXPECT_TRUE(bytes.received.corrupt.empty());
}

TEST(StampedFrames, ACutFrameCostsItselfAndNotItsNeighbours) {
  for (const std::size_t left : {1u, 2u}) {
    Bytes bytes;
    for (std::uint64_t n = 0; n < 20; ++n) {
      auto frame = Frame(n + 90);
      if (n == 7) frame.resize(left);
      bytes.Feed(frame);
    }
    EXPECT_EQ(bytes.received.frames.size(), 19u) << left;
    EXPECT_EQ(bytes.received.corrupt, (Ranges{{28, 28 + left}})) << left;
  }
}

TEST(StampedFrames, AFrameCutBehindItsStampPassesAndCostsTheNext) {
  Bytes bytes;
  for (std::uint64_t n = 0; n < 20; ++n) {
    auto frame = Frame(n);
    if (n == 7) frame.resize(3);
    bytes.Feed(frame);
  }
  EXPECT_EQ(bytes.received.frames.size(), 19u);
  EXPECT_EQ(bytes.received.corrupt, (Ranges{{32, 35}}));
}

TEST(StampedFrames, GarbageBetweenFramesCostsNoFrame) {
  for (std::size_t size = 1; size < 60; ++size) {
    Bytes bytes;
    bytes.Feed(Frame(0));
    std::vector<std::byte> garbage;
    for (std::uint32_t i = 0; i < size; ++i) {
      const auto draw = RandomWords(9, StreamId("garbage"), size, i);
      garbage.push_back(draw[0] % 16 == 0 ? kMark : static_cast<std::byte>(draw[1] | 0x80));
    }
    bytes.Feed(garbage);
    for (std::uint64_t n = 1; n < 20; ++n) bytes.Feed(Frame(n));
    ASSERT_EQ(bytes.received.frames.size(), 20u) << size;
    EXPECT_EQ(bytes.received.corrupt, (Ranges{{4, 4 + size}}));
  }
}

TEST(StampedFrames, AStampOutOfStepMakesItsFrameCorrupt) {
  Bytes bytes;
  for (std::uint64_t n = 0; n < 20; ++n) {
    auto frame = Frame(n);
    if (n == 7) frame[2] ^= std::byte{0x10};
    bytes.Feed(frame);
  }
  EXPECT_EQ(bytes.received.frames.size(), 19u);
  EXPECT_EQ(bytes.received.corrupt, (Ranges{{28, 32}}));
}

// Packets of which three make a frame, as a FIFO has them: nothing but the stamp tells where a frame begins.
class Triples final : public FrameFormat {
 public:
  std::size_t size() const override { return 12; }
  bool Plausible(std::span<const std::byte> frame) const override {
    return frame[0] == kMark && frame[4] == kMark && frame[8] == kMark &&
           kClock.IsNext(At(frame, 0), At(frame, 4), 1e6) && kClock.IsNext(At(frame, 4), At(frame, 8), 1e6);
  }
  std::uint64_t Stamp(std::span<const std::byte> frame) const override { return At(frame, 8); }
  double Value(std::span<const std::byte>) const override { return 0; }
  static constexpr StampClock kClock{.tick = 16'000, .bits = 16, .tolerance = 16'000};

 private:
  static std::uint64_t At(std::span<const std::byte> frame, std::size_t at) { return BigEndian(frame, at + 1, 2); }
};

// Damages one frame in ten and expects every other at the place where it was sent.
void ExpectOthersWhereTheyWereSent(const std::function<void(std::vector<std::byte>&)>& damage,
                                   const std::string& what) {
  StampedFrameDecoder decoder(std::make_unique<Triples>(), Triples::kClock, 3e6, false);
  Received received;
  std::uint64_t offset = 0;
  std::map<std::uint64_t, std::uint64_t> keys;  // by where a frame was sent
  for (std::uint64_t n = 0; n < 60; ++n) {
    std::vector<std::byte> frame;
    for (std::uint64_t i = 0; i < 3; ++i) {
      const auto packet = Frame(3 * n + i);
      frame.insert(frame.end(), packet.begin(), packet.end());
    }
    if (n % 10 == 5) {
      damage(frame);
    } else {
      keys[offset] = BigEndian(frame, 9, 2);
    }
    decoder.Feed(frame, offset, received);
    offset += frame.size();
  }
  EXPECT_EQ(received.frames.size(), 54u) << what;
  for (const DecodedFrame& frame : received.frames) {
    ASSERT_TRUE(keys.count(frame.begin)) << what << ", a frame at " << frame.begin;
    EXPECT_EQ(keys[frame.begin], frame.wire_key) << what;
  }
}

TEST(StampedFrames, FramesOfSeveralSamplesAreFoundAgainAtTheRightSample) {
  for (std::size_t left = 1; left < 11; ++left) {
    ExpectOthersWhereTheyWereSent([&](auto& frame) { frame.resize(left); }, "left " + std::to_string(left));
  }
  // What follows the damaged sample is evenly spaced, too, and begins no frame.
  for (const std::size_t at : {0u, 4u, 8u}) {
    ExpectOthersWhereTheyWereSent([&](auto& frame) { frame[at] = std::byte{0}; }, "mark at " + std::to_string(at));
  }
}

TEST(StampedFrames, AMessageIsAFrameOrCorruptAsAWhole) {
  Bytes messages(true);
  messages.Feed(Frame(0));
  messages.Feed(Frame(5000));
  auto longer = Frame(1), shorter = Frame(2), other = Frame(3);
  longer.push_back(kMark);
  shorter.pop_back();
  other[0] = std::byte{0x69};
  messages.Feed(longer);
  messages.Feed(shorter);
  messages.Feed(other);
  messages.Feed(Frame(4));
  EXPECT_EQ(messages.Begins(), (Begins{0, 4, 20}));
  EXPECT_EQ(messages.received.corrupt, (Ranges{{8, 20}}));
}

}  // namespace
}  // namespace corerig
