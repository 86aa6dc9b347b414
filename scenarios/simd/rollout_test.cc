#include "scenarios/simd/rollout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "scenarios/simd/random_fill.h"
#include "scenarios/simd/wide_vectors.h"

namespace corerig {
namespace {

constexpr std::size_t kCount = 64;
const VehicleModel kCar = {
    .wheelbase = 2.7, .step = 0.01, .speed = 25, .speed_noise = 0.5, .steering = 0.01, .steering_noise = 0.01};

struct Fleet {
  std::vector<double> along = std::vector<double>(kCount), lateral = along, heading = along, farthest = along;
  Vehicles vehicles() {
    return {.count = kCount,
            .along = along.data(),
            .lateral = lateral.data(),
            .heading = heading.data(),
            .farthest = farthest.data()};
  }
};

std::vector<double> Normals(std::uint64_t index) {
  std::vector<double> normals(kCount);
  FillNormals(7, 1, index * kCount / 4, normals);
  return normals;
}

void Drive(StepFunction& step, const VehicleModel& model, int steps, Fleet& fleet) {
  for (int k = 0; k < steps; ++k) {
    const auto speed = Normals(2 * static_cast<std::uint64_t>(k)),
               steering = Normals(2 * static_cast<std::uint64_t>(k) + 1);
    step(model, speed.data(), steering.data(), fleet.vehicles());
  }
}

// Against the C library, one vehicle at a time; angles of all quadrants.
TEST(Rollout, FollowsTheBicycleModel) {
  for (const double wheelbase : {2.7, 0.05}) {
    VehicleModel car = kCar;
    car.wheelbase = wheelbase;
    Fleet fleet;
    for (std::size_t i = 0; i < kCount; ++i) fleet.heading[i] = 0.3 * static_cast<double>(i) - 10;
    Fleet expected = fleet;
    Drive(StepVehicles, car, 300, fleet);
    for (int k = 0; k < 300; ++k) {
      const auto speed = Normals(2 * static_cast<std::uint64_t>(k)),
                 steering = Normals(2 * static_cast<std::uint64_t>(k) + 1);
      for (std::size_t i = 0; i < kCount; ++i) {
        const double way = (car.speed + car.speed_noise * speed[i]) * car.step;
        expected.along[i] += way * std::cos(expected.heading[i]);
        expected.lateral[i] += way * std::sin(expected.heading[i]);
        expected.heading[i] += way * std::tan(car.steering + car.steering_noise * steering[i]) / car.wheelbase;
        expected.farthest[i] = std::max(expected.farthest[i], std::abs(expected.lateral[i]));
      }
    }
    for (std::size_t i = 0; i < kCount; ++i) {
      EXPECT_NEAR(fleet.along[i], expected.along[i], 1e-11) << i;
      EXPECT_NEAR(fleet.lateral[i], expected.lateral[i], 1e-11) << i;
      EXPECT_NEAR(fleet.heading[i], expected.heading[i], 1e-11) << i;
      EXPECT_NEAR(fleet.farthest[i], expected.farthest[i], 1e-11) << i;
      EXPECT_GT(fleet.farthest[i], 0);
    }
  }
}

#ifdef __x86_64__
TEST(Rollout, HasTheSameBitsInVectorsOfAnyWidth) {
  if (!CpuHasWideVectors()) GTEST_SKIP() << "this CPU has no AVX2 and FMA";
  Fleet narrow, wide, chosen;
  Drive(baseline::StepVehicles, kCar, 200, narrow);
  Drive(avx2::StepVehicles, kCar, 200, wide);
  Drive(StepVehicles, kCar, 200, chosen);
  for (const Fleet* other : {&wide, &chosen}) {
    EXPECT_EQ(narrow.along, other->along);
    EXPECT_EQ(narrow.lateral, other->lateral);
    EXPECT_EQ(narrow.heading, other->heading);
    EXPECT_EQ(narrow.farthest, other->farthest);
  }
}
#endif

}  // namespace
}  // namespace corerig
