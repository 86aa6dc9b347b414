#include "harness/stream/schedule.h"

#include "harness/base/philox.h"

namespace corerig {
namespace {

// Random numbers of the harness itself use lanes from 0xFA000000 on (faults.cc has the others), those of sensors the
// low ones.
constexpr std::uint32_t kPhaseLane = 0xFA000020;

}  // namespace

SampleRange StreamSchedule::DueIn(Nanos begin, Nanos end) const {
  const std::uint64_t before = rate.EventsBefore(begin - first);
  const std::uint64_t until = rate.EventsBefore(end - first);
  return {.first = before, .count = until > before ? until - before : 0};
}

StreamSchedule ScheduleOf(const Plan& plan, const StreamPlan& stream, Nanos start) {
  const auto period = static_cast<double>(stream.rate.OffsetOf(1).count());
  const double share = UniformOpen(RandomWords(plan.seed, StreamId(stream.name), 0, kPhaseLane)[0]);
  return {.first = start + Nanos(static_cast<std::int64_t>(share * period)), .rate = stream.rate};
}

SampleRange Expected(const Plan& plan, const StreamPlan& stream, Nanos begin, Nanos end) {
  return ScheduleOf(plan, stream, Nanos(0)).DueIn(begin, end);
}

}  // namespace corerig
