// Units per second of a worker inside the drone's streams, beside the same workload alone under taskset, with
// cpu_dma_latency alike.
//
//   bazel run -c opt //tests/bench:worker_bench [-- PAIRS]
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
    std::cerr << "needs two cores: one for the streams, one for the worker\n";
    return 1;
  }
  const std::string streams = std::to_string(cores.front().value), worker = std::to_string(cores.back().value);
  const std::string scenario =
      "name = \"worker\"\ntrace = false\nduration = \"1s\"\nwarmup = \"300ms\"\ndrain = \"100ms\"\n"
      "[source]\ncores = [" +
      streams +
      "]\npolicy = \"fifo:90\"\n"
      "[loop.flight]\ncores = [" +
      streams +
      "]\npolicy = \"fifo:80\"\n"
      "[stream.tick]\nsensor = \"tick\"\nloop = \"flight\"\n"
      "[stream.imu]\nsensor = \"icm42688p\"\nloop = \"flight\"\n"
      "[stream.gnss]\nsensor = \"zed-f9p\"\nloop = \"flight\"\n"
      "[stream.lidar]\nsensor = \"vlp16\"\nloop = \"flight\"\n"
      "[worker.price]\nworkload = \"montecarlo/option\"\ncores = [" +
      worker + "]\n";
  const auto hold = DmaLatencyHold::Hold(Nanos(0));
  if (!hold) std::cerr << hold.error().message << "\n";
  const auto ours = [&]() -> std::optional<double> { return MetricOf(ReportOf(scenario), "worker.price.0.rate"); };
  const auto theirs = [&]() -> std::optional<double> {
    const auto output = OutputOf({"taskset", "-c", worker, DataFile("tests/bench/alone"), "1"});
    return output ? std::optional(std::stod(*output)) : std::nullopt;
  };
  const Pairs pairs = Pairs::Measure(CountFrom(argc, argv, 60), ours, theirs);
  std::cout << Conditions() << "\n"
            << Line("montecarlo/option on core " + worker, pairs, "corerig", "alone under taskset",
                    [](double rate) { return StrCat(static_cast<long>(rate), " units/s"); })
            << "\n";
  return 0;
}
