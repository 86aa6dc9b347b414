// What a core did, and how a thread fared, over a stretch of a scheduling trace: who had the core at any instant, and
// whether the thread ran, could have run, or slept.
//
// Pure. Events in the order of time; what the first ones tell of the time before them is used.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "harness/base/trace_event.h"
#include "harness/base/units.h"

namespace corerig {

// What one core did from `begin` to `end`.
struct CoreSpan {
  static constexpr int kUnknown = -1;
  Nanos begin{0}, end{0};
  int tid = kUnknown;  // 0: idle
  static constexpr int kNotSeen = -1;
  int priority = kNotSeen;                // of `tid`, in the kernel's numbers
  const TraceEvent* interrupt = nullptr;  // the innermost one being served: an event of it
};

// Without gaps from `from` to `until`. Pointers are into `events`.
std::vector<CoreSpan> CoreHistory(std::span<const TraceEvent> events, int cpu, Nanos from, Nanos until);

struct ThreadSpan {
  enum class State { kUnknown, kRunning, kRunnable, kSleeping };
  Nanos begin{0}, end{0};
  State state = State::kUnknown;
  int core = -1;                       // where it runs or, runnable, will run; -1: not seen
  const TraceEvent* waking = nullptr;  // what ended a sleep
};

std::vector<ThreadSpan> ThreadHistory(std::span<const TraceEvent> events, int tid, Nanos from, Nanos until);

}  // namespace corerig
