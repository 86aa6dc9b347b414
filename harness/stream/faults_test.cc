#include "harness/stream/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace corerig {
namespace {

// A stream of 1 kHz with its faults; the window begins after `warmup` samples.
class Stream {
 public:
  explicit Stream(std::vector<FaultPlan> list, std::uint64_t seed = 42, std::string name = "imu",
                  std::uint64_t warmup = 0) {
    plan_.seed = seed;
    plan_.warmup = static_cast<std::int64_t>(warmup) * kMilli;
    plan_.duration = std::chrono::seconds(10);
    stream_.name = std::move(name);
    stream_.rate = Rate::Hertz(1000);
    stream_.faults = std::move(list);
    faults_.emplace(plan_, stream_);
  }
  Stream(const Stream&) = delete;

  std::optional<FaultKind> Of(std::uint64_t sequence) const {
    const auto hit = faults_->Of(sequence);
    return hit ? std::optional(hit->kind) : std::nullopt;
  }
  const Faults& faults() const { return *faults_; }
  std::vector<std::uint64_t> HitBelow(std::uint64_t end) const {
    std::vector<std::uint64_t> hit;
    for (std::uint64_t n = 0; n < end; ++n) {
      if (Of(n)) hit.push_back(n);
    }
    return hit;
  }
  Nanos DueOf(std::uint64_t sequence) const { return ScheduleOf(plan_, stream_, Nanos(0)).DueOf(sequence); }

  static constexpr Nanos kMilli = std::chrono::milliseconds(1);

 private:
  Plan plan_;
  StreamPlan stream_;
  std::optional<Faults> faults_;
};
constexpr Nanos kMilli = Stream::kMilli;

constexpr FaultKind kSingle[] = {FaultKind::kDrop,    FaultKind::kDuplicate, FaultKind::kReorder,
                                 FaultKind::kBitFlip, FaultKind::kTruncate,  FaultKind::kGarbage,
                                 FaultKind::kWrong,   FaultKind::kDelayed,   FaultKind::kJitter};

TEST(Faults, WithoutAPlanNothingIsInjected) { EXPECT_TRUE(Stream({}).HitBelow(1000).empty()); }

TEST(Faults, AShareIsMetWithinItsStatisticalBounds) {
  constexpr std::uint64_t kSamples = 20'000;
  for (const FaultKind kind : kSingle) {
    for (const double share : {0.005, 0.05, 0.5}) {
      for (const std::uint64_t seed : {1ull, 0xFFFF'FFFF'FFFFull}) {
        const Stream stream({{.kind = kind, .share = share, .at = {}}}, seed);
        const std::uint64_t injected = stream.HitBelow(kSamples).size();
        const double expected = share * kSamples;
        EXPECT_NEAR(static_cast<double>(injected), expected, 5 * std::sqrt(expected * (1 - share)))
            << "kind " << static_cast<int>(kind) << " share " << share << " seed " << seed;
      }
    }
  }
}

TEST(Faults, ShareOneTakesEverySampleAndShareZeroNone) {
  const Stream all({{.kind = FaultKind::kBitFlip, .share = 1, .at = {}}}, 7);
  const Stream none({{.kind = FaultKind::kBitFlip, .share = 0, .at = {}}}, 7);
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    EXPECT_EQ(all.Of(n), FaultKind::kBitFlip) << n;
    EXPECT_FALSE(none.Of(n)) << n;
  }
}

TEST(Faults, AreTheSameInEveryRunAndDifferBySeedStreamAndKind) {
  const auto drawn = [](std::string name, FaultKind kind, std::uint64_t seed) {
    return Stream({{.kind = kind, .share = 0.05, .at = {}}}, seed, std::move(name)).HitBelow(2000);
  };
  EXPECT_EQ(drawn("imu", FaultKind::kDrop, 1), drawn("imu", FaultKind::kDrop, 1));
  EXPECT_NE(drawn("imu", FaultKind::kDrop, 1), drawn("imu", FaultKind::kDrop, 2));
  EXPECT_NE(drawn("imu", FaultKind::kDrop, 1), drawn("gnss", FaultKind::kDrop, 1));
  EXPECT_NE(drawn("imu", FaultKind::kDrop, 1), drawn("imu", FaultKind::kReorder, 1));
}

TEST(Faults, ASharesDrawDoesNotDependOnTheOtherFaults) {
  const Stream alone({{.kind = FaultKind::kBitFlip, .share = 0.1, .at = {}}}, 3);
  const Stream both(
      {{.kind = FaultKind::kBitFlip, .share = 0.1, .at = {}}, {.kind = FaultKind::kDrop, .share = 0.1, .at = {}}}, 3);
  int overlapping = 0;
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    const auto one = alone.Of(n), two = both.Of(n);
    if (one && two == FaultKind::kDrop) ++overlapping;  // the drop came first
    if (two != FaultKind::kDrop) {
      EXPECT_EQ(two, one) << n;
    }
  }
  EXPECT_NEAR(overlapping, 100, 50);
}

