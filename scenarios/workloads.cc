#include "scenarios/workloads.h"

#include <array>

#include "scenarios/montecarlo_option.h"
#include "scenarios/montecarlo_pi.h"
#include "scenarios/montecarlo_reliability.h"

namespace corerig {

std::span<const WorkloadType> AllWorkloads() {
  static const std::array workloads = {
      MonteCarloOption(),
      MonteCarloPi(),
      MonteCarloReliability(),
  };
  return workloads;
}

}  // namespace corerig
