#include "harness/os/clock_resolution.h"

#include <gtest/gtest.h>

#include <vector>

namespace corerig {
namespace {

std::vector<Nanos> Readings(const std::vector<int>& steps) {
  std::vector<Nanos> readings = {Nanos(1000)};
  for (const int step : steps) readings.push_back(readings.back() + Nanos(step));
  return readings;
}

TEST(ClockResolution, IsTheLeastAndTheMedianOfTheSteps) {
  const auto clock = ResolutionOf(Nanos(1), Readings({30, 31, 29, 30, 5000, 33, 30}));
  EXPECT_EQ(clock.step, Nanos(29));
  EXPECT_EQ(clock.read, Nanos(30));
  EXPECT_EQ(clock.finest(), Nanos(30));
}

TEST(ClockResolution, ACoarseClockIsAsFineAsItsSteps) {
  std::vector<int> steps(100, 0);
  steps[20] = steps[60] = steps[99] = 1000;
  const auto clock = ResolutionOf(Nanos(1), Readings(steps));
  EXPECT_EQ(clock.step, Nanos(1000));
  EXPECT_EQ(clock.read, Nanos(30)) << "3000 ns for 100 readings";
  EXPECT_EQ(clock.finest(), Nanos(1000));
}

TEST(ClockResolution, WithoutHighResolutionTimersItIsATick) {
  EXPECT_EQ(ResolutionOf(Nanos(4'000'000), Readings({30, 30, 30})).finest(), Nanos(4'000'000));
}

TEST(ClockResolution, NoReadingsTellNothing) {
  EXPECT_EQ(ResolutionOf(Nanos(1), {}).read, Nanos(0));
  EXPECT_EQ(ResolutionOf(Nanos(1), Readings({})).step, Nanos(0));
}

TEST(ClockResolution, OfThisMachineIsSane) {
  const auto clock = MeasureClock();
  EXPECT_GE(clock.timer, Nanos(1));
  EXPECT_GE(clock.step, Nanos(1));
  EXPECT_GE(clock.read, clock.step);
  EXPECT_LT(clock.read, std::chrono::milliseconds(1));
}

}  // namespace
}  // namespace corerig