TEST(Faults, NamedSamplesCountFromTheFirstOneInTheWindow) {
  const Stream stream({{.kind = FaultKind::kDrop, .share = 0, .at = {0, 3, 70}}}, 42, "imu", 100);
  EXPECT_EQ(stream.HitBelow(200), (std::vector<std::uint64_t>{100, 103, 170}));
}

TEST(Faults, NamedSamplesComeBeforeSharesAndKindsInFixedOrder) {
  const Stream stream({{.kind = FaultKind::kBitFlip, .share = 0, .at = {1, 2}},
                       {.kind = FaultKind::kReorder, .share = 0, .at = {2}},
                       {.kind = FaultKind::kDrop, .share = 1, .at = {}},
                       {.kind = FaultKind::kDuplicate, .share = 1, .at = {}}},
                      1);
  EXPECT_EQ(stream.Of(0), FaultKind::kDrop);
  EXPECT_EQ(stream.Of(1), FaultKind::kBitFlip);
  EXPECT_EQ(stream.Of(2), FaultKind::kReorder);
}

TEST(Faults, OnAScheduleEverySampleDueInTheSpanIsHit) {
  const Stream stream({{.kind = FaultKind::kOff, .span = FaultPlan::Span{20 * kMilli, 30 * kMilli}},
                       {.kind = FaultKind::kOff, .span = FaultPlan::Span{100 * kMilli, 1 * kMilli}}},
                      42, "imu", 100);
  std::vector<std::uint64_t> expected;
  for (std::uint64_t n = 120; n < 150; ++n) expected.push_back(n);
  expected.push_back(200);
  EXPECT_EQ(stream.HitBelow(500), expected);
  EXPECT_EQ(stream.faults().Of(149)->index, 0u);
  EXPECT_EQ(stream.faults().Of(200)->index, 1u);
}

