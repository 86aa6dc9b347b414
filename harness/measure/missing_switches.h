// Puts in the switches that some kernels do not trace.
//
// Seen on a virtual machine with kernel 6.18: nothing that the idle task does is traced, neither sched_switch nor
// cpu_idle, nor how the threads of process 1 leave a CPU; interrupts in them are. Every later event tells in whose
// context it was recorded, so a task that is found running where another was last known to run was switched to in
// between. When: out of idle, right after the last interrupt that came in it, which woke the CPU for it (here 1 to 3 us
// later), or by the event that shows it, if there was none; away from a task, right after the last event in it, which
// is at most a tick before.
//
// One per CPU, fed with all its events in order. Where the kernel traces its switches it finds nothing to put in.
#pragma once

#include <optional>

#include "harness/base/trace_event.h"

namespace corerig {

class MissingSwitches {
 public:
  explicit MissingSwitches(CpuId cpu) : cpu_(cpu) {}

  // The switch that must have happened before an event recorded at `at` in the context of task `context` (-1: unknown).
  // `event` is the event where it is a known one, nullptr else.
  std::optional<TraceEvent> Before(Nanos at, std::int32_t context, const TraceEvent* event) {
    std::optional<TraceEvent> missing;
    if (context >= 0 && context != running_) {
      if (running_ >= 0) {
        missing = TraceEvent{.at = last_ ? *last_ : at,
                             .tid = context,
                             .other = running_,
                             .cpu = static_cast<std::int16_t>(cpu_.value),
                             .priority = -1,
                             .kind = TraceEvent::Kind::kSwitch,
                             .state = TraceEvent::State::kOther};
      }
      Runs(context);
    }
    if (event != nullptr && event->kind == TraceEvent::Kind::kSwitch) {
      Runs(event->tid);
    } else if (running_ > 0 || (event != nullptr && EndsAnInterrupt(event->kind))) {
      last_ = at;
    }
    return missing;
  }

  // Events were lost: nothing is known of what the CPU does.
  void Reset() { Runs(-1); }

 private:
  static bool EndsAnInterrupt(TraceEvent::Kind kind) {
    return kind == TraceEvent::Kind::kIrqExit || kind == TraceEvent::Kind::kSoftirqExit ||
           kind == TraceEvent::Kind::kVectorExit;
  }
  void Runs(std::int32_t tid) {
    running_ = tid;
    last_.reset();
  }

  CpuId cpu_;
  std::int32_t running_ = -1;  // -1: not known
  // Its latest event; of the idle task, the end of the latest interrupt in this idle period.
  std::optional<Nanos> last_;
};

}  // namespace corerig
