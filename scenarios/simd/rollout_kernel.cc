// Compiled once for each instruction set, into the namespace named so.
#include "scenarios/simd/lanes.h"
#include "scenarios/simd/rollout.h"

#ifndef CORERIG_ISA
#define CORERIG_ISA baseline
#endif

namespace corerig::CORERIG_ISA {

void StepVehicles(const VehicleModel& model, const double* speed_normals, const double* steering_normals,
                  const Vehicles& vehicles) {
  const Lanes per_wheelbase = All(1 / model.wheelbase);
  for (std::size_t i = 0; i < vehicles.count; i += kLanes) {
    const Lanes way = (model.speed + model.speed_noise * Load(speed_normals + i)) * model.step;
    Lanes sine, cosine, wheel_sine, wheel_cosine;
    SinCos(model.steering + model.steering_noise * Load(steering_normals + i), wheel_sine, wheel_cosine);
    const Lanes heading = Load(vehicles.heading + i);
    SinCos(heading, sine, cosine);
    const Lanes lateral = Load(vehicles.lateral + i) + way * sine;
    Store(Load(vehicles.along + i) + way * cosine, vehicles.along + i);
    Store(lateral, vehicles.lateral + i);
    Store(heading + way * (wheel_sine / wheel_cosine) * per_wheelbase, vehicles.heading + i);
    Store(Larger(Magnitude(lateral), Load(vehicles.farthest + i)), vehicles.farthest + i);
  }
}

}  // namespace corerig::CORERIG_ISA
