// What the rig itself costs: the time of `corerig --version`, and CPU share and PSS of the supervisor during the drone.
//
//   bazel run -c opt //tests/bench:rig_bench
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>

#include "harness/base/quantity.h"
#include "tests/bench/command.h"
#include "tests/bench/pairs.h"

int main() {
  using namespace corerig;
  std::cout << Conditions() << "\n";
  std::vector<double> took;
  for (int i = 0; i < 50; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (!OutputOf({DataFile("tools/corerig/corerig"), "--version"})) return 1;
    took.push_back(static_cast<double>((std::chrono::steady_clock::now() - begin).count()));
  }
  std::cout << "corerig --version: median of 50 calls " << FormatDuration(Median(took)) << "\n";

  std::ifstream file(DataFile("scenarios/drone.toml"));
  const auto report = ReportOf({std::istreambuf_iterator<char>(file), {}});
  const auto cpu = MetricOf(report, "rig.cpu"), pss = MetricOf(report, "rig.pss.max");
  if (!cpu || !pss) return 1;
  std::cout << "drone: rig CPU " << FormatShare(*cpu) << " of one core, supervisor's PSS at most " << FormatSize(*pss)
            << "\n";
  return 0;
}
