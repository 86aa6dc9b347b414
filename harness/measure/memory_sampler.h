// Memory of a set of processes over time.
//
//   MemorySampler sampler(procfs, 250ms);
//   sampler.Add(0, pid);
//   sampler.BeginWindow(begin);
//   sampler.EndWindow(end);
//   for (Nanos next = MonotonicNow(); ...;) { SleepUntil(next); next = sampler.Step(MonotonicNow()); }
//   record.memory_summary = sampler.Summary(0);
//
// Each step reads one process, or several while that takes no time to speak of, so that no step keeps the caller long;
// a round has read every process. A step that cost c of CPU time is followed by a pause until 100 c have passed since
// it began: sampling takes at most 1 % of a core, however large the processes are, and the interval stretches instead.
// Memory is bounded: the series are thinned, the statistics are not. One thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/measure/memory_probe.h"
#include "harness/os/procfs.h"

namespace corerig {

class MemorySampler {
 public:
  // One sample of a process; nothing if the process has ended (a zombie has no memory either). An error means that it
  // is alive and its memory cannot be read.
  using Reader = std::function<Result<std::optional<MemoryReading>>(pid_t)>;
  // CPU time this thread has used.
  using CostClock = std::function<Nanos()>;

  static constexpr std::size_t kMaxSeries = 512;
  // Growth is told from this many samples over this span on. Growth per minute from 2 s multiplies by 30: one page of
  // 4 KiB that came within the 2 s already reads as up to 120 KiB per minute.
  static constexpr std::size_t kMinGrowthSamples = 10;
  static constexpr Nanos kMinGrowthSpan = std::chrono::seconds(2);

  // Of one process each.
  static Reader ReaderOf(const ProcFs& procfs);

  // `interval` is the wished time from the beginning of one round to the next.
  MemorySampler(const ProcFs& procfs, Nanos interval);
  // Without swap (`has_swap` false) nothing is said of it.
  MemorySampler(Reader reader, CostClock cost_clock, Nanos interval, bool has_swap = true);

  // `key` is the caller's number of the process. Adding a key anew drops the figures it had. The pid must stay the
  // process's until it is removed, as that of an unreaped child does.
  void Add(int key, pid_t pid);
  // Samples the process no more; its figures of the window stay.
  void Remove(int key);

  // Reads one process if a step is due at `now` (CLOCK_MONOTONIC). Returns the instant of the next step.
  Nanos Step(Nanos now);

  // Only steps of begin <= now < end count for series, summaries and totals. Both may be told ahead; the end at the
  // latest before the first step that lies behind it. Beginning a window drops the figures of an earlier one.
  void BeginWindow(Nanos begin);
  void EndWindow(Nanos end);

  // The latest sample, in the window or not; nothing once the process has ended or was removed.
  std::optional<MemoryReading> Latest(int key) const;
  // Why the latest sample of a living process failed; empty if it did not.
  std::string Failure(int key) const;
  // At most kMaxSeries samples, ascending: the first, the last, the maxima of RSS, PSS and USS, and evenly spaced ones.
  std::vector<MemorySample> Series(int key) const;
  // Over all samples; nothing if there was none.
  std::optional<MemorySummary> Summary(int key) const;
  MemoryTrend Trend(int key) const;

  // Sums over the processes alive, per round that lies in the window and in which each of them could be read.
  std::optional<MemorySummary::Figure> TotalPss() const;
  // Sum of PSS - sum of USS: what more than one process maps, counted once as far as mapped by these processes.
  std::optional<MemorySummary::Figure> Shared() const;

  // CPU time of all steps but the latest, as a share of the time from the first step to the latest: each step is paid
  // for by the pause behind it.
  double share() const;

 private:
  // Largest and mean of a number of values.
  struct Statistics {
    std::uint64_t count = 0;
    double max = 0, sum = 0;

    void Put(double value);
    MemorySummary::Figure figure() const { return {.max = max, .mean = sum / static_cast<double>(count)}; }
  };

  // What the window had of one process.
  struct History {
    Statistics rss, pss, uss, shared, swap, page_tables;  // over all samples
    std::vector<MemorySample> evenly;                     // every stride-th sample; the first is sample 0
    std::uint64_t stride = 1;
    MemorySample last, max_rss, max_pss, max_uss;

    void Put(const MemorySample& sample);
    // Evenly spaced, and the last.
    std::vector<MemorySample> EvenlyToTheEnd() const;
    std::optional<double> Growth() const;
  };

  struct Process {
    pid_t pid = 0;
    bool sampled = true;  // false once removed
    std::optional<MemoryReading> latest;
    std::string failure;
    History history;
  };

  struct Round {
    Nanos begin{0};
    std::optional<int> last_key;  // of the process read last
    bool whole = true;            // all alive were read, and in the window
    std::uint64_t read = 0;       // processes
    double pss = 0, uss = 0;
  };

  static std::optional<MemorySummary::Figure> FigureOf(const Statistics& statistics);
  bool InWindow(Nanos now) const;
  std::map<int, Process>::iterator NextOfRound();
  void Sample(Process& process, Nanos now);
  void FinishRound();

  Reader reader_;
  CostClock cost_clock_;
  Nanos interval_;
  bool has_swap_;
  std::map<int, Process> processes_;
  std::optional<Round> round_;
  std::optional<Nanos> window_begin_, window_end_;
  Statistics total_pss_, shared_;
  std::optional<Nanos> first_step_;
  Nanos latest_step_{0}, next_step_{0};
  Nanos cost_{0}, latest_cost_{0};  // without and of the latest step
};

}  // namespace corerig
