// Units per second of one pinned worker per core, beside a single one: what the cores are worth together.
//
//   bazel run -c opt //tests/bench:workers_bench [-- PAIRS]
//
// On a quiet board: a core that does anything else counts as less than one.
#include <iostream>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/os/dma_latency.h"
#include "harness/os/scheduling.h"
#include "tests/bench/command.h"
#include "tests/bench/pairs.h"

int main(int argc, char** argv) {
  using namespace corerig;
  const auto cores = AllowedCores();
  if (cores.size() < 2) {
    std::cerr << "needs two cores\n";
    return 1;
  }
  const auto rate_on = [](const std::vector<CpuId>& on) -> std::optional<double> {
    std::string list;
    for (const CpuId core : on) list += StrCat(list.empty() ? "" : ", ", core.value);
    const auto report =
        ReportOf(StrCat("name = \"workers\"\ntrace = false\nduration = \"2s\"\nwarmup = \"500ms\"\n"
                        "[worker.price]\nworkload = \"montecarlo/option\"\ncores = [",
                        list, "]\n"));
    double sum = 0;
    for (std::size_t i = 0; i < on.size(); ++i) {
      const auto rate = MetricOf(report, StrCat("worker.price.", i, ".rate"));
      if (!rate) return std::nullopt;
      sum += *rate;
    }
    return sum;
  };
  const auto hold = DmaLatencyHold::Hold(Nanos(0));
  if (!hold) std::cerr << hold.error().message << "\n";
  const Pairs pairs = Pairs::Measure(
      CountFrom(argc, argv, 20), [&] { return rate_on(cores); }, [&] { return rate_on({cores.back()}); });
  std::cout << Conditions() << "\n"
            << Line("montecarlo/option", pairs, StrCat(cores.size(), " pinned workers"), "1",
                    [](double rate) { return StrCat(static_cast<long>(rate), " units/s"); })
            << "\n";
  return 0;
}
