// What an event of the scheduling trace costs on its way into a Perfetto trace, and how many bytes it takes there.
//
//   bazel run -c opt //tests/bench:perfetto_bench
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "harness/report/perfetto_trace.h"

namespace corerig {
namespace {

constexpr int kTasks = 200;

TraceNames Names() {
  TraceNames names;
  for (int tid = 1; tid <= kTasks; ++tid) {
    const std::string name = StrCat("kworker/", tid % 4, ":", tid);
    TraceNames::Comm comm{};
    std::memcpy(comm.data(), name.data(), std::min<std::size_t>(name.size(), 15));
    names.SetTask(tid, comm);
  }
  return names;
}

// One core's life, again and again: a task is woken and given the CPU, then the idle task. Few tasks run often, as on a
// board under load, some microseconds each.
class Trace {
 public:
  explicit Trace(int cpus) : running_(static_cast<std::size_t>(cpus)) {}

  const std::vector<TraceEvent>& Batch(int events) {
    batch_.clear();
    while (static_cast<int>(batch_.size()) < events) {
      const auto words = RandomWords(1, 2, ++step_);
      const auto cpu = static_cast<std::int16_t>(words[0] % running_.size());
      std::int32_t& running = running_[static_cast<std::size_t>(cpu)];
      at_ += 500 + words[1] % 20'000;
      if (running == 0) {
        const auto tid = static_cast<std::int32_t>(1 + (words[2] % 10 == 0 ? words[3] % kTasks : words[3] % 8));
        batch_.push_back({Nanos(at_), cpu, tid, 0, cpu, 120, TraceEvent::Kind::kWaking, TraceEvent::State::kPreempted});
        at_ += 1'500;
        batch_.push_back({Nanos(at_), 0, tid, 0, cpu, 120, TraceEvent::Kind::kSwitch, TraceEvent::State::kOther});
        running = tid;
      } else {
        batch_.push_back(
            {Nanos(at_), 0, 0, running, cpu, 120, TraceEvent::Kind::kSwitch, TraceEvent::State::kSleeping});
        running = 0;
      }
    }
    return batch_;
  }

 private:
  std::vector<std::int32_t> running_;
  std::vector<TraceEvent> batch_;
  std::uint32_t step_ = 0;
  std::int64_t at_ = 1'000'000'000'000;
};

// Batches of `state.range(0)` events of `state.range(1)` cores into a sink that only counts. Time is the calling
// thread's.
void OnEvents(benchmark::State& state) {
  const int events = static_cast<int>(state.range(0)), cpus = static_cast<int>(state.range(1));
  const TraceNames names = Names();
  std::atomic<std::uint64_t> bytes{0};
  auto trace = PerfettoTrace::Create({.cpus = cpus}, [&](std::span<const std::uint8_t> chunk) {
    bytes += chunk.size();
    return 0;
  });
  Trace source(cpus);
  std::vector<std::vector<TraceEvent>> batches;
  for (int i = 0; i < 400'000 / events; ++i) batches.push_back(source.Batch(events));
  const Nanos span = batches.back().back().at - batches.front().front().at;
  std::size_t i = 0;
  std::uint64_t given = 0;
  for (auto _ : state) {
    auto& batch = batches[i++ % batches.size()];
    (*trace)->OnEvents(batch, names);
    given += batch.size();
    state.PauseTiming();
    for (TraceEvent& event : batch) event.at += span;
    state.ResumeTiming();
  }
  (void)(*trace)->Finish(std::chrono::seconds(5));
  const double count = static_cast<double>(given);
  state.counters["per_event"] = benchmark::Counter(count, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes_per_event"] = static_cast<double>(bytes) / (count - static_cast<double>((*trace)->dropped()));
  state.counters["dropped"] = static_cast<double>((*trace)->dropped());
}
BENCHMARK(OnEvents)->Args({2000, 2})->Args({2000, 8})->Args({40000, 2})->Args({200, 8});

}  // namespace
}  // namespace corerig

BENCHMARK_MAIN();
