#include "harness/stream/schedule.h"

#include <gtest/gtest.h>

#include <set>

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Plan PlanWith(std::vector<std::int64_t> millihertz, std::uint64_t seed = 42) {
  Plan plan;
  plan.seed = seed;
  plan.warmup = seconds(1);
  plan.duration = seconds(3);
  for (std::size_t i = 0; i < millihertz.size(); ++i) {
    StreamPlan stream;
    stream.name = "s" + std::to_string(i);
    stream.rate = Rate{millihertz[i]};
    plan.streams.push_back(stream);
  }
  return plan;
}

TEST(Schedule, TheFirstSampleIsDueWithinOnePeriodOfTheStart) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Plan plan = PlanWith({1'000'000, 10'000, 500, 819'200, 32'000'000}, seed);
    for (const auto& stream : plan.streams) {
      const Nanos first = ScheduleOf(plan, stream, seconds(5)).first;
      EXPECT_GE(first, seconds(5)) << stream.name << " seed " << seed;
      EXPECT_LT(first, seconds(5) + stream.rate.OffsetOf(1)) << stream.name << " seed " << seed;
    }
  }
}

TEST(Schedule, StreamsOfOneRateDoNotFireTogether) {
  const Plan plan = PlanWith(std::vector<std::int64_t>(16, 1'000'000));
  std::set<std::int64_t> phases;
  for (const auto& stream : plan.streams) phases.insert(ScheduleOf(plan, stream, Nanos(0)).first.count());
  EXPECT_EQ(phases.size(), 16u);
}

TEST(Schedule, ThePhaseDependsOnSeedAndNameOnly) {
  const Plan one = PlanWith({1'000'000});
  Plan many = PlanWith({1'000'000, 1'000'000, 1'000'000});
  std::swap(many.streams[0], many.streams[2]);
  EXPECT_EQ(ScheduleOf(one, one.streams[0], Nanos(7)).first, ScheduleOf(many, many.streams[2], Nanos(7)).first);
  const Plan other = PlanWith({1'000'000}, 43);
  EXPECT_NE(ScheduleOf(one, one.streams[0], Nanos(0)).first, ScheduleOf(other, other.streams[0], Nanos(0)).first);
}

TEST(Schedule, PhasesAreSpreadOverThePeriod) {
  int first_half = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Plan plan = PlanWith({1'000'000}, seed);
    first_half += ScheduleOf(plan, plan.streams[0], Nanos(0)).first < Nanos(500'000);
  }
  EXPECT_NEAR(first_half, 500, 80);  // five standard deviations
}

