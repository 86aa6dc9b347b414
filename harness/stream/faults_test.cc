#include "harness/stream/faults.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <vector>

namespace corerig {
namespace {

StreamPlan StreamWith(std::vector<FaultPlan> faults, std::string name = "imu") {
  StreamPlan stream;
  stream.name = std::move(name);
  stream.faults = std::move(faults);
  return stream;
}

constexpr FaultKind kKinds[] = {FaultKind::kDrop, FaultKind::kDuplicate, FaultKind::kReorder, FaultKind::kBitFlip};

TEST(Faults, WithoutAPlanNothingIsInjected) {
  for (std::uint64_t n = 0; n < 1000; ++n) EXPECT_FALSE(FaultOf(StreamWith({}), 42, n, 0)) << n;
}

TEST(Faults, AShareIsMetWithinItsStatisticalBounds) {
  constexpr std::uint64_t kSamples = 20'000;
  for (const FaultKind kind : kKinds) {
    for (const double share : {0.005, 0.05, 0.5}) {
      for (const std::uint64_t seed : {1ull, 0xFFFF'FFFF'FFFFull}) {
        const StreamPlan stream = StreamWith({{.kind = kind, .share = share, .at = {}}});
        std::uint64_t injected = 0;
        for (std::uint64_t n = 0; n < kSamples; ++n) injected += FaultOf(stream, seed, n, 0) == kind;
        const double expected = share * kSamples;
        EXPECT_NEAR(static_cast<double>(injected), expected, 5 * std::sqrt(expected * (1 - share)))
            << "kind " << static_cast<int>(kind) << " share " << share << " seed " << seed;
      }
    }
  }
}

TEST(Faults, ShareOneTakesEverySampleAndShareZeroNone) {
  const StreamPlan all = StreamWith({{.kind = FaultKind::kBitFlip, .share = 1, .at = {}}});
  const StreamPlan none = StreamWith({{.kind = FaultKind::kBitFlip, .share = 0, .at = {}}});
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    EXPECT_EQ(FaultOf(all, 7, n, 0), FaultKind::kBitFlip) << n;
    EXPECT_FALSE(FaultOf(none, 7, n, 0)) << n;
  }
}

TEST(Faults, AreTheSameInEveryRunAndDifferBySeedStreamAndKind) {
  const auto drawn = [](std::string name, FaultKind kind, std::uint64_t seed) {
    std::vector<std::uint64_t> samples;
    const StreamPlan stream = StreamWith({{.kind = kind, .share = 0.05, .at = {}}}, std::move(name));
    for (std::uint64_t n = 0; n < 2000; ++n) {
      if (FaultOf(stream, seed, n, 0)) samples.push_back(n);
    }
    return samples;
  };
  EXPECT_EQ(drawn("imu", FaultKind::kDrop, 1), drawn("imu", FaultKind::kDrop, 1));
  EXPECT_NE(drawn("imu", FaultKind::kDrop, 1), drawn("imu", FaultKind::kDrop, 2));
  EXPECT_NE(drawn("imu", FaultKind::kDrop, 1), drawn("gnss", FaultKind::kDrop, 1));
  EXPECT_NE(drawn("imu", FaultKind::kDrop, 1), drawn("imu", FaultKind::kReorder, 1));
}

TEST(Faults, ASharesDrawDoesNotDependOnTheOtherFaults) {
  const StreamPlan alone = StreamWith({{.kind = FaultKind::kBitFlip, .share = 0.1, .at = {}}});
  const StreamPlan both = StreamWith(
      {{.kind = FaultKind::kBitFlip, .share = 0.1, .at = {}}, {.kind = FaultKind::kDrop, .share = 0.1, .at = {}}});
  int overlapping = 0;
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    const auto one = FaultOf(alone, 3, n, 0), two = FaultOf(both, 3, n, 0);
    if (one && two == FaultKind::kDrop) ++overlapping;  // the drop came first
    if (two != FaultKind::kDrop) {
      EXPECT_EQ(two, one) << n;
    }
  }
  EXPECT_NEAR(overlapping, 100, 50);
}

TEST(Faults, NamedSamplesCountFromTheFirstOneInTheWindow) {
  const StreamPlan stream = StreamWith({{.kind = FaultKind::kDrop, .share = 0, .at = {0, 3, 70}}});
  for (std::uint64_t n = 0; n < 200; ++n) {
    EXPECT_EQ(FaultOf(stream, 42, n, 100).has_value(), n == 100 || n == 103 || n == 170) << n;
  }
}

TEST(Faults, NamedSamplesComeBeforeSharesAndKindsInFixedOrder) {
  const StreamPlan stream = StreamWith({{.kind = FaultKind::kBitFlip, .share = 0, .at = {1, 2}},
                                        {.kind = FaultKind::kReorder, .share = 0, .at = {2}},
                                        {.kind = FaultKind::kDrop, .share = 1, .at = {}},
                                        {.kind = FaultKind::kDuplicate, .share = 1, .at = {}}});
  EXPECT_EQ(FaultOf(stream, 1, 0, 0), FaultKind::kDrop);
  EXPECT_EQ(FaultOf(stream, 1, 1, 0), FaultKind::kBitFlip);
  EXPECT_EQ(FaultOf(stream, 1, 2, 0), FaultKind::kReorder);
}

TEST(Faults, ABitFlipInvertsExactlyOneBitAndReachesAllOfThem) {
  std::array<int, 24> seen{};
  const StreamPlan stream = StreamWith({});
  for (std::uint64_t n = 0; n < 2400; ++n) {
    std::array<std::byte, 3> frame{};
    FlipOneBit(stream, 5, n, frame);
    int set = 0;
    for (std::size_t i = 0; i < 24; ++i) {
      const bool one = (frame[i / 8] & (std::byte{1} << (i % 8))) != std::byte{0};
      set += one;
      seen[i] += one;
    }
    EXPECT_EQ(set, 1) << "sample " << n;
  }
  for (std::size_t i = 0; i < 24; ++i) EXPECT_NEAR(seen[i], 100, 50) << "bit " << i;
  FlipOneBit(stream, 5, 0, {});  // an empty frame has no bit to flip
}

}  // namespace
}  // namespace corerig
