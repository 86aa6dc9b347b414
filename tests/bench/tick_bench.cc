// How late the loop's tick begins, beside cyclictest: both at 1 kHz, SCHED_FIFO 80, on one core, cpu_dma_latency held
// at 0.
//
//   tools/setup.sh bench && bazel run -c opt //tests/bench:tick_bench [-- PAIRS [CORE]]
#include <cstdio>
#include <iostream>
#include <sstream>

#include "harness/base/quantity.h"
#include "harness/os/scheduling.h"
#include "tests/bench/command.h"
#include "tests/bench/pairs.h"

namespace {

// The median in µs of cyclictest's histogram: lines "000014 003211".
std::optional<double> MedianOfHistogram(const std::string& output) {
  std::istringstream lines(output);
  std::string line;
  std::vector<std::pair<long, long>> counts;
  long total = 0;
  while (std::getline(lines, line)) {
    long micros = 0, count = 0;
    if (line.empty() || line[0] == '#' || std::sscanf(line.c_str(), "%ld %ld", &micros, &count) != 2) continue;
    counts.emplace_back(micros, count);
    total += count;
  }
  long seen = 0;
  for (const auto& [micros, count] : counts) {
    // A latency of 14.9 µs is counted as 14: the bucket's middle is its value.
    if (2 * (seen += count) >= total && total > 0) return static_cast<double>(micros) + 0.5;
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace corerig;
  const int pairs_wanted = CountFrom(argc, argv, 40);
  const std::string core = argc > 2 ? argv[2] : std::to_string(AllowedCores().back().value);
  const std::string scenario =
      "name = \"tick\"\nduration = \"1s\"\nwarmup = \"300ms\"\ndrain = \"100ms\"\n[loop.flight]\ncores = [" + core +
      "]\npolicy = \"fifo:80\"\n[stream.tick]\nsensor = \"tick\"\nrate = \"1kHz\"\nloop = \"flight\"\n";
  const auto ours = [&]() -> std::optional<double> { return MetricOf(ReportOf(scenario), "stream.tick.queue.p50"); };
  const auto theirs = [&]() -> std::optional<double> {
    const auto output =
        OutputOf({"cyclictest", "-q", "-m", "-p", "80", "-a", core, "-t", "1", "-i", "1000", "-h", "2000", "-D", "1"});
    const auto median = output ? MedianOfHistogram(*output) : std::nullopt;
    return median ? std::optional(*median * 1000) : std::nullopt;
  };
  const Pairs pairs = Pairs::Measure(pairs_wanted, ours, theirs);
  std::cout << Conditions() << "\n"
            << Line("tick, 1 kHz, fifo:80, core " + core, pairs, "corerig p50", "cyclictest p50", FormatDuration)
            << "\n";
  return 0;
}
