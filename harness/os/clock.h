// The kernel's clocks, and one expressed in another.
#pragma once

#include <optional>

#include "harness/base/record.h"
#include "harness/base/units.h"

namespace corerig {

Nanos MonotonicNow();
Nanos RealtimeNow();

// CPU time this thread has used.
Nanos ThreadCpuTime();

// The three clocks read together.
Anchor ReadAnchor();

// Sleeps until an instant of CLOCK_MONOTONIC; goes on sleeping when a signal interrupts.
void SleepUntil(Nanos when);

// CLOCK_REALTIME stamps (of received packets) as instants of CLOCK_MONOTONIC.
//
// Both clocks run at one speed under NTP; only a step (settimeofday, a leap second) moves one against the other. The
// offset is bracketed: realtime is read between two reads of monotonic, so it lies in an interval as wide as the two
// are apart.
class RealtimeConverter {
 public:
  RealtimeConverter() { Check(); }

  // Brackets the offset anew. False if it moved since the last call: stamps taken in between cannot be converted.
  bool Check();

  Nanos ToMonotonic(Nanos realtime) const { return realtime - Nanos((low_ + high_) / 2); }

 private:
  std::int64_t low_ = 0, high_ = 0;  // bounds of realtime - monotonic, ns
  bool known_ = false;
};

}  // namespace corerig
