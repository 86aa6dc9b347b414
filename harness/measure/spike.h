// Why a sample was late: its delay, cut along the stamps of its way and then along what the scheduling trace says its
// threads' cores did meanwhile, as causes that add up.
//
//   SpikeRecord spike = ExplainSpike(subject, evidence, context);
//   spike.text   // "stream imu sample 10432 was 2.31 ms late: its loop (flight, fifo:80) was ready on core 0 but 'hog'
//                //  (foreign, fifo:90, pid 4711) held the core for 2.27 ms; the rest, 40.0 µs, is usual"
//
// Pure. What no event explains is `unexplained`, however likely a cause may seem: a hypervisor's steal and a change of
// frequency are named beside it, as what was seen, not as what it was.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/trace_event.h"
#include "harness/base/units.h"
#include "harness/base/worst_samples.h"

namespace corerig {

// A thread that a sample depends on.
struct SpikeThread {
  int tid = 0;  // 0: there is none
  int core = -1;
  std::string name;  // "its loop (flight, fifo:80)"
};

// What the phases of a stream's samples take as a rule: medians over the window, and of the service the 99th percentile
// as well.
struct UsualPhases {
  Nanos lateness{0}, transport{0}, queue{0}, service{0}, service_p99{0};
};

struct SpikeSubject {
  std::string part;  // "stream.imu"
  std::string loop;
  std::optional<std::uint64_t>
      sample;  // none: a run-queue delay of the loop, woken at stamps.due and run at stamps.done
  SampleStamps stamps;
  SpikeThread source;  // none for a timer and for a loop
  SpikeThread thread;  // the loop's
  UsualPhases usual;
};

// The trace around a spike.
struct SpikeEvidence {
  // In the order of time: of [from, until) everything on the cores concerned, and before it the last switch of each.
  std::vector<TraceEvent> events;
  Nanos from{0}, until{0};
  bool cut = false;                  // there were too many events to keep: it ends before the sample was done
  std::map<int, std::string> tasks;  // the command names of the tids in it
  std::map<int, std::string> roles;  // of those that are of the run: "worker price.0", "loop flight", "source", "rig"
  std::map<std::pair<TraceEvent::Kind, std::int64_t>, std::string> interrupts;
  std::string absent;  // why there is none: "the trace has a gap there"
};

// What is known of the window as a whole.
struct SpikeContext {
  std::map<int, double> steal;  // by core: the share that the hypervisor took
};

SpikeRecord ExplainSpike(const SpikeSubject& subject, const SpikeEvidence& evidence, const SpikeContext& context);

// The kernel's priority for people: "fifo:90" (or rr: a priority tells no difference), "nice 0"; empty for
// one that was not seen, and for deadline, which has none.
std::string ClassOf(int kernel_priority);

}  // namespace corerig
