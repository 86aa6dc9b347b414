// montecarlo/option with nothing around it: does units for so many seconds and prints how many per second.
//
//   alone SECONDS
#include <stdio.h>
#include <stdlib.h>

#include "harness/os/clock.h"
#include "scenarios/workloads.h"

int main(int argc, char** argv) {
  using namespace corerig;
  const Nanos length = std::chrono::milliseconds(static_cast<long>(1000 * (argc > 1 ? atof(argv[1]) : 3)));
  for (const auto& workload : AllWorkloads()) {
    if (workload.info.name != "montecarlo/option") continue;
    WorkerJob job;
    job.seed = 1;
    for (const auto& parameter : workload.info.parameters) {
      job.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
    }
    auto made = workload.make(job, {});
    if (!made) return 1;
    std::uint64_t unit = 0;
    const auto run_for = [&](Nanos duration) {
      const Nanos begin = MonotonicNow();
      const std::uint64_t first = unit;
      Nanos end = begin;
      while (end - begin < duration) {
        (*made)->RunUnit(unit++);
        end = MonotonicNow();
      }
      return static_cast<double>(unit - first) * 1e9 / static_cast<double>((end - begin).count());
    };
    run_for(std::chrono::milliseconds(300));  // as corerig has a warm-up
    printf("%.3f\n", run_for(length));
    return 0;
  }
  return 1;
}
