// The kernel's clocks, and one expressed in another.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "harness/base/record.h"
#include "harness/base/units.h"

namespace corerig {

Nanos MonotonicNow();
Nanos RealtimeNow();

// CPU time this thread has used.
Nanos ThreadCpuTime();

// CPU time a process has used, all its threads, also those that ended (man 3 clock_getcpuclockid); of a zombie as well.
// Nothing if it is gone.
std::optional<Nanos> ProcessCpuTime(pid_t pid);

// The three clocks read together.
Anchor ReadAnchor();

// Sleeps until an instant of CLOCK_MONOTONIC; goes on sleeping when a signal interrupts.
void SleepUntil(Nanos when);

// CLOCK_REALTIME read between two reads of CLOCK_MONOTONIC.
struct OffsetBracket {
  Nanos before{0};
  Nanos realtime{0};
  Nanos after{0};
};
OffsetBracket ReadOffsetBracket();

// CLOCK_REALTIME stamps (of received packets) as instants of CLOCK_MONOTONIC.
//
// Both clocks run at one speed under NTP; only a step (settimeofday, a leap second) moves one against the other. The
// offset is bracketed: it lies in an interval as wide as the two reads of monotonic are apart, and in every such
// interval since the last step, hence in their intersection.
class RealtimeConverter {
 public:
  RealtimeConverter();  // reads several brackets, as a preemption may widen one
  explicit RealtimeConverter(const OffsetBracket& first);

  // Brackets the offset anew. False if it moved since the last call: stamps taken in between cannot be converted.
  bool Check() { return Check(ReadOffsetBracket()); }
  bool Check(const OffsetBracket& now);

  Nanos ToMonotonic(Nanos realtime) const { return realtime - Nanos(low_ + (high_ - low_) / 2); }

  // ToMonotonic is wrong by at most this.
  Nanos Uncertainty() const { return Nanos((high_ - low_ + 1) / 2); }

 private:
  std::int64_t low_ = 0, high_ = 0;  // bounds of realtime - monotonic, ns
};

}  // namespace corerig
