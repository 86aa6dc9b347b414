#include "scenarios/simd/rollout.h"

namespace corerig {

void StepVehicles(const VehicleModel& model, const double* speed_normals, const double* steering_normals,
                  const Vehicles& vehicles) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2")) return avx2::StepVehicles(model, speed_normals, steering_normals, vehicles);
#endif
  baseline::StepVehicles(model, speed_normals, steering_normals, vehicles);
}

}  // namespace corerig
