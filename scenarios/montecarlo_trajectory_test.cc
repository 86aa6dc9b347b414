#include "scenarios/montecarlo_trajectory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "scenarios/group_run.h"

namespace corerig {
namespace {

GroupRun Cars(std::uint64_t units, std::uint64_t seed = 42) {
  return {.type = MonteCarloTrajectory(), .units = units, .seed = seed};
}

// Of two steps only the second goes sideways, by u_1 sin t_0: means over both, by the midpoint rule.
TEST(ExpectEnd, IsTheIntegralOverTheNoiseOfTwoSteps) {
  const VehicleModel car = {
      .wheelbase = 0.4, .step = 0.1, .speed = 3, .speed_noise = 0.7, .steering = 0.2, .steering_noise = 0.1};
  double sine = 0, sine_squared = 0, cosine = 0;
  constexpr int kEach = 400;
  constexpr double kWidth = 8.0 / kEach;
  for (int i = -kEach; i <= kEach; ++i) {
    for (int k = -kEach; k <= kEach; ++k) {
      const double n = i * kWidth, m = k * kWidth;
      const double weight = std::exp(-(n * n + m * m) / 2) / (2 * 3.14159265358979323846) * kWidth * kWidth;
      const double turn = (car.speed + car.speed_noise * n) * car.step *
                          std::tan(car.steering + car.steering_noise * m) / car.wheelbase;
      sine += weight * std::sin(turn);
      sine_squared += weight * std::sin(turn) * std::sin(turn);
      cosine += weight * std::cos(turn);
    }
  }
  const double way = 0.3, way_squared = 0.3 * 0.3 + 0.07 * 0.07;
  const ExpectedEnd end = ExpectEnd(car, 2);
  EXPECT_NEAR(end.along_mean, way + way * cosine, 1e-12);
  EXPECT_NEAR(end.lateral_mean, way * sine, 1e-12);
  EXPECT_NEAR(end.lateral_variance, way_squared * sine_squared - way * way * sine * sine, 1e-12);
}

// Small noise, linearised: lateral = sum over j of (n - 1 - j) * (v dt)^2 / L * steering_j.
TEST(ExpectEnd, ApproachesTheLinearModelAsNoiseVanishes) {
  const int steps = 300;
  for (const double noise : {1e-3, 1e-4}) {
    const VehicleModel car = {
        .wheelbase = 2.7, .step = 0.01, .speed = 25, .speed_noise = 0, .steering = 0, .steering_noise = noise};
    double squares = 0;
    for (int j = 0; j < steps; ++j) squares += std::pow(steps - 1 - j, 2);
    const double linear = squares * std::pow(0.25 * 0.25 / 2.7 * noise, 2);
    EXPECT_NEAR(ExpectEnd(car, steps).lateral_variance / linear, 1, 10 * noise);
    EXPECT_NEAR(ExpectEnd(car, steps).lateral_mean, 0, 1e-12);
    EXPECT_NEAR(ExpectEnd(car, steps).along_mean, 75, 75 * squares / steps * std::pow(0.25 / 2.7 * noise, 2));
  }
}

TEST(ExpectEnd, WithoutNoiseIsTheCircle) {
  const VehicleModel car = {
      .wheelbase = 2.7, .step = 1e-3, .speed = 2, .speed_noise = 0, .steering = 0.3, .steering_noise = 0};
  const double radius = 2.7 / std::tan(0.3), angle = 2 * 0.5 / radius;
  const ExpectedEnd end = ExpectEnd(car, 500);
  EXPECT_NEAR(end.along_mean, radius * std::sin(angle), 1e-3);
  EXPECT_NEAR(end.lateral_mean, radius * (1 - std::cos(angle)), 1e-3);
  EXPECT_NEAR(end.lateral_variance, 0, 1e-12);
}

TEST(MonteCarloTrajectory, AnswerIsTheSameToTheLastBitForAnyNumberOfWorkers) {
  GroupRun run = Cars(9);
  run.Set("step", "0.05");
  const auto one = BitsOf(run.With(1));
  ASSERT_FALSE(one.empty());
  for (const int workers : {2, 3, 7}) EXPECT_EQ(BitsOf(run.With(workers)), one) << workers << " workers";
}

// What seed 42 gave on the machine it was written on: within rounding the same on every other.
TEST(MonteCarloTrajectory, AnswerIsTheSameOnEveryBoard) {
  const auto answer = Cars(3).Set("step", "0.05").With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_NEAR(FigureOf(*answer, "lateral_mean"), 0.38264392081634735, 1e-12);
  EXPECT_NEAR(FigureOf(*answer, "lateral_deviation"), 1.3477110409402613, 1e-12);
  EXPECT_NEAR(FigureOf(*answer, "along_mean"), 74.977360091443899, 75e-12);
  EXPECT_EQ(FigureOf(*answer, "left_lane"), 0.529296875);
}

TEST(MonteCarloTrajectory, FiguresAgreeWithWhatIsKnownExactly) {
  const auto answer = Cars(12).With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
  EXPECT_EQ(answer->units, 12u);
  EXPECT_EQ(FigureOf(*answer, "rollouts"), 12 * 512);
  EXPECT_NEAR(FigureOf(*answer, "lateral_deviation"), FigureOf(*answer, "exact_lateral_deviation"), 0.02);
  EXPECT_NEAR(FigureOf(*answer, "lateral_mean"), FigureOf(*answer, "exact_lateral_mean"), 0.03);
  // The bias alone, by the circle's arc: 25 m/s for 3 s at tan(0.02 degrees) / 2.7 m.
  EXPECT_NEAR(FigureOf(*answer, "exact_lateral_mean"), 75 * 75 / 2.0 * std::tan(0.02 * M_PI / 180) / 2.7, 0.01);
  const double left = FigureOf(*answer, "left_lane");
  EXPECT_GT(left, 0.05);
  EXPECT_LT(left, 0.5);
}

// At the end alone the deviation is nearly normal: the share beyond the margin is at least that of the normal tails.
TEST(MonteCarloTrajectory, LeavesTheLaneAsOftenAsTheDeviationSays) {
  const auto answer = Cars(12).Set("steering", "0").Set("margin", "1").With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  const double tails = std::erfc(1 / FigureOf(*answer, "exact_lateral_deviation") / std::sqrt(2.0));
  EXPECT_GT(FigureOf(*answer, "left_lane"), tails - 0.01);
  EXPECT_LT(FigureOf(*answer, "left_lane"), 2 * tails + 0.01);  // the reflection principle's bound
}

// Strong noise, hairpins and spins: nothing is small, and the mean is known all the same.
TEST(MonteCarloTrajectory, ErrorsOverSeedsAreWithinTheirStandardErrors) {
  constexpr int kSeeds = 60;
  double squares = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    GroupRun run = Cars(2, static_cast<std::uint64_t>(seed));
    run.Set("steering", "5").Set("steering_noise", "7").Set("speed_noise", "10").Set("step", "0.05");
    const auto answer = run.With(1);
    ASSERT_TRUE(answer) << ErrorOf(answer);
    EXPECT_TRUE(answer->check->passed) << "seed " << seed << ": " << answer->check->text;
    const double z = (FigureOf(*answer, "lateral_mean") - FigureOf(*answer, "exact_lateral_mean")) /
                     FigureOf(*answer, "lateral_mean_standard_error");
    squares += z * z;
  }
  EXPECT_NEAR(squares / kSeeds, 1, 4 * std::sqrt(2.0 / kSeeds));
}

TEST(MonteCarloTrajectory, CheckFailsWhenAnyOfTheThreeIsOff) {
  GroupRun run = Cars(16);
  run.Set("step", "0.03");
  const auto right = run.With(1);
  ASSERT_TRUE(right) << ErrorOf(right);
  ASSERT_TRUE(right->tally);
  const double count = 16 * 512;
  const auto shifted = [&](std::size_t sum, double by) {
    Tally tally = *right->tally;
    tally.sums[sum].Add(by * count);
    return *run.type.conclude(run.Job(), tally)->check;
  };
  EXPECT_TRUE(shifted(0, 0).passed);
  EXPECT_FALSE(shifted(0, 0.1).passed) << "along";
  EXPECT_FALSE(shifted(2, 0.1).passed) << "lateral";
  EXPECT_NE(shifted(2, 0.1).text.find("the exact mean of the lateral deviation"), std::string::npos);
  EXPECT_FALSE(shifted(3, 0.2).passed) << "its square";
  EXPECT_NE(shifted(3, 0.2).text.find("the exact variance of the lateral deviation"), std::string::npos);
  // Another car's rollouts.
  const auto wrong = run.type.conclude(Cars(16).Set("step", "0.03").Set("steering_noise", "0.55").Job(), *right->tally);
  ASSERT_TRUE(wrong);
  EXPECT_FALSE(wrong->check->passed) << wrong->check->text;
}

TEST(MonteCarloTrajectory, WithoutNoiseEveryRolloutIsTheKnownOne) {
  const auto answer =
      Cars(1).Set("steering_noise", "0").Set("speed_noise", "0").Set("steering", "10").Set("speed", "3").With(1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
  EXPECT_NEAR(FigureOf(*answer, "lateral_mean"), FigureOf(*answer, "exact_lateral_mean"), 1e-10);
  EXPECT_EQ(FigureOf(*answer, "left_lane"), 1);
}

TEST(MonteCarloTrajectory, TheAnswerOfTheSurvivorsSaysOverHowManyUnits) {
  const auto answer = Cars(20).Set("step", "0.05").With(3, /*missing=*/1);
  ASSERT_TRUE(answer) << ErrorOf(answer);
  EXPECT_EQ(answer->units, 13u);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
}

TEST(MonteCarloTrajectory, ParametersThatMakeNoCarAreRefused) {
  EXPECT_EQ(Cars(1).Refusal(), "");
  EXPECT_EQ(Cars(1).Set("step", "0.001").Refusal(), "horizon / step is 3000 steps; write a step that makes 1 to 500");
  EXPECT_EQ(Cars(1).Set("step", "7").Refusal().substr(0, 40), "horizon / step is 0.42857142857142855 st");
  EXPECT_EQ(Cars(1).Set("horizon", "1e300").Refusal().substr(0, 17), "horizon / step is");
  EXPECT_EQ(Cars(1).Set("steering_noise", "9").Refusal().substr(0, 43), "steering and eight times its noise are 72.0");
  EXPECT_EQ(Cars(1).Set("speed", "1e200").Refusal(),
            "this car leaves the earth; speed is in m/s, horizon in s, wheelbase in m");
  EXPECT_EQ(Cars(1).Set("wheelbase", "1e-9").Refusal(),
            "this car spins more than 16000 times; write a longer wheelbase or less speed");
}

}  // namespace
}  // namespace corerig
