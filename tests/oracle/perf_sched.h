// What `perf sched record` has recorded, read in two ways that share no code with corerig: the raw events as `perf
// script` prints them, followed here; and the table of `perf sched timehist`.
//
//   const auto raw = RawTasks(PerfScript("perf.data"), begin, end);
//   raw.by_tid.at(pid).involuntary
//
// perf.data must have been recorded with `-k mono`: times are CLOCK_MONOTONIC ns.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace corerig {

// What one task did in a window.
struct PerfTask {
  std::uint64_t voluntary = 0, involuntary = 0, migrations = 0;
  std::uint64_t at_the_border = 0;  // switches so near to an end of the window that either side may be right
  std::vector<std::int64_t> runqueue, wake, slice;  // ns, as they came
  std::int64_t preempted = 0;                       // ns in the window that it was ready to run after a preemption
  std::int64_t preempted_or_ran = 0;  // ns of which it was that at first and then ran: that it came was not recorded
};
struct PerfTasks {
  std::map<int, PerfTask> by_tid;
  // By CPU: switches in the window that came from another task than the one switched to before. What ran in between
  // is not in the recording, nor whom it woke. (Seen on a virtual machine with 6.18: nothing of the idle task and of
  // the host's agent is recorded.) Elsewhere there are none.
  std::map<int, std::uint64_t> unseen;
};

struct PerfRecording {
  std::vector<std::string> lines;
  std::uint64_t lost = 0;  // events that perf says it lost
  std::string error;       // why there is nothing; empty if there is
};

// `perf script` and `perf sched timehist` on a file.
PerfRecording PerfScript(const std::string& file);
PerfRecording PerfTimehist(const std::string& file);

// The lines of PerfScript followed from event to event.
PerfTasks RawTasks(const PerfRecording& script, std::int64_t begin, std::int64_t end);
// The lines of PerfTimehist, which has microseconds. Its wait time of a task that was preempted is its run-queue delay,
// its sch delay that of one that slept. It knows no migrations. Times of a task that was not seen to be given the CPU
// are left out.
PerfTasks TimehistTasks(const PerfRecording& timehist, std::int64_t begin, std::int64_t end);

// The value that a share `p` of `values` does not exceed (nearest rank), or the one `ranks` further.
std::int64_t NearestRank(std::vector<std::int64_t> values, double p, std::int64_t ranks = 0);

}  // namespace corerig