TEST(Faults, WithoutAnEndASpanLastsToTheEndOfTheWindowAndNoFurther) {
  const Stream stream({{.kind = FaultKind::kDrift, .span = FaultPlan::Span{9990 * kMilli, {}}, .amount = 1}});
  EXPECT_EQ(stream.HitBelow(20'000).size(), 10u);
  const Stream too_late({{.kind = FaultKind::kOff, .span = FaultPlan::Span{20'000 * kMilli, 5 * kMilli}}});
  EXPECT_TRUE(too_late.HitBelow(30'000).empty());
}

TEST(Faults, IntermittentIsOffForTheFirstHalfOfEachPeriodAndSlowSendsEveryNth) {
  const Stream intermittent(
      {{.kind = FaultKind::kIntermittent, .span = FaultPlan::Span{100 * kMilli, 100 * kMilli}, .period = 20 * kMilli}});
  const Stream slow({{.kind = FaultKind::kSlow, .span = FaultPlan::Span{100 * kMilli, 10 * kMilli}, .count = 3}});
  const auto hit = intermittent.HitBelow(1000);
  EXPECT_EQ(hit.size(), 50u);
  for (std::uint64_t n = 100; n < 200; ++n) {
    EXPECT_EQ(intermittent.Of(n).has_value(), (n - 100) % 20 < 10) << n;
  }
  EXPECT_EQ(slow.HitBelow(1000), (std::vector<std::uint64_t>{101, 102, 104, 105, 107, 108}));
}

TEST(Faults, ABurstLeavesTogetherWhenItsLastFrameIsDue) {
  const Stream stream({{.kind = FaultKind::kBurst, .span = FaultPlan::Span{100 * kMilli, 10 * kMilli}, .count = 4}});
  // 100-103, 104-107, and what is left: 108-109.
  EXPECT_EQ(stream.HitBelow(1000), (std::vector<std::uint64_t>{100, 101, 102, 104, 105, 106, 108}));
  for (const std::uint64_t n : stream.HitBelow(1000)) {
    const std::uint64_t last = n < 104 ? 103 : n < 108 ? 107 : 109;
    EXPECT_EQ(stream.DueOf(n) + stream.faults().DelayOf(*stream.faults().Of(n), n), stream.DueOf(last)) << n;
  }
  EXPECT_GE(stream.faults().LongestDelay(), 3 * kMilli);
}

TEST(Faults, DelayedIsLateByAsMuchAndJitterByAnythingUpToIt) {
  const Stream delayed({{.kind = FaultKind::kDelayed, .share = 1, .by = 3 * kMilli}});
  const Stream jitter({{.kind = FaultKind::kJitter, .share = 1, .by = 3 * kMilli}});
  double sum = 0, least = 1e9, most = 0;
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    EXPECT_EQ(delayed.faults().DelayOf(*delayed.faults().Of(n), n), 3 * kMilli);
    const auto one = static_cast<double>(jitter.faults().DelayOf(*jitter.faults().Of(n), n).count());
    sum += one, least = std::min(least, one), most = std::max(most, one);
  }
  EXPECT_NEAR(sum / 10'000, 1.5e6, 0.05e6);
  EXPECT_GE(least, 0);
  EXPECT_LT(least, 3000);
  EXPECT_LT(most, 3e6);
  EXPECT_GT(most, 2.99e6);
  EXPECT_EQ(jitter.faults().LongestDelay(), 3 * kMilli);
}

TEST(Faults, StuckShowsTheLastMeasurementBeforeItsSpanWrongAnOffsetAndDriftABiasThatGrows) {
  const Stream stream({{.kind = FaultKind::kStuck, .span = FaultPlan::Span{100 * kMilli, 10 * kMilli}},
                       {.kind = FaultKind::kWrong, .share = 0, .at = {50}, .amount = -7},
                       {.kind = FaultKind::kDrift, .span = FaultPlan::Span{200 * kMilli, {}}, .amount = 2}});
  const auto at = [&](std::uint64_t n) { return stream.faults().FalsificationOf(*stream.faults().Of(n), n); };
  EXPECT_EQ(at(100).measurement_of, 99u);
  EXPECT_EQ(at(109).measurement_of, 99u);
  EXPECT_EQ(at(109).bias, 0);
  EXPECT_EQ(at(50).bias, -7);
  EXPECT_FALSE(at(50).measurement_of);
  EXPECT_NEAR(at(200).bias, 0, 0.002);
  EXPECT_NEAR(at(700).bias, 2 * 0.5, 0.002) << "half a second after its begin";
}

TEST(Faults, OfTwoThatWouldHitOneSampleTheFirstKindDoes) {
  const Stream stream({{.kind = FaultKind::kJitter, .share = 1, .by = kMilli},
                       {.kind = FaultKind::kStuck, .span = FaultPlan::Span{10 * kMilli, 100 * kMilli}},
                       {.kind = FaultKind::kDrop, .share = 0.2},
                       {.kind = FaultKind::kOff, .span = FaultPlan::Span{50 * kMilli, 10 * kMilli}}});
  int drops = 0;
  for (std::uint64_t n = 0; n < 200; ++n) {
    const FaultKind kind = stream.Of(n).value();
    if (n >= 50 && n < 60) {
      EXPECT_EQ(kind, FaultKind::kOff) << n;
    } else if (kind != FaultKind::kDrop) {
      EXPECT_EQ(kind, n >= 10 && n < 110 ? FaultKind::kStuck : FaultKind::kJitter) << n;
    } else {
      ++drops;
    }
  }
  EXPECT_NEAR(drops, 38, 25);
}

TEST(Faults, ABitFlipInvertsExactlyOneBitAndReachesAllOfThem) {
  std::array<int, 24> seen{};
  const Stream stream({{.kind = FaultKind::kBitFlip, .share = 1}}, 5);
  for (std::uint64_t n = 0; n < 2400; ++n) {
    std::array<std::byte, 3> frame{};
    EXPECT_EQ(stream.faults().Spoil(*stream.faults().Of(n), n, frame), 3u);
    int set = 0;
    for (std::size_t i = 0; i < 24; ++i) {
      const bool one = (frame[i / 8] & (std::byte{1} << (i % 8))) != std::byte{0};
      set += one;
      seen[i] += one;
    }
    EXPECT_EQ(set, 1) << "sample " << n;
  }
  for (std::size_t i = 0; i < 24; ++i) EXPECT_NEAR(seen[i], 100, 50) << "bit " << i;
  EXPECT_EQ(stream.faults().Spoil(*stream.faults().Of(0), 0, {}), 0u);  // an empty frame has no bit to flip
}

TEST(Faults, ATruncatedFrameIsShorterByAnyNumberOfBytesButNotEmpty) {
  std::array<int, 11> seen{};
  const Stream stream({{.kind = FaultKind::kTruncate, .share = 1}}, 5);
  for (std::uint64_t n = 0; n < 2000; ++n) {
    std::array<std::byte, 11> frame{};
    ++seen[stream.faults().Spoil(*stream.faults().Of(n), n, frame)];
  }
  EXPECT_EQ(seen[0], 0);
  for (std::size_t size = 1; size < 11; ++size) EXPECT_NEAR(seen[size], 200, 75) << size;
  std::array<std::byte, 1> one{};
  EXPECT_EQ(stream.faults().Spoil(*stream.faults().Of(0), 0, one), 1u);
}

TEST(Faults, GarbageIsAsManyRandomBytesAndOthersInEachFrame) {
  const Stream stream({{.kind = FaultKind::kGarbage, .share = 1}}, 5);
  std::array<int, 256> seen{};
  std::array<std::byte, 37> previous{};
  for (std::uint64_t n = 0; n < 2000; ++n) {
    std::array<std::byte, 37> frame{};
    EXPECT_EQ(stream.faults().Spoil(*stream.faults().Of(n), n, frame), 37u);
    EXPECT_NE(frame, previous);
    previous = frame;
    for (const std::byte byte : frame) ++seen[std::to_integer<std::size_t>(byte)];
  }
  for (std::size_t i = 0; i < 256; ++i) EXPECT_NEAR(seen[i], 2000 * 37 / 256.0, 100) << i;
}

}  // namespace
}  // namespace corerig
