#include "scenarios/workloads.h"

#include "scenarios/data_features.h"
#include "scenarios/image_filter.h"
#include "scenarios/load_memory.h"
#include "scenarios/load_periodic.h"
#include "scenarios/montecarlo_localisation.h"
#include "scenarios/montecarlo_option.h"
#include "scenarios/montecarlo_pi.h"
#include "scenarios/montecarlo_reliability.h"
#include "scenarios/montecarlo_trajectory.h"
#include "scenarios/train_autoencoder.h"
#include "scenarios/train_regression.h"
#include "scenarios/train_vibration.h"

namespace corerig {

std::vector<WorkloadType> AllWorkloads() {
  std::vector<WorkloadType> workloads;
  for (const auto make :
       {MonteCarloOption, MonteCarloPi, MonteCarloReliability, MonteCarloTrajectory, MonteCarloLocalisation,
        DataFeatures, ImageFilter, TrainAutoencoder, TrainRegression, TrainVibration, LoadPeriodic, LoadMemory}) {
    workloads.push_back(make());
  }
  return workloads;
}

}  // namespace corerig
