// Units per second of one pinned worker per core, beside a single one: what the cores are worth together.
//
//   bazel run -c opt //tests/bench:workers_bench [-- PAIRS]
//
// By the wall's time, for a quiet board: a core that does anything else counts as less than one. And per second of the
// workers' own CPU time, which other load on the machine is out of: what is left are caches, memory and clock that the
// cores share.
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
  enum class Per { kSecond, kCpuSecond };
  const auto rate_on = [](const std::vector<CpuId>& on, Per per) -> std::optional<double> {
    std::string list;
    for (const CpuId core : on) list += StrCat(list.empty() ? "" : ", ", core.value);
    const auto report =
        ReportOf(StrCat("name = \"workers\"\ntrace = false\nduration = \"2s\"\nwarmup = \"500ms\"\n"
                        "[worker.price]\nworkload = \"montecarlo/option\"\ncores = [",
                        list, "]\n"));
    double sum = 0;
    for (std::size_t i = 0; i < on.size(); ++i) {
      const auto rate = MetricOf(report, StrCat("worker.price.", i, ".rate"));
      const auto cpu = MetricOf(report, StrCat("worker.price.", i, ".cpu"));
      if (!rate || !cpu) return std::nullopt;
      sum += per == Per::kSecond ? *rate : *rate / *cpu;
    }
    return sum;
  };
  const auto hold = DmaLatencyHold::Hold(Nanos(0));
  if (!hold) std::cerr << hold.error().message << "\n";
  std::vector<std::string> lines;
  for (const Per per : {Per::kSecond, Per::kCpuSecond}) {
    const Pairs pairs = Pairs::Measure(
        CountFrom(argc, argv, 20), [&] { return rate_on(cores, per); }, [&] { return rate_on({cores.back()}, per); });
    lines.push_back(Line(StrCat("montecarlo/option per ", per == Per::kSecond ? "second" : "second of CPU time"), pairs,
                         StrCat(cores.size(), " pinned workers"), "1",
                         [](double rate) { return StrCat(static_cast<long>(rate), " units"); }));
  }
  std::cout << Conditions() << "\n";
  for (const std::string& line : lines) std::cout << line << "\n";
  return 0;
}
