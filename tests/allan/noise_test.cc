// One simulated hour of the noise of an inertial sensor, seen by an estimator of Allan deviations that knows nothing of
// how it was made: every process has the level and the slope that IEEE Std 952 gives it, and N comes back within 5 %.

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "harness/base/philox.h"
#include "sensors/icm42688p.h"
#include "sensors/ieee952.h"
#include "sensors/received.h"
#include "tests/allan/allan.h"

namespace corerig {
namespace {

// Of a gyroscope, rad/s: parted so that an hour shows each in its own decades.
constexpr double kN = 3.5e-5, kB = 5e-5, kT = 12, kK = 1e-5;

// Allan variances averaged over three independent axes.
class Hour {
 public:
  Hour(const Ieee952& axis, Rate rate, double seconds = 3600) : rate_(rate) {
    Ieee952Noise noise({axis, axis, axis}, rate, 2026, StreamId("hour"), 0);
    std::array<std::vector<double>, 3> samples;
    const auto count = static_cast<std::uint64_t>(seconds * rate.hertz());
    for (auto& one : samples) one.reserve(count);
    for (std::uint64_t n = 0; n < count; ++n) {
      const Axes error = noise.At(n);
      for (std::size_t i = 0; i < 3; ++i) samples[i].push_back(error[i]);
    }
    for (const auto& one : samples) axes_.emplace_back(one, 1 / rate.hertz());
  }

  double Deviation(double seconds) const {
    const auto count = static_cast<std::size_t>(std::lround(seconds * rate_.hertz()));
    double variance = 0;
    for (const AllanEstimator& axis : axes_) variance += axis.Variance(count) / 3;
    return std::sqrt(variance);
  }

  // By least squares over the logarithms of five times.
  double Slope(double from, double to) const {
    double x = 0, y = 0, xx = 0, xy = 0;
    constexpr int kPoints = 5;
    for (int i = 0; i < kPoints; ++i) {
      const double t = std::log(from) + (std::log(to) - std::log(from)) * i / (kPoints - 1);
      const double d = std::log(Deviation(std::exp(t)));
      x += t / kPoints, y += d / kPoints, xx += t * t / kPoints, xy += t * d / kPoints;
    }
    return (xy - x * y) / (xx - x * x);
  }

