#include "scenarios/workloads.h"

#include <array>

#include "scenarios/montecarlo_option.h"

namespace corerig {

std::span<const WorkloadType> AllWorkloads() {
  static const std::array workloads = {
      MonteCarloOption(),
  };
  return workloads;
}

}  // namespace corerig
