// What one recorded sample costs.
//
//   bazel run -c opt //tests/bench:histogram_bench
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "harness/base/latency_histogram.h"
#include "harness/base/philox.h"

namespace corerig {
namespace {

// Latencies as they come: around 20 µs, some of them a thousand times as long.
std::vector<Nanos> Samples() {
  std::vector<Nanos> samples;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    const auto words = RandomWords(1, 2, i);
    samples.push_back(Nanos(10'000 + words[0] % 20'000 + (words[1] % 100 == 0 ? words[2] % 20'000'000 : 0)));
  }
  return samples;
}

void Record(benchmark::State& state) {
  const auto samples = Samples();
  auto histogram = std::make_unique<LatencyHistogram>();
  std::size_t i = 0;
  for (auto _ : state) {
    histogram->Record(samples[i++ % 4096]);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Record);

}  // namespace
}  // namespace corerig

BENCHMARK_MAIN();
