#include "scenarios/simd/lidar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "scenarios/simd/wide_vectors.h"

namespace corerig {
namespace {

// 6 m by 4 m around the origin, and a fence from (1, -1) to (1, 1).
const std::vector<Wall> kWalls = {{-3, -2, 6, 0}, {3, -2, 0, 4}, {3, 2, -6, 0}, {-3, 2, 0, -4}, {1, -1, 0, 2}};
const Map kRoom = {.walls = kWalls.data(), .count = 4, .reach = 12};
const Map kFenced = {.walls = kWalls.data(), .count = 5, .reach = 12};

std::vector<double> Squares(BeamFunction& function, const Map& map, double x, double y, double heading,
                            double direction, double range = 0) {
  const std::vector<double> xs(kPoseGroup, x), ys(kPoseGroup, y), c(kPoseGroup, std::cos(heading)),
      s(kPoseGroup, std::sin(heading));
  std::vector<double> squares(kPoseGroup);
  function(map, {.cosine = std::cos(direction), .sine = std::sin(direction), .range = range},
           {.count = kPoseGroup, .x = xs.data(), .y = ys.data(), .cosine = c.data(), .sine = s.data()}, squares.data());
  return squares;
}

double Range(const Map& map, double x, double y, double direction) {
  return std::sqrt(Squares(AddSquaredErrors, map, x, y, 0.3, direction - 0.3)[5]);
}

TEST(Lidar, ARangeIsTheWayToTheNearestWall) {
  using std::numbers::pi;
  EXPECT_NEAR(Range(kRoom, 0.5, 0.25, 0), 2.5, 1e-12);
  EXPECT_NEAR(Range(kRoom, 0.5, 0.25, pi / 2), 1.75, 1e-12);
  EXPECT_NEAR(Range(kRoom, 0.5, 0.25, pi), 3.5, 1e-12);
  EXPECT_NEAR(Range(kRoom, 0.5, 0.25, -pi / 2), 2.25, 1e-12);
  EXPECT_NEAR(Range(kRoom, 0.5, 0.25, pi / 4), 1.75 * std::numbers::sqrt2, 1e-12);
  EXPECT_NEAR(Range(kFenced, 0.5, 0.25, 0), 0.5, 1e-12) << "the fence is nearer";
  EXPECT_NEAR(Range(kFenced, 1.5, 0.25, 0), 1.5, 1e-12) << "the fence is behind";
  EXPECT_NEAR(Range(kFenced, 0, 0, std::atan2(1.01, 1)), 2 / std::sin(std::atan2(1.01, 1)), 1e-12) << "beside it";
  EXPECT_NEAR(Range(kFenced, 0, 0, std::atan2(0.99, 1)), 1 / std::cos(std::atan2(0.99, 1)), 1e-12);
}

// Against the room's own formula, in every direction; corners included.
TEST(Lidar, NoRaySlipsThroughACorner) {
  for (int i = 0; i < 720; ++i) {
    const double direction = i * std::numbers::pi / 360, c = std::cos(direction), s = std::sin(direction);
    const double expected = std::min((std::copysign(3, c) - 1) / c, (std::copysign(2, s) + 0.5) / s);
    EXPECT_NEAR(Range(kRoom, 1, -0.5, direction), expected, 1e-9) << i;
  }
  EXPECT_NEAR(Range(kRoom, 0, 0, std::atan2(2, 3)), std::sqrt(13.0), 1e-9);
}

TEST(Lidar, SeesNothingBeyondItsReach) {
  Map near = kRoom;
  near.reach = 1;
  EXPECT_EQ(Range(near, 0, 0, 1), 1);
  EXPECT_EQ(Range({.walls = nullptr, .count = 0, .reach = 12}, 0, 0, 1), 12);
}

TEST(Lidar, TheErrorIsSquaredAndAdded) {
  EXPECT_NEAR(Squares(AddSquaredErrors, kRoom, 0, 0, 0, 0, 2.9)[0], 0.01, 1e-12);
  const std::vector<double> place(kPoseGroup, 0.0), one(kPoseGroup, 1.0);
  std::vector<double> squares(kPoseGroup, 5.0);
  AddSquaredErrors(
      kRoom, {.range = 1},
      {.count = kPoseGroup, .x = place.data(), .y = place.data(), .cosine = one.data(), .sine = place.data()},
      squares.data());
  EXPECT_EQ(squares, std::vector<double>(kPoseGroup, 9.0));
}

#ifdef __x86_64__
TEST(Lidar, HasTheSameBitsInVectorsOfAnyWidth) {
  if (!CpuHasWideVectors()) GTEST_SKIP() << "this CPU has no AVX2 and FMA";
  for (int i = 0; i < 200; ++i) {
    const double direction = 0.1 * i, x = 0.01 * i - 1, y = 0.5 * std::sin(i);
    const auto narrow = Squares(baseline::AddSquaredErrors, kFenced, x, y, 0.2, direction, 1.3);
    EXPECT_EQ(narrow, Squares(avx2::AddSquaredErrors, kFenced, x, y, 0.2, direction, 1.3)) << i;
    EXPECT_EQ(narrow, Squares(AddSquaredErrors, kFenced, x, y, 0.2, direction, 1.3)) << i;
  }
}
#endif

}  // namespace
}  // namespace corerig
