// Puts in the switches out of idle that some kernels do not trace.
//
// Seen on a virtual machine with kernel 6.18: nothing that the idle task does is traced, neither sched_switch nor
// cpu_idle; interrupts in it are. Every later event tells in whose context it was recorded, so a task that is found
// running where the CPU was last known to be idle was switched to in between: right after the last interrupt that came
// in idle, which woke the CPU for it (here 1 to 3 µs later); or, if there was none, by the event that shows it.
//
// One per CPU, fed with all its events in order. Where the kernel traces its switches it finds nothing to put in.
#pragma once

#include <optional>

#include "harness/base/trace_event.h"

namespace corerig {

class IdleSwitches {
 public:
  explicit IdleSwitches(CpuId cpu) : cpu_(cpu) {}

  // The switch that must have happened before an event recorded at `at` in the context of task `context`. `event` is
  // the event where it is a known one, nullptr else.
  std::optional<TraceEvent> Before(Nanos at, std::int32_t context, const TraceEvent* event) {
    std::optional<TraceEvent> missing;
    if (idle_ && context > 0) {
      missing = TraceEvent{.at = interrupted_ ? *interrupted_ : at,
                           .tid = context,
                           .other = 0,
                           .cpu = static_cast<std::int16_t>(cpu_.value),
                           .priority = -1,
                           .kind = TraceEvent::Kind::kSwitch};
    }
    idle_ = context == 0;
    if (event == nullptr) return missing;
    switch (event->kind) {
      case TraceEvent::Kind::kSwitch:
        idle_ = event->tid == 0;
        interrupted_.reset();
        break;
      case TraceEvent::Kind::kIrqExit:
      case TraceEvent::Kind::kSoftirqExit:
      case TraceEvent::Kind::kVectorExit:
        if (idle_) interrupted_ = at;
        break;
      default:
        break;
    }
    return missing;
  }

  // Events were lost: nothing is known of what the CPU does.
  void Reset() {
    idle_ = false;
    interrupted_.reset();
  }

 private:
  CpuId cpu_;
  bool idle_ = false;
  std::optional<Nanos> interrupted_;  // end of the latest interrupt in this idle period
};

}  // namespace corerig