 private:
  Rate rate_;
  std::vector<AllanEstimator> axes_;
};

void Print(const char* what, double found, double truth) {
  std::cout << what << ": " << found << ", true " << truth << ", ratio " << found / truth << "\n";
}

class ByRate : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Rates, ByRate, testing::Values(100, 1000), testing::PrintToStringParamName());

TEST_P(ByRate, RandomWalkAloneFallsWithTheRootOfTimeAndGivesN) {
  const Rate rate = Rate::Hertz(GetParam());
  const Hour hour({.random_walk = kN}, rate);
  for (const double t : {0.05, 0.5, 1.0, 5.0}) {
    Print("N", hour.Deviation(t) * std::sqrt(t), kN);
    EXPECT_NEAR(hour.Deviation(t) * std::sqrt(t) / kN, 1, 0.05) << t << " s";
  }
  EXPECT_NEAR(hour.Slope(0.02, 20), -0.5, 0.02);
}

TEST_P(ByRate, TogetherEachShowsWhereItBelongs) {
  const Rate rate = Rate::Hertz(GetParam());
  const Hour hour({.random_walk = kN, .bias_instability = kB, .correlation_time = kT, .rate_random_walk = kK}, rate);
  // N from the shortest times, as it is read off an Allan plot.
  const double n = hour.Deviation(0.1) * std::sqrt(0.1);
  Print("N of all", n, kN);
  EXPECT_NEAR(n / kN, 1, 0.05);
  EXPECT_NEAR(hour.Slope(0.02, 0.2), -0.5, 0.05);
  const double floor = std::hypot(0.6643 * kB, kN / std::sqrt(1.8926 * kT), kK * std::sqrt(1.8926 * kT / 3));
  Print("floor of all", hour.Deviation(1.8926 * kT), floor);
  EXPECT_NEAR(hour.Deviation(1.8926 * kT) / floor, 1, 0.1);
  const double slope = hour.Slope(200, 700);
  std::cout << "slope from 200 to 700 s: " << slope << "\n";
  EXPECT_NEAR(slope, 0.5, 0.15);
}

// Alone and slow: the rate of 100 Hz shows all of it, and that it does not depend on the rate is held elsewhere.
TEST(Alone, BiasInstabilityIsFlatAtItsMaximumAtTheFloorOfFlickerNoise) {
  const Hour hour({.bias_instability = kB, .correlation_time = kT}, Rate::Hertz(100));
  Print("B", hour.Deviation(1.8926 * kT) / 0.6643, kB);
  EXPECT_NEAR(hour.Deviation(1.8926 * kT) / 0.6643 / kB, 1, 0.05);
  const double slope = hour.Slope(1.3 * kT, 2.75 * kT);
  std::cout << "slope around it: " << slope << "\n";
  EXPECT_NEAR(slope, 0, 0.05);
  // Far below the correlation time it is a random walk of q, far above it is white of q * T.
  const double q = GaussMarkovOf(kB, kT).driving;
  EXPECT_NEAR(hour.Deviation(0.2) / (q * std::sqrt(0.2 / 3)), 1, 0.05);
  EXPECT_NEAR(hour.Slope(0.1, 1), 0.5, 0.05);
  EXPECT_NEAR(hour.Slope(10 * kT, 30 * kT), -0.5, 0.15);
}

TEST(Alone, RateRandomWalkRisesWithTheRootOfTime) {
  const Hour hour({.rate_random_walk = kK}, Rate::Hertz(100));
  for (const double t : {0.5, 3.0, 20.0}) {
    Print("K", hour.Deviation(t) / std::sqrt(t / 3), kK);
    EXPECT_NEAR(hour.Deviation(t) / std::sqrt(t / 3) / kK, 1, 0.05) << t << " s";
  }
  EXPECT_NEAR(hour.Slope(0.2, 50), 0.5, 0.05);
}

TEST(Alone, QuantisationFallsWithTime) {
  constexpr double kQ = 1e-6;
  const Hour hour({.quantization = kQ}, Rate::Hertz(100), 600);
  for (const double t : {0.02, 0.2, 2.0}) EXPECT_NEAR(hour.Deviation(t) * t / std::sqrt(3) / kQ, 1, 0.05) << t << " s";
  EXPECT_NEAR(hour.Slope(0.02, 2), -1, 0.02);
}

// Off the wire: the gyroscope's z of ICM-42688-P packets at rest, as its data sheet has it: 0.0028 dps/sqrt(Hz), and
// what rounding to 1/16.4 dps adds.
TEST(OffTheWire, PacketsOfAnIcm42688pHaveTheDensityOfTheDataSheet) {
  const SensorType sensor = Icm42688p();
  const Rate rate = Rate::Hertz(1000);
  SensorContext context = ContextOf(sensor, rate);
  Set(context, "motion", "0");
  const auto model = sensor.make_model(context);
  std::vector<std::byte> packet(sensor.max_frame_size);
  std::vector<double> samples;
  for (std::uint64_t n = 0; n < 200'000; ++n) {
    model->Encode(n, packet);
    samples.push_back(
        static_cast<std::int16_t>(std::to_integer<int>(packet[11]) << 8 | std::to_integer<int>(packet[12])) / 16.4);
  }
  const AllanEstimator allan(samples, 1e-3);
  const double expected = std::hypot(0.0028 / std::sqrt(2), 1 / 16.4 / std::sqrt(12) * std::sqrt(1e-3));
  for (const std::size_t count : {10u, 30u, 100u}) {
    const double found = allan.Deviation(count) * std::sqrt(static_cast<double>(count) * 1e-3);
    Print("N of the packets, dps/sqrt(Hz)", found, expected);
    EXPECT_NEAR(found / expected, 1, 0.05) << count;
  }
}

}  // namespace
}  // namespace corerig
