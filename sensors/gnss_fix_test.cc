#include "sensors/gnss_fix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace corerig {
namespace {

constexpr GnssAccuracy kStandalone = {.position = 1.5, .velocity = 0.05};

Nanos Seconds(double seconds) { return Nanos(std::llround(seconds * 1e9)); }

TEST(GnssFix, VelocityIsTheDerivativeOfThePosition) {
  constexpr double kStep = 1e-3;
  for (double at = 1; at < 130; at += 0.37) {
    const GnssMotion before = GnssTruthAt(Seconds(at - kStep)), now = GnssTruthAt(Seconds(at)),
                     after = GnssTruthAt(Seconds(at + kStep));
    EXPECT_NEAR(now.velocity_north, (after.north - before.north) / (2 * kStep), 1e-6) << at;
    EXPECT_NEAR(now.velocity_east, (after.east - before.east) / (2 * kStep), 1e-6) << at;
    EXPECT_NEAR(now.velocity_up, (after.up - before.up) / (2 * kStep), 1e-6) << at;
  }
}

TEST(GnssFix, CourseIsClockwiseFromNorth) {
  EXPECT_NEAR((GnssMotion{.velocity_north = 1, .velocity_east = 0}).course(), 0, 1e-12);
  EXPECT_NEAR((GnssMotion{.velocity_north = 0, .velocity_east = 1}).course(), 90, 1e-12);
  EXPECT_NEAR((GnssMotion{.velocity_north = -1, .velocity_east = 0}).course(), 180, 1e-12);
  EXPECT_NEAR((GnssMotion{.velocity_north = 0, .velocity_east = -2}).course(), 270, 1e-12);
  EXPECT_NEAR((GnssMotion{.velocity_north = 3, .velocity_east = -4}).speed(), 5, 1e-12);
}

TEST(GnssFix, DegreesAreThoseOfTheEllipsoid) {
  // WGS 84 at 47.6 degrees, by the series of the US Defense Mapping Agency (DMA TM 8358.2): 111132.954 - 559.822 cos 2p
  // + 1.175 cos 4p metres per degree of latitude, 111412.84 cos p - 93.5 cos 3p + 0.118 cos 5p of longitude.
  const double p = 47.6 * M_PI / 180;
  const double latitude = 111132.954 - 559.822 * std::cos(2 * p) + 1.175 * std::cos(4 * p);
  const double longitude = 111412.84 * std::cos(p) - 93.5 * std::cos(3 * p) + 0.118 * std::cos(5 * p);
  EXPECT_NEAR(1 / (LatitudeOf(1) - LatitudeOf(0)), latitude, 1);
  EXPECT_NEAR(1 / (LongitudeOf(1) - LongitudeOf(0)), longitude, 1);
  EXPECT_NEAR(NorthOf(LatitudeOf(123.4)), 123.4, 1e-6);
}

TEST(GnssFix, WanderIsAFunctionOfItsStepAlone) {
  GnssWander forwards(1, 2, 10), other(1, 3, 10);
  std::vector<std::array<double, 3>> expected;
  for (std::uint64_t step = 0; step < 200; ++step) expected.push_back(forwards.At(step));
  GnssWander any(1, 2, 10);
  for (const std::uint64_t step : {199u, 0u, 7u, 7u, 100u, 99u}) EXPECT_EQ(any.At(step), expected[step]) << step;
  EXPECT_NE(other.At(7), expected[7]);
}

TEST(GnssFix, WanderKeepsItsDeviationAndForgetsInAMinute) {
  // 200 000 s are 1667 times twice the time constant: deviations are good to 1.8 %, correlations to 0.035 (two
  // standard errors).
  GnssWander wander(42, 7, 1);
  std::vector<std::array<double, 3>> errors;
  for (std::uint64_t step = 0; step < 200'000; ++step) errors.push_back(wander.At(step));
  const auto correlation = [&](int a, int b, std::size_t lag) {
    double sum = 0;
    for (std::size_t i = lag; i < errors.size(); ++i) sum += errors[i][a] * errors[i - lag][b];
    return sum / static_cast<double>(errors.size() - lag);
  };
  EXPECT_NEAR(correlation(0, 0, 0), 1, 0.07);
  EXPECT_NEAR(correlation(1, 1, 0), 1, 0.07);
  EXPECT_NEAR(correlation(2, 2, 0), 4, 0.28);
  EXPECT_NEAR(correlation(0, 0, 1) / correlation(0, 0, 0), std::exp(-1 / 60.0), 0.001);
  EXPECT_NEAR(correlation(0, 0, 60) / correlation(0, 0, 0), std::exp(-1), 0.06);
  EXPECT_NEAR(correlation(0, 0, 300), 0, 0.1);
  EXPECT_NEAR(correlation(0, 1, 0), 0, 0.07);
}

TEST(GnssFix, WanderIsSteadyFromItsFirstStep) {
  double squares = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    const double error = GnssWander(seed, 7, 20).At(3)[0];
    squares += error * error;
  }
  EXPECT_NEAR(squares / 10'000, 1, 0.06);
}

TEST(GnssFix, HalfOfAllVelocitiesLieWithinTheStatedCircle) {
  GnssPath path(42, 7, Rate::Hertz(10), kStandalone);
  constexpr int kSamples = 20'000;
  int within = 0;
  double up = 0, product = 0, previous = 0;
  for (std::uint64_t sample = 0; sample < kSamples; ++sample) {
    const GnssFix fix = path.At(sample);
    const double north = fix.measured.velocity_north - fix.truth.velocity_north;
    within += std::hypot(north, fix.measured.velocity_east - fix.truth.velocity_east) < 0.05;
    const double error_up = fix.measured.velocity_up - fix.truth.velocity_up;
    up += error_up * error_up;
    product += north * previous;
    previous = north;
  }
  const double sigma = 0.05 / 1.17741;
  EXPECT_NEAR(within / double{kSamples}, 0.5, 0.02);
  EXPECT_NEAR(std::sqrt(up / kSamples) / (2 * sigma), 1, 0.03);
  EXPECT_NEAR(product / kSamples / (sigma * sigma), 0, 0.04) << "errors of velocity are white";
}

}  // namespace
}  // namespace corerig
