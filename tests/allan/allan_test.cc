#include "tests/allan/allan.h"

#include <gtest/gtest.h>

#include <cmath>

namespace corerig {
namespace {

// The 1000 points of NIST SP 1065, 12.4: a Lehmer generator, and what it says of their overlapping Allan deviation.
TEST(AllanEstimator, AgreesWithTheTestSuiteOfNist) {
  std::vector<double> samples;
  std::uint64_t n = 1'234'567'890;
  for (int i = 0; i < 1000; ++i) {
    samples.push_back(static_cast<double>(n) / 2'147'483'647.0);
    n = 16'807 * n % 2'147'483'647;
  }
  const AllanEstimator allan(samples, 1);
  EXPECT_NEAR(allan.Deviation(1), 2.922319e-01, 5e-8);
  EXPECT_NEAR(allan.Deviation(10), 9.159953e-02, 5e-9);
  EXPECT_NEAR(allan.Deviation(100), 3.241343e-02, 5e-9);
}

TEST(AllanEstimator, ARampHasADeviationProportionalToTime) {
  std::vector<double> samples;
  for (int i = 0; i < 1000; ++i) samples.push_back(3 * i * 0.1 + 17);
  const AllanEstimator allan(samples, 0.1);
  // A rate ramp R gives R * t / sqrt(2).
  for (const std::size_t count : {1u, 10u, 400u}) {
    EXPECT_NEAR(allan.Deviation(count), 3 * 0.1 * static_cast<double>(count) / std::sqrt(2), 1e-9) << count;
  }
}

}  // namespace
}  // namespace corerig
