// What the kernel and the hardware count about a thread, or about a process and all it starts.
//
//   auto counters = Counters::OfProcess(procfs, pid);      // from now on
//   const auto before = counters.Read();
//   ... the window ...
//   record.counters = counters.Between(before, counters.Read());
//
// Unlike /proc they include threads and processes that have ended meanwhile, and they can be read after the end. Where
// the kernel does not trust us it counts what happens in user mode only; the record says so.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/os/perf_event.h"
#include "harness/os/procfs.h"

namespace corerig {

inline constexpr std::size_t kCounterKinds = static_cast<std::size_t>(CounterKind::kBranchMisses) + 1;

using CountersReading = std::array<std::optional<PerfCount>, kCounterKinds>;

// What a counter would have counted between two readings had it been counting all the time, and the share of the time
// for which it did. Nothing if it never did while the task ran.
struct ScaledCount {
  double value = 0;
  double running = 1;
};
std::optional<ScaledCount> Scale(const PerfCount& before, const PerfCount& after);

class Counters {
 public:
  // The first counter of a task costs each of its switches 1 µs, all of the kernel's own 1.6 µs, and a page fault 3 %
  // (tests/bench:counting_bench): beside a trace, and /proc, the hardware's alone are worth it.
  enum class Which { kAll, kHardware, kNone };

  static Counters OfThread(pid_t tid, Which which = Which::kAll);
  // Of every thread it has. It should not be starting any just now: those would be missed.
  static Counters OfProcess(const ProcFs& procfs, pid_t pid, Which which = Which::kAll);

  CountersReading Read() const;
  CountersRecord Between(const CountersReading& before, const CountersReading& after) const;

 private:
  explicit Counters(Which which);
  void Add(pid_t tid);
  // Opens a kind in the group of `leader`, or alone. Returns its descriptor; -1 if it failed.
  int AddKind(pid_t tid, CounterKind kind, int leader);

  struct Kind {
    std::vector<PerfEvent> events;  // one per thread
    std::string absent;             // why it does not count
    bool user_only = false;
  };
  std::array<Kind, kCounterKinds> kinds_;
};

}  // namespace corerig
