// What this board's clock and timers can tell apart, measured.
//
//   const ClockResolution clock = MeasureClock();      // takes less than a millisecond
//   if (limit < clock.finest()) ...                     // no such limit can be held, whatever is measured
#pragma once

#include <span>

#include "harness/base/units.h"

namespace corerig {

struct ClockResolution {
  Nanos timer{0};  // clock_getres: 1 ns where timers are of high resolution, else a tick of the kernel, 1 to 10 ms
  Nanos step{0};   // the smallest difference between two readings that differ
  Nanos read{0};   // what one reading takes, median

  // A time between two stamps is known to this at best.
  Nanos finest() const;
};

ClockResolution MeasureClock();

// Pure: of successive readings. Fewer than two tell nothing: 0.
ClockResolution ResolutionOf(Nanos timer, std::span<const Nanos> readings);

}  // namespace corerig
