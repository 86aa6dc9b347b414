// When a stream's samples are due: a function of the plan and the common start alone, so that supervisor, source and
// handler agree about every sample without talking to each other.
//
//   const StreamSchedule schedule = ScheduleOf(plan, stream, start);
//   schedule.DueOf(7);                                      // of sample 7
//   Expected(plan, stream, plan.warmup, plan.warmup + plan.duration).count;   // samples the window should see
#pragma once

#include <cstdint>
#include <span>

#include "harness/base/units.h"
#include "harness/plan/plan.h"

namespace corerig {

// Frames first, first + 1, …, first + count - 1. What is said of samples here holds for the frames of a stream that
// sends several samples in one.
struct SampleRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  bool operator==(const SampleRange&) const = default;
};

struct StreamSchedule {
  Nanos first{0};        // sample 0 is due
  Rate rate;             // of frames, by the sensor's own clock
  std::int32_t ppb = 0;  // the sensor's clock is so many parts in 10^9 fast

  std::span<const Nanos> pattern = {};  // the plan's, which outlives this
  Nanos cycle{0};                       // how long the pattern takes; 0: as the rate says

  Nanos DueOf(std::uint64_t sequence) const { return first + ByTheBoardsClock(OwnOffsetOf(sequence)); }
  // The samples due in [begin, end).
  SampleRange DueIn(Nanos begin, Nanos end) const;

 private:
  // Since sample 0 might have been due, by the sensor's own clock.
  Nanos OwnOffsetOf(std::uint64_t sequence) const;
  // A time span that the sensor's clock measured.
  Nanos ByTheBoardsClock(Nanos own) const;
  std::uint64_t DueBefore(Nanos instant) const;
};

// Sample 0 is due at a phase within the first period after the start. The phase is drawn from the seed and the stream's
// name: sensors are not started together in the field, and frames that all fall due at one instant would queue up
// behind each other in every period.
StreamSchedule ScheduleOf(const Plan& plan, const StreamPlan& stream, Nanos start);

// The samples due in a window given relative to the start: [warmup, warmup + duration) unless interrupted.
SampleRange Expected(const Plan& plan, const StreamPlan& stream, Nanos begin, Nanos end);

}  // namespace corerig