// The oracle walks over the due times one by one.
TEST(Schedule, ExpectedCountsExactlyTheSamplesDueInTheWindow) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Plan plan = PlanWith({1'000'000, 10'000, 400, 819'200, 3'333}, seed);
    for (const auto& stream : plan.streams) {
      const StreamSchedule schedule = ScheduleOf(plan, stream, Nanos(0));
      for (const Nanos end : {Nanos(seconds(4)), Nanos(milliseconds(1777)), Nanos(1'000'000'001), Nanos(seconds(1))}) {
        SampleRange counted;
        std::uint64_t k = 0;
        while (schedule.DueOf(k) < plan.warmup) ++k;
        counted.first = k;
        while (schedule.DueOf(k) < end) ++k;
        counted.count = k - counted.first;
        EXPECT_EQ(Expected(plan, stream, plan.warmup, end), counted)
            << stream.name << " seed " << seed << " end " << end.count();
      }
    }
  }
}

TEST(Schedule, TheWindowDoesNotDependOnWhenTheRunStarts) {
  const Plan plan = PlanWith({819'200});
  for (const std::int64_t start : {0ll, 1ll, 123'456'789'123ll, 9'000'000'000'000'000ll}) {
    const SampleRange seen = ScheduleOf(plan, plan.streams[0], Nanos(start))
                                 .DueIn(Nanos(start) + plan.warmup, Nanos(start) + plan.warmup + plan.duration);
    EXPECT_EQ(seen, Expected(plan, plan.streams[0], plan.warmup, plan.warmup + plan.duration)) << start;
  }
}

TEST(Schedule, AWindowThatEndsBeforeItBeginsIsEmpty) {
  const Plan plan = PlanWith({1'000'000});
  EXPECT_EQ(Expected(plan, plan.streams[0], seconds(1), milliseconds(300)).count, 0u);
}

// Over a day: the sum of all periods is that of a clock that is so much faster or slower.
TEST(Schedule, ASensorsClockThatRunsFastMakesItsSamplesComeEarly) {
  for (const int ppb : {-1'000'000, -20'000, 1, 50'000, 1'000'000}) {
    Plan plan = PlanWith({1'000'000});
    plan.streams[0].clock.ppb = ppb;
    const StreamSchedule schedule = ScheduleOf(plan, plan.streams[0], Nanos(0));
    constexpr std::uint64_t kDay = 86'400'000;
    const double seconds = static_cast<double>((schedule.DueOf(kDay) - schedule.DueOf(0)).count()) * 1e-9;
    EXPECT_NEAR(86'400 / seconds, 1 + ppb * 1e-9, 1e-13) << ppb;
  }
}

TEST(Schedule, ExpectedCountsExactlyWhateverTheSensorsClockDoes) {
  for (const int ppb : {-1'000'000, -999, 1, 333'333, 1'000'000}) {
    Plan plan = PlanWith({1'000'000, 819'200, 3'333});
    for (auto& stream : plan.streams) {
      stream.clock.ppb = ppb;
      const StreamSchedule schedule = ScheduleOf(plan, stream, Nanos(0));
      for (const Nanos end : {Nanos(seconds(4)), Nanos(1'777'000'001), schedule.DueOf(1000), schedule.DueOf(1001)}) {
        SampleRange counted;
        while (schedule.DueOf(counted.first) < plan.warmup) ++counted.first;
        while (schedule.DueOf(counted.first + counted.count) < end) ++counted.count;
        EXPECT_EQ(Expected(plan, stream, plan.warmup, end), counted) << stream.name << " " << ppb << " " << end.count();
      }
    }
  }
}

TEST(Schedule, AStreamThatSendsSeveralSamplesInAFrameHasAsManyFramesLess) {
  Plan plan = PlanWith({8'000'000});
  plan.streams[0].batch = 8;
  const StreamSchedule schedule = ScheduleOf(plan, plan.streams[0], Nanos(0));
  EXPECT_EQ(schedule.DueOf(1) - schedule.DueOf(0), milliseconds(1));
  EXPECT_EQ(Expected(plan, plan.streams[0], seconds(1), seconds(4)).count, 3000u);
}

TEST(Schedule, FramesThatComeInAPatternAreCountedOneByOne) {
  Plan plan = PlanWith({900'000, 18'000});
  for (int k = 0; k < 18; ++k) {
    plan.streams[0].pattern.push_back(Nanos(270'000 * (k + 1)));        // a burst at the begin of each 20 ms
    plan.streams[1].pattern.push_back(milliseconds(50 * (k + k / 9)));  // 20 Hz without the 10th and the 20th
  }
  for (const int ppb : {0, 100'000}) {
    for (auto& stream : plan.streams) {
      stream.clock.ppb = ppb;
      const StreamSchedule schedule = ScheduleOf(plan, stream, Nanos(0));
      for (std::uint64_t k = 1; k < 200; ++k) EXPECT_LT(schedule.DueOf(k - 1), schedule.DueOf(k));
      for (const Nanos end : {Nanos(seconds(4)), Nanos(1'777'000'001), schedule.DueOf(1000), schedule.DueOf(1001)}) {
        SampleRange counted;
        while (schedule.DueOf(counted.first) < plan.warmup) ++counted.first;
        while (schedule.DueOf(counted.first + counted.count) < end) ++counted.count;
        EXPECT_EQ(Expected(plan, stream, plan.warmup, end), counted) << stream.name << " " << ppb << " " << end.count();
      }
    }
  }
}

TEST(Schedule, ARecordingComesAgainAfterItsCycleExactlyHoweverItsRateIsRounded) {
  Plan plan = PlanWith({1});  // 3 frames in 1000 s are 3 mHz; a rate that is far off only makes looking slower
  plan.streams[0].pattern = {Nanos(0), Nanos(7), Nanos(7)};
  plan.streams[0].recording = RecordingPlan{.cycle = Nanos(1'000'000'007)};
  for (const int ppb : {0, 100'000, -1'000'000}) {
    plan.streams[0].clock.ppb = ppb;
    const StreamSchedule schedule = ScheduleOf(plan, plan.streams[0], Nanos(0));
    const auto own = [&](std::uint64_t k) { return static_cast<double>((schedule.DueOf(k) - schedule.first).count()); };
    for (std::uint64_t cycle = 0; cycle < 1000; ++cycle) {
      const double begin = 1'000'000'007.0 * static_cast<double>(cycle) / (1 + ppb * 1e-9);
      EXPECT_NEAR(own(3 * cycle), begin, 1) << ppb;
      EXPECT_NEAR(own(3 * cycle + 1), begin + 7, 1.01) << ppb;
      EXPECT_EQ(own(3 * cycle + 2), own(3 * cycle + 1)) << ppb;
    }
    const Nanos end = schedule.DueOf(1000);
    for (const Nanos begin : {end, end + Nanos(1), schedule.DueOf(999), schedule.DueOf(1001)}) {
      std::uint64_t before = 0;
      while (schedule.DueOf(before) < begin) ++before;
      EXPECT_EQ(schedule.DueIn(begin, begin + seconds(10'000)).first, before) << ppb;
      EXPECT_EQ(schedule.DueIn(Nanos(0), begin).count, before) << ppb;
    }
  }
}

}  // namespace
}  // namespace corerig
