#include "sensors/ieee952.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "harness/base/philox.h"

namespace corerig {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::uint32_t kStream = StreamId("noise");

Ieee952Noise NoiseOf(const Ieee952& axis, Rate rate, std::uint64_t seed = kSeed) {
  return Ieee952Noise({axis, axis, axis}, rate, seed, kStream, 3);
}

double Seconds(std::uint64_t samples, Rate rate) { return static_cast<double>(samples) / rate.hertz(); }

TEST(Ieee952, DensityOfADataSheetIsSquareRootOfTwoTimesTheRandomWalk) {
  // The standard deviation of a sample is the density times the root of half the rate.
  EXPECT_DOUBLE_EQ(RandomWalkOf(2.8e-3) * std::sqrt(1000.0), 2.8e-3 * std::sqrt(500.0));
}

// The Allan variance of a Gauss-Markov process by the standard's formula, over all averaging times.
TEST(Ieee952, GaussMarkovProcessReachesTheFloorOfFlickerNoiseAtItsMaximum) {
  constexpr double kB = 3e-5, kT = 80;
  const GaussMarkov process = GaussMarkovOf(kB, kT);
  EXPECT_NEAR(process.steady, process.driving * std::sqrt(kT / 2), 1e-15);
  double most = 0, at = 0;
  for (double t = kT / 10; t < 10 * kT; t *= 1.0001) {
    const double x = t / kT;
    const double variance =
        process.driving * process.driving * kT * (1 - (3 - 4 * std::exp(-x) + std::exp(-2 * x)) / (2 * x)) / x;
    if (variance > most) most = variance, at = t;
  }
  EXPECT_NEAR(std::sqrt(most), std::sqrt(2 * std::numbers::ln2 / std::numbers::pi) * kB, 1e-9 * kB);
  EXPECT_NEAR(at / kT, 1.8926, 0.001);
  EXPECT_NEAR(process.steady / kB, 1.0760, 0.0001);
  EXPECT_NEAR(process.driving / kB * std::sqrt(kT), 1.5217, 0.0001);
}

TEST(Ieee952, RandomWalkIsWhiteWithADeviationOfTheRootOfTheRate) {
  for (const Rate rate : {Rate::Hertz(100), Rate{819'200}, Rate::Hertz(8000)}) {
    auto noise = NoiseOf({.random_walk = 2}, rate);
    constexpr int kSamples = 100'000;
    Axes previous{};
    double squares = 0, products = 0, across = 0;
    for (int n = 0; n < kSamples; ++n) {
      const Axes now = noise.At(static_cast<std::uint64_t>(n));
      squares += now[0] * now[0] / kSamples;
      products += now[0] * previous[0] / kSamples;
      across += now[0] * now[1] / kSamples;
      previous = now;
    }
    EXPECT_NEAR(squares / (4 * rate.hertz()), 1, 0.02) << rate.hertz();
    EXPECT_NEAR(products / squares, 0, 0.015) << "neighbours";
    EXPECT_NEAR(across / squares, 0, 0.015) << "axes";
  }
}

TEST(Ieee952, BiasIsSteadyFromTheFirstSampleAndForgetsWithItsCorrelationTime) {
  constexpr double kT = 4;
  const Rate rate = Rate::Hertz(100);
  const double sigma = GaussMarkovOf(1, kT).steady;
  constexpr int kParts = 2000;
  double first = 0, later = 0, together = 0;
  for (int part = 0; part < kParts; ++part) {
    auto noise = NoiseOf({.bias_instability = 1, .correlation_time = kT}, rate, static_cast<std::uint64_t>(part));
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double at_0 = noise.At(0)[axis], at_4 = noise.At(400)[axis];
      first += at_0 * at_0 / (3 * kParts);
      later += at_4 * at_4 / (3 * kParts);
      together += at_0 * at_4 / (3 * kParts);
    }
  }
  EXPECT_NEAR(first / (sigma * sigma), 1, 0.05);
  EXPECT_NEAR(later / (sigma * sigma), 1, 0.05);
  EXPECT_NEAR(together / (sigma * sigma), std::exp(-1), 0.05);
}

TEST(Ieee952, RateRandomWalkHasAVarianceOfTheSquareTimesTheTime) {
  const Rate rate = Rate::Hertz(100);
  constexpr int kParts = 2000;
  for (const std::uint64_t sample : {100u, 500u, 1000u}) {
    double squares = 0;
    for (int part = 0; part < kParts; ++part) {
      auto noise = NoiseOf({.rate_random_walk = 0.5}, rate, static_cast<std::uint64_t>(part));
      for (const double value : noise.At(sample)) squares += value * value / (3 * kParts);
    }
    EXPECT_NEAR(squares / (0.25 * Seconds(sample, rate)), 1, 0.05) << sample;
  }
  EXPECT_EQ(NoiseOf({.rate_random_walk = 0.5}, rate).At(0), Axes{}) << "it begins at 0";
}

TEST(Ieee952, QuantisationIsTheDifferenceOfErrorsOfTheAngle) {
  const Rate rate = Rate::Hertz(200);
  auto noise = NoiseOf({.quantization = 1e-3}, rate);
  // The angle, summed up, stays within the error of its ends; samples are 1e-3 * sqrt(2) / 5 ms.
  double angle = 0, squares = 0;
  constexpr int kSamples = 50'000;
  for (int n = 0; n < kSamples; ++n) {
    const double value = noise.At(static_cast<std::uint64_t>(n))[2];
    squares += value * value / kSamples;
    angle += value / rate.hertz();
    ASSERT_LT(std::abs(angle), 10e-3) << n;
  }
  EXPECT_NEAR(std::sqrt(squares) / (1e-3 * std::numbers::sqrt2 * 200), 1, 0.02);
}

TEST(Ieee952, IsAFunctionOfTheSampleAlone) {
  const Ieee952 all{.random_walk = 1e-3,
                    .bias_instability = 1,
                    .correlation_time = 10,
                    .rate_random_walk = 0.1,
                    .quantization = 1e-4};
  const Rate rate = Rate::Hertz(100);
  auto in_order = NoiseOf(all, rate), jumping = NoiseOf(all, rate);
  std::vector<Axes> expected;
  for (std::uint64_t n = 0; n < 1000; ++n) expected.push_back(in_order.At(n));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t n = i * 601 % 1000;
    ASSERT_EQ(jumping.At(n), expected[n]) << n;
  }
}

TEST(Ieee952, PathOfWhatIsSlowDoesNotDependOnTheRate) {
  const Ieee952 slow{.bias_instability = 1, .correlation_time = 10, .rate_random_walk = 0.1};
  auto coarse = NoiseOf(slow, Rate::Hertz(10)), fine = NoiseOf(slow, Rate::Hertz(8000));
  for (std::uint64_t n = 0; n < 300; ++n) ASSERT_EQ(coarse.At(n), fine.At(800 * n)) << n;
}

TEST(Ieee952, LanesKeepToTheirRange) {
  const Ieee952 all{
      .random_walk = 1, .bias_instability = 1, .correlation_time = 10, .rate_random_walk = 1, .quantization = 1};
  const Rate rate = Rate::Hertz(100);
  Ieee952Noise one({all, all, all}, rate, kSeed, kStream, 0);
  Ieee952Noise other({all, all, all}, rate, kSeed, kStream, Ieee952Noise::kLanes);
  double products = 0, squares = 0, before_one = 0, before_other = 0;
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    const double now_one = one.At(n)[0], now_other = other.At(n)[0];
    products += (now_one - before_one) * (now_other - before_other);
    squares += (now_one - before_one) * (now_one - before_one);
    before_one = now_one;
    before_other = now_other;
  }
  EXPECT_LT(std::abs(products / squares), 0.05);
}

TEST(AxisErrors, ScaleTheirOwnAxisAndLeakFromTheOthers) {
  const AxisErrors errors{.e = {Axes{0.01, 0.002, 0}, Axes{0, -0.01, 0}, Axes{0, 0, 0}}};
  const Axes shown = errors.Of({1, 10, 100});
  EXPECT_DOUBLE_EQ(shown[0], 1 + 0.01 + 0.02);
  EXPECT_DOUBLE_EQ(shown[1], 9.9);
  EXPECT_DOUBLE_EQ(shown[2], 100);
}

TEST(AxisErrors, AreDrawnWithinTheTolerances) {
  double scale = 0, cross = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const AxisErrors errors = DrawAxisErrors(0.005, 0.01, seed, kStream, 1);
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        double& most = i == j ? scale : cross;
        most = std::max(most, std::abs(errors.e[i][j]));
      }
    }
  }
  EXPECT_LT(scale, 0.005);
  EXPECT_GT(scale, 0.0049);
  EXPECT_LT(cross, 0.01);
  EXPECT_GT(cross, 0.0098);
}

}  // namespace
}  // namespace corerig
