#include "harness/stream/schedule.h"

#include <algorithm>
#include <cmath>

#include "harness/base/philox.h"

namespace corerig {
namespace {

// Random numbers of the harness itself use lanes from 0xFA000000 on (faults.cc has the others), those of sensors the
// low ones.
constexpr std::uint32_t kPhaseLane = 0xFA000020;

}  // namespace

SampleRange StreamSchedule::DueIn(Nanos begin, Nanos end) const {
  const std::uint64_t before = DueBefore(begin), until = DueBefore(end);
  return {.first = before, .count = until > before ? until - before : 0};
}

Nanos StreamSchedule::ByTheBoardsClock(Nanos own) const {
  if (ppb == 0) return own;
  // own / (1 + ppb * 1e-9), as a small correction: a double keeps it to the nanosecond for a hundred days and more, and
  // is the same on every machine.
  const double correction = static_cast<double>(own.count()) * ppb / (1e9 + ppb);
  return own - Nanos(std::llround(correction));
}

Nanos StreamSchedule::OwnOffsetOf(std::uint64_t sequence) const {
  if (pattern.empty()) return rate.OffsetOf(sequence);
  const std::uint64_t in_cycle = sequence % pattern.size();
  if (cycle > Nanos(0)) return static_cast<std::int64_t>(sequence / pattern.size()) * cycle + pattern[in_cycle];
  return rate.OffsetOf(sequence - in_cycle) + pattern[in_cycle];
}

std::uint64_t StreamSchedule::DueBefore(Nanos instant) const {
  // Right for a clock that is right, of frames that are evenly spaced or of a recording; and near it else.
  const double correction = static_cast<double>((instant - first).count()) * ppb * 1e-9;
  const Nanos own = instant - first + Nanos(std::llround(correction));
  std::uint64_t before = 0;
  if (cycle == Nanos(0)) {
    before = rate.EventsBefore(own);
  } else if (own > Nanos(0)) {
    const auto in_cycle = std::lower_bound(pattern.begin(), pattern.end(), own % cycle) - pattern.begin();
    before = static_cast<std::uint64_t>(own / cycle) * pattern.size() + static_cast<std::uint64_t>(in_cycle);
  }
  while (before > 0 && DueOf(before - 1) >= instant) --before;
  while (DueOf(before) < instant) ++before;
  return before;
}

StreamSchedule ScheduleOf(const Plan& plan, const StreamPlan& stream, Nanos start) {
  const Rate rate = FrameRate(stream);
  const auto period = static_cast<double>(rate.OffsetOf(1).count());
  const double share = UniformOpen(RandomWords(plan.seed, StreamId(stream.name), 0, kPhaseLane)[0]);
  return {.first = start + Nanos(static_cast<std::int64_t>(share * period)),
          .rate = rate,
          .ppb = stream.clock.ppb,
          .pattern = stream.pattern,
          .cycle = stream.recording ? stream.recording->cycle : Nanos(0)};
}

SampleRange Expected(const Plan& plan, const StreamPlan& stream, Nanos begin, Nanos end) {
  return ScheduleOf(plan, stream, Nanos(0)).DueIn(begin, end);
}

}  // namespace corerig
