// From the send call of an IMU frame to its being done in the loop, beside a bare source and epoll loop over the same
// kind of socket on the same cores with the same policies. (The bare loop's figure ends when recv has returned;
// corerig's, which also decodes, checks and matches, ends after that. The ratio is thus an upper bound of that of begin
// - sent.)
//
//   bazel run -c opt //tests/bench:imu_bench [-- PAIRS]
#include <iostream>

#include "harness/base/quantity.h"
#include "harness/os/dma_latency.h"
#include "harness/os/scheduling.h"
#include "tests/bench/command.h"
#include "tests/bench/pairs.h"

int main(int argc, char** argv) {
  using namespace corerig;
  const auto cores = AllowedCores();
  const std::string source = std::to_string(cores.front().value), loop = std::to_string(cores.back().value);
  const std::string scenario =
      "name = \"imu\"\nduration = \"3s\"\nwarmup = \"500ms\"\ndrain = \"100ms\"\n[source]\ncores = [" + source +
      "]\npolicy = \"fifo:90\"\n[loop.flight]\ncores = [" + loop +
      "]\npolicy = \"fifo:80\"\n[stream.imu]\nsensor = \"icm42688p\"\nrate = \"1kHz\"\nchannel = \"seqpacket\"\nloop = "
      "\"flight\"\n";
  // The bare program holds what corerig holds.
  const auto hold = DmaLatencyHold::Hold(Nanos(0));
  if (!hold) std::cerr << hold.error().message << "\n";
  const auto ours = [&]() -> std::optional<double> {
    const auto report = ReportOf(scenario);
    if (!report) return std::nullopt;
    const auto& median = (*report)["streams"][0]["since_sent"]["p50"];
    return median.is_number() ? std::optional(median.get<double>()) : std::nullopt;
  };
  const auto theirs = [&]() -> std::optional<double> {
    const auto output = OutputOf({DataFile("tests/bench/bare_epoll"), source, loop, "3500"});
    return output ? std::optional(std::stod(*output)) : std::nullopt;
  };
  const Pairs pairs = Pairs::Measure(CountFrom(argc, argv, 20), ours, theirs);
  std::cout << Conditions() << "\n"
            << Line("IMU 1 kHz over seqpacket, cores " + source + " to " + loop, pairs, "corerig done - sent p50",
                    "bare received - sent p50", FormatDuration)
            << "\n";
  return 0;
}
