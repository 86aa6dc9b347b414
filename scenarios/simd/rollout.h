// One step of many vehicles at once: the kinematic bicycle, reference point between the rear wheels (Rajamani, "Vehicle
// Dynamics and Control", 2nd edition, section 2.2), by Euler's rule:
//
//   u = (speed + speed_noise * n) * step       steering angle d = steering + steering_noise * m
//   along += u cos heading      lateral += u sin heading      heading += u tan d / wheelbase
//
// n and m are given per vehicle. Vectorised for the CPU it runs on; the same bits on any.
#pragma once

#include <cstddef>

namespace corerig {

// SI units, angles in radians.
struct VehicleModel {
  double wheelbase = 0, step = 0;
  double speed = 0, speed_noise = 0;
  double steering = 0, steering_noise = 0;  // below 1.5 together with what noise adds, so that the tangent is tame
};

// Vehicles are stepped in groups of so many.
inline constexpr std::size_t kVehicleGroup = 8;

// Arrays of `count` vehicles, a multiple of kVehicleGroup.
struct Vehicles {
  std::size_t count = 0;
  double *along = nullptr, *lateral = nullptr, *heading = nullptr;
  double* farthest = nullptr;  // the largest |lateral| so far
};

using StepFunction = void(const VehicleModel& model, const double* speed_normals, const double* steering_normals,
                          const Vehicles& vehicles);
StepFunction StepVehicles;

// What StepVehicles chooses among.
namespace baseline {
StepFunction StepVehicles;
}
#ifdef __x86_64__
namespace avx2 {
StepFunction StepVehicles;
}
#endif

}  // namespace corerig
