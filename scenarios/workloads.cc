#include "scenarios/workloads.h"

#include <array>

#include "scenarios/montecarlo_option.h"
#include "scenarios/train_autoencoder.h"
#include "scenarios/train_regression.h"
#include "scenarios/train_vibration.h"

namespace corerig {

std::span<const WorkloadType> AllWorkloads() {
  static const std::array workloads = {
      MonteCarloOption(),
      TrainAutoencoder(),
      TrainRegression(),
      TrainVibration(),
  };
  return workloads;
}

}  // namespace corerig
