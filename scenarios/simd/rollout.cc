#include "scenarios/simd/rollout.h"

#include "scenarios/simd/wide_vectors.h"

namespace corerig {

void StepVehicles(const VehicleModel& model, const double* speed_normals, const double* steering_normals,
                  const Vehicles& vehicles) {
  if (CpuHasWideVectors()) return avx2::StepVehicles(model, speed_normals, steering_normals, vehicles);
  baseline::StepVehicles(model, speed_normals, steering_normals, vehicles);
}

}  // namespace corerig
