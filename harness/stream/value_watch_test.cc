#include "harness/stream/value_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace corerig {
namespace {

constexpr Nanos kMilli = std::chrono::milliseconds(1);

TEST(ValueWatch, WithoutLimitsNothingIsFound) {
  ValueWatch watch({});
  for (int i = 0; i < 1000; ++i) {
    const auto found = watch.Look(i < 500 ? 7 : 1e30, i * kMilli);
    EXPECT_FALSE(found.implausible);
    EXPECT_EQ(found.repeating, 0u);
  }
}

TEST(ValueWatch, WhatLiesOutsideTheLimitsIsImplausibleHoweverLongItLasts) {
  ValueWatch watch({.lowest = 1, .highest = 2});
  EXPECT_FALSE(watch.Look(1, kMilli).implausible);
  EXPECT_FALSE(watch.Look(2, kMilli).implausible);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(watch.Look(i % 2 == 0 ? 0.999 : 2.001, i * kMilli).implausible);
  EXPECT_TRUE(watch.Look(std::nan(""), kMilli).implausible);
  EXPECT_FALSE(watch.Look(1.5, kMilli).implausible);
}

TEST(ValueWatch, AJumpBeyondNoiseAndSlopeIsImplausibleAndTheValueAfterItIsNot) {
  ValueWatch watch({.noise = 1, .slope = 100});
  EXPECT_FALSE(watch.Look(10, Nanos(0)).implausible);
  EXPECT_FALSE(watch.Look(11, Nanos(0)).implausible);
  EXPECT_FALSE(watch.Look(9.9, kMilli).implausible) << "1 + 100 * 0.001";
  EXPECT_TRUE(watch.Look(11.2, 2 * kMilli).implausible);
  EXPECT_FALSE(watch.Look(10, 3 * kMilli).implausible) << "it is compared with the last plausible one";
}

TEST(ValueWatch, AFalseLevelThatLastsIsTakenForTrueWhenTheSlopeAllowsIt) {
  ValueWatch watch({.noise = 1, .slope = 100});
  watch.Look(0, Nanos(0));
  for (int i = 1; i < 100; ++i) EXPECT_EQ(watch.Look(5, i * kMilli).implausible, 1 + 0.1 * i < 5) << i;
}

TEST(ValueWatch, WhatTheValueDidWhileItWasStuckIsNoJump) {
  ValueWatch watch({.noise = 1, .slope = 100, .repeats = 4});
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.Look(5, i * kMilli).implausible);
  EXPECT_FALSE(watch.Look(14, 100 * kMilli).implausible) << "1 + 100 * 0.1";
  EXPECT_FALSE(watch.Look(25, 201 * kMilli).implausible) << "11 more in 0.101 s";
  EXPECT_TRUE(watch.Look(28, 202 * kMilli).implausible);
}

TEST(ValueWatch, ARunIsFoundWholeWhenItIsLongEnoughAndThenOneByOne) {
  ValueWatch watch({.repeats = 4});
  const double values[] = {1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4};
  const std::uint32_t repeating[] = {0, 0, 0, 0, 0, 0, 0, 3, 1, 1, 0, 0};
  const bool first[] = {true, true, false, false, true, false, false, false, false, false, true, false};
  for (int i = 0; i < 12; ++i) {
    const auto found = watch.Look(values[i], i * kMilli);
    EXPECT_EQ(found.repeating, repeating[i]) << i;
    EXPECT_EQ(found.first_of_run, first[i]) << i;
  }
}

TEST(EqualInARow, IsNeverReachedByTheNoiseItIsMeantFor) {
  EXPECT_EQ(EqualInARow(3.99), 13u);  // p = 0.1
  EXPECT_EQ(EqualInARow(0.1), 0u) << "noise below the resolution";
  EXPECT_EQ(EqualInARow(0), 0u);
  for (const double sigma : {1.0, 2.0, 10.0, 100.0}) {
    std::mt19937_64 random(7);
    std::normal_distribution<> noise(0.3, sigma);
    ValueWatch watch({.repeats = EqualInARow(sigma)});
    ASSERT_GT(EqualInARow(sigma), 1u);
    for (int i = 0; i < 500'000; ++i) ASSERT_EQ(watch.Look(std::round(noise(random)), Nanos(i)).repeating, 0u);
  }
}

}  // namespace
}  // namespace corerig
