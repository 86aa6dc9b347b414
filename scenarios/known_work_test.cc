#include "scenarios/known_work.h"

#include <gtest/gtest.h>

#include <vector>

#include "harness/os/clock.h"

namespace corerig {
namespace {

// The generator's first states from 1, by Python's integers.
TEST(KnownWork, IsKnuthsGenerator) {
  EXPECT_EQ(Work(1, 0), 1u);
  EXPECT_EQ(Work(1, 1), 7806831264735756412u);
  EXPECT_EQ(Work(1, 2), 9396908728118811419u);
}

TEST(KnownWork, ItsResultIsKnownWithoutDoingIt) {
  for (const std::uint64_t state : {std::uint64_t{0}, std::uint64_t{42}, ~std::uint64_t{0}}) {
    for (std::uint64_t iterations = 0; iterations < 300; ++iterations) {
      ASSERT_EQ(WorkResult(state, iterations), Work(state, iterations)) << state << " " << iterations;
    }
    EXPECT_EQ(WorkResult(state, 1'234'567), Work(state, 1'234'567));
  }
}

TEST(KnownWork, OneIterationMoreOrLessIsSeen) {
  EXPECT_NE(Work(7, 100'000), WorkResult(7, 99'999));
  EXPECT_NE(Work(7, 100'000), WorkResult(7, 100'001));
}

TEST(KnownWork, TheFastestSampleCounts) {
  // A clock by which every sample takes 200 us, and the fifth takes 65.536.
  int reading = 0;
  Nanos now{0};
  const auto clock = [&] {
    ++reading;
    const bool ends = reading > 1 && reading % 2 == 1;
    if (ends) now += reading == 11 ? Nanos(65'536) : Nanos(200'000);
    return now;
  };
  EXPECT_DOUBLE_EQ(IterationsPerMicrosecond(clock), 1000);
}

TEST(KnownWork, TakesTheTimeItIsCalibratedTo) {
  const double rate = IterationsPerMicrosecond(ThreadCpuTime);
  // Once undisturbed in many attempts; never faster than the best, but for a core that has just gone faster.
  double best = 1e9;
  for (int attempt = 0; attempt < 50; ++attempt) {
    const Nanos before = ThreadCpuTime();
    volatile std::uint64_t state = Work(1, static_cast<std::uint64_t>(rate * 500));
    (void)state;
    best = std::min(best, static_cast<double>((ThreadCpuTime() - before).count()) / 500'000);
  }
  EXPECT_GT(best, 0.6);
  EXPECT_LT(best, 1.5);
}

}  // namespace
}  // namespace corerig
