#include "harness/measure/theil_sen.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace corerig {
namespace {

TEST(TheilSen, OfALineIsItsSlope) {
  std::vector<TrendPoint> points;
  for (int i = 0; i < 50; ++i) points.push_back({.x = i * 0.5, .y = 7 - 3.0 * i * 0.5});
  EXPECT_DOUBLE_EQ(*TheilSenSlope(points), -3);
}

TEST(TheilSen, IsTheMedianOverAllPairs) {
  // Slopes: (0,0)(1,1) 1, (0,0)(2,6) 3, (1,1)(2,6) 5.
  const std::vector<TrendPoint> three = {{0, 0}, {1, 1}, {2, 6}};
  EXPECT_DOUBLE_EQ(*TheilSenSlope(three), 3);
  // Four points, six slopes: 1, 3, 5 and (0,0)(3,0) 0, (1,1)(3,0) -0.5, (2,6)(3,0) -6: the middle is 0 and 1.
  const std::vector<TrendPoint> four = {{0, 0}, {1, 1}, {2, 6}, {3, 0}};
  EXPECT_DOUBLE_EQ(*TheilSenSlope(four), 0.5);
}

TEST(TheilSen, OrderDoesNotMatter) {
  const std::vector<TrendPoint> points = {{3, 0}, {1, 1}, {0, 0}, {2, 6}};
  EXPECT_DOUBLE_EQ(*TheilSenSlope(points), 0.5);
}

TEST(TheilSen, AFewOutliersDoNotMoveIt) {
  std::mt19937 random(1);
  std::vector<TrendPoint> points;
  for (int i = 0; i < 100; ++i) {
    const double noise = static_cast<double>(random() % 1000) / 1000 - 0.5;
    points.push_back({.x = static_cast<double>(i), .y = i % 5 == 0 ? 1e9 : 2.0 * i + noise});
  }
  EXPECT_NEAR(*TheilSenSlope(points), 2, 0.05) << "one point in five is at 1e9";
}

TEST(TheilSen, PointsOfEqualXAreNoPairs) {
  const std::vector<TrendPoint> points = {{1, 0}, {1, 100}, {2, 10}};
  // (1,0)(2,10) 10 and (1,100)(2,10) -90.
  EXPECT_DOUBLE_EQ(*TheilSenSlope(points), -40);
}

TEST(TheilSen, NeedsTwoDifferentX) {
  EXPECT_EQ(TheilSenSlope({}), std::nullopt);
  EXPECT_EQ(TheilSenSlope(std::vector<TrendPoint>{{1, 2}}), std::nullopt);
  EXPECT_EQ(TheilSenSlope(std::vector<TrendPoint>{{1, 2}, {1, 3}, {1, 4}}), std::nullopt);
}

}  // namespace
}  // namespace corerig
