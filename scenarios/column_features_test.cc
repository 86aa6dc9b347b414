#include "scenarios/column_features.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace corerig {
namespace {

// Numbers of a simple generator; the sum of four is nearly normal.
std::vector<double> Numbers(std::size_t count, double mean, double scale, std::uint64_t seed = 1) {
  std::vector<double> numbers;
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int k = 0; k < 4; ++k) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<double>(seed >> 11) * 0x1p-53 - 0.5;
    }
    numbers.push_back(mean + scale * sum);
  }
  return numbers;
}

ColumnFeatures Of(std::span<const double> values, double centre) {
  ColumnFeatures features(centre);
  features.AddBlock(values, std::nullopt);
  return features;
}

// By hand: central moments 10, 36 and 278.8.
TEST(ColumnFeatures, AreThoseOfASmallExample) {
  const std::vector<double> values = {1, 2, 3, 4, 10};
  for (const double centre : {0.0, 3.0, 9.5}) {
    const ColumnFigures figures = Of(values, centre).Finish(5);
    EXPECT_DOUBLE_EQ(figures.mean, 4);
    EXPECT_DOUBLE_EQ(figures.variance, 12.5);
    EXPECT_DOUBLE_EQ(figures.rms, 5.0990195135927845);
    EXPECT_EQ(figures.min, 1);
    EXPECT_EQ(figures.max, 10);
    EXPECT_NEAR(*figures.skewness, 1.1384199576606167, 1e-12);
    EXPECT_NEAR(*figures.kurtosis, 2.788, 1e-12);
    EXPECT_EQ(figures.zero_crossings, 0u);
  }
}

// In two passes, with more digits.
TEST(ColumnFeatures, AgreeWithTwoPassesAlsoWhereTheMeanIsLarge) {
  for (const double mean : {0.0, 9.81, 1e6}) {
    const auto values = Numbers(20'000, mean, 0.02);
    // Deviations from the round number are exact, on boards whose long double is a double, too.
    long double sum = 0, second = 0, third = 0, fourth = 0;
    for (const double value : values) sum += value - mean;
    const long double average = sum / values.size();
    for (const double value : values) {
      const long double d = (value - mean) - average;
      second += d * d;
      third += d * d * d;
      fourth += d * d * d * d;
    }
    const long double n = values.size(), square = second / n;
    const ColumnFigures figures = Of(values, mean + 0.003).Finish(values.size());
    EXPECT_NEAR(figures.mean, mean + static_cast<double>(average), 1e-15 * (1 + mean));
    EXPECT_NEAR(figures.variance / static_cast<double>(second / (n - 1)), 1, 1e-12);
    EXPECT_NEAR(*figures.skewness, static_cast<double>(third / n / powl(square, 1.5L)), 1e-11);
    EXPECT_NEAR(*figures.kurtosis, static_cast<double>(fourth / n / (square * square)), 1e-11);
    EXPECT_NEAR(*figures.kurtosis, 2.7, 0.1) << "of four uniform numbers: 3 - 1.2 / 4";
  }
}

TEST(ColumnFeatures, AreTheSameToTheLastBitHoweverBlocksAreGrouped) {
  const auto values = Numbers(3000, 5, 100);
  const auto block = [&](std::size_t i) { return std::span(values).subspan(i * 100, 100); };
  const auto before = [&](std::size_t i) { return i == 0 ? std::nullopt : std::optional(values[i * 100 - 1]); };
  ColumnFeatures whole(5);
  for (std::size_t i = 0; i < 30; ++i) whole.AddBlock(block(i), before(i));
  for (const std::size_t parts : {2u, 3u, 7u}) {
    std::vector<ColumnFeatures> split(parts, ColumnFeatures(5));
    for (std::size_t i = 30; i-- > 0;) split[i % parts].AddBlock(block(i), before(i));
    ColumnFeatures sum(5);
    for (const ColumnFeatures& part : split) sum.Add(part);
    const ColumnFigures a = sum.Finish(3000), b = whole.Finish(3000);
    EXPECT_EQ(a.mean, b.mean);
    EXPECT_EQ(a.variance, b.variance);
    EXPECT_EQ(*a.skewness, *b.skewness);
    EXPECT_EQ(*a.kurtosis, *b.kurtosis);
    EXPECT_EQ(a.zero_crossings, b.zero_crossings);
    EXPECT_EQ(sum.Quantile(0.3), whole.Quantile(0.3));
  }
  std::uint64_t crossings = 0;
  for (std::size_t i = 1; i < values.size(); ++i) crossings += (values[i - 1] < 0) != (values[i] < 0) ? 1 : 0;
  EXPECT_EQ(whole.Finish(3000).zero_crossings, crossings);
}

TEST(ColumnFeatures, ZeroIsPositive) {
  const std::vector<double> values = {-1, 0, 1, -0.0, -2, 0, -1};
  EXPECT_EQ(Of(values, 0).Finish(7).zero_crossings, 4u);
}

TEST(ColumnFeatures, AConstantColumnHasNoShape) {
  const std::vector<double> values(1000, 0.1);
  const ColumnFigures figures = Of(values, 0.1000000000000001).Finish(1000);
  EXPECT_EQ(figures.variance, 0);
  EXPECT_FALSE(figures.skewness);
  EXPECT_FALSE(figures.kurtosis);
  EXPECT_DOUBLE_EQ(figures.mean, 0.1);
  EXPECT_EQ(Of(values, 0.2).Quantile(0.5), 0.1) << "no quantile is beyond the extremes";
}

TEST(ColumnFeatures, QuantilesAreWithinTheStatedError) {
  for (const double mean : {0.0, 9.81}) {
    auto values = Numbers(5001, mean, 0.3);
    const double centre = mean + 0.01;
    const ColumnFeatures features = Of(values, centre);
    std::sort(values.begin(), values.end());
    for (const double share : {0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0}) {
      const double exact = values[static_cast<std::size_t>(std::max(std::ceil(share * 5001), 1.0)) - 1];
      EXPECT_NEAR(features.Quantile(share), exact, std::abs(exact - centre) / 64) << share;
    }
  }
}

TEST(DeviationHistogram, BucketsAreInOrderAndNarrow) {
  double last = -HUGE_VAL;
  std::size_t last_bucket = 0;
  for (double d = -0x1p70; d < 0x1p70; d = d < -0x1p-70 ? d * 0.99 : d < 0x1p-70 ? d + 0x1p-71 : d * 1.01) {
    const std::size_t bucket = DeviationHistogram::BucketOf(d);
    ASSERT_GE(bucket, last_bucket) << last << " " << d;
    ASSERT_LT(bucket, DeviationHistogram::kBuckets);
    last = d;
    last_bucket = bucket;
    DeviationHistogram one;
    one.Add(d);
    const double middle = one.Quantile(0.5);
    if (std::abs(d) >= 0x1p-64 && std::abs(d) < 0x1p64) {
      ASSERT_LE(std::abs(middle - d), std::abs(d) / 64) << d;
    }
    if (std::abs(d) < 0x1p-65) {
      ASSERT_EQ(middle, 0);
    }
    if (last_bucket % 7 == 0 && std::abs(d) > 1) d *= d < 0 ? 0.5 : 2;  // not every one: each has a whole histogram
  }
  EXPECT_EQ(DeviationHistogram::BucketOf(0), DeviationHistogram::BucketOf(-0.0));
  EXPECT_EQ(DeviationHistogram::BucketOf(1e70), DeviationHistogram::kBuckets - 1);
  EXPECT_EQ(DeviationHistogram::BucketOf(-1e70), 0u);
}

}  // namespace
}  // namespace corerig
