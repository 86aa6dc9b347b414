#include "harness/measure/counters.h"

#include <algorithm>
#include <utility>

#include "harness/base/text.h"

namespace corerig {
namespace {

struct Config {
  std::uint32_t type;
  std::uint64_t config;
};

Config ConfigOf(CounterKind kind) {
  switch (kind) {
    case CounterKind::kTaskClock:
      return {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK};
    case CounterKind::kContextSwitches:
      return {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES};
    case CounterKind::kMigrations:
      return {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS};
    case CounterKind::kMinorFaults:
      return {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN};
    case CounterKind::kMajorFaults:
      return {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ};
    case CounterKind::kCycles:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};
    case CounterKind::kInstructions:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS};
    case CounterKind::kCacheReferences:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES};
    case CounterKind::kCacheMisses:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES};
    case CounterKind::kBranchMisses:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES};
  }
  return {};
}

// What is counted together: cycles and instructions at the same time, for their quotient; what a small PMU can hold.
constexpr std::pair<CounterKind, CounterKind> kGroups[] = {
    {CounterKind::kTaskClock, CounterKind::kMajorFaults},
    {CounterKind::kCycles, CounterKind::kInstructions},
    {CounterKind::kCacheReferences, CounterKind::kBranchMisses},
};

constexpr std::string_view kNeverRan =
    "it never had a place on the PMU: other counters have them all, or the NMI watchdog (sudo sysctl "
    "kernel.nmi_watchdog=0)";
constexpr std::string_view kTraced =
    "the scheduling trace and /proc have it; to count it as well would cost each switch";
constexpr std::string_view kNotWanted = "the scenario says trace = false";
constexpr std::string_view kNoReading = "no reading at both ends of the window";

}  // namespace

std::optional<ScaledCount> Scale(const PerfCount& before, const PerfCount& after) {
  const auto grown = [](auto from, auto to) { return static_cast<double>(to > from ? to - from : 0); };
  const double counted = grown(before.value, after.value);
  const double enabled = grown(before.enabled.count(), after.enabled.count());
  const double running = grown(before.running.count(), after.running.count());
  if (enabled <= 0) return ScaledCount{.value = counted, .running = 1};  // the task did not run
  if (running <= 0) return std::nullopt;
  const double share = std::min(running / enabled, 1.0);
  return ScaledCount{.value = counted / share, .running = share};
}

Counters::Counters(Which which) {
  for (std::size_t i = 0; i < kCounterKinds; ++i) {
    const bool hardware = ConfigOf(static_cast<CounterKind>(i)).type == PERF_TYPE_HARDWARE;
    if (which == Which::kNone) kinds_[i].absent = kNotWanted;
    if (which == Which::kHardware && !hardware) kinds_[i].absent = kTraced;
  }
}

Counters Counters::OfThread(pid_t tid, Which which) {
  Counters counters(which);
  counters.Add(tid);
  return counters;
}

Counters Counters::OfProcess(const ProcFs& procfs, pid_t pid, Which which) {
  Counters counters(which);
  const auto threads = procfs.Threads(pid);
  if (!threads) return counters;  // it ended
  for (const pid_t tid : *threads) counters.Add(tid);
  return counters;
}

void Counters::Add(pid_t tid) {
  for (const auto& [first, last] : kGroups) {
    int leader = -1;
    for (auto kind = static_cast<std::size_t>(first); kind <= static_cast<std::size_t>(last); ++kind) {
      const int fd = AddKind(tid, static_cast<CounterKind>(kind), leader);
      if (leader < 0) leader = fd;
    }
  }
}

int Counters::AddKind(pid_t tid, CounterKind kind, int leader) {
  Kind& counter = kinds_[static_cast<std::size_t>(kind)];
  if (!counter.absent.empty()) return -1;
  const auto [type, config] = ConfigOf(kind);
  const perf_event_attr attr = CountingAttr(type, config, /*inherit=*/true);
  auto event = PerfEvent::Open(attr, {.tid = tid, .group = leader});
  // Together they may be more than the PMU can hold; alone they take turns.
  if (!event && leader >= 0) event = PerfEvent::Open(attr, {.tid = tid});
  if (!event) {
    if (event.error().message != kTaskEnded) {
      counter.absent = event.error().message;
      counter.events.clear();
    }
    return -1;
  }
  counter.user_only = counter.user_only || event->user_only();
  counter.events.push_back(std::move(*event));
  return counter.events.back().fd();
}

CountersReading Counters::Read() const {
  CountersReading reading;
  for (std::size_t i = 0; i < kCounterKinds; ++i) {
    if (kinds_[i].events.empty()) continue;
    PerfCount sum;
    bool whole = true;
    for (const auto& event : kinds_[i].events) {
      const auto count = event.Read();
      whole = whole && count.has_value();
      if (!count) continue;
      sum.value += count->value;
      sum.enabled += count->enabled;
      sum.running += count->running;
    }
    if (whole) reading[i] = sum;
  }
  return reading;
}

CountersRecord Counters::Between(const CountersReading& before, const CountersReading& after) const {
  CountersRecord record;
  for (std::size_t i = 0; i < kCounterKinds; ++i) {
    CounterRecord& count = record.counts.emplace_back();
    count.kind = static_cast<CounterKind>(i);
    count.user_only = kinds_[i].user_only;
    if (!kinds_[i].absent.empty()) {
      count.absent = kinds_[i].absent;
    } else if (!before[i] || !after[i]) {
      count.absent = kNoReading;
    } else if (const auto scaled = Scale(*before[i], *after[i])) {
      count.value = scaled->value;
      count.running = scaled->running;
    } else {
      count.absent = kNeverRan;
    }
  }
  return record;
}

}  // namespace corerig
