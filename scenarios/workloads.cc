#include "scenarios/workloads.h"

#include <array>

#include "scenarios/load_memory.h"
#include "scenarios/load_periodic.h"
#include "scenarios/montecarlo_option.h"

namespace corerig {

std::span<const WorkloadType> AllWorkloads() {
  static const std::array workloads = {
      MonteCarloOption(),
      LoadPeriodic(),
      LoadMemory(),
  };
  return workloads;
}

}  // namespace corerig
