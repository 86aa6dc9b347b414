#include "harness/os/clock.h"

#include <time.h>

#include <cerrno>

namespace corerig {
namespace {

Nanos Read(clockid_t clock) {
  timespec now = {};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + Nanos(now.tv_nsec);
}

}  // namespace

Nanos MonotonicNow() { return Read(CLOCK_MONOTONIC); }
Nanos RealtimeNow() { return Read(CLOCK_REALTIME); }
Nanos ThreadCpuTime() { return Read(CLOCK_THREAD_CPUTIME_ID); }

Anchor ReadAnchor() {
  return {.monotonic = Read(CLOCK_MONOTONIC), .realtime = Read(CLOCK_REALTIME), .boottime = Read(CLOCK_BOOTTIME)};
}

void SleepUntil(Nanos when) {
  const timespec at = {.tv_sec = when.count() / 1'000'000'000, .tv_nsec = when.count() % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

bool RealtimeConverter::Check() {
  const std::int64_t before = MonotonicNow().count();
  const std::int64_t realtime = RealtimeNow().count();
  const std::int64_t after = MonotonicNow().count();
  const std::int64_t low = realtime - after, high = realtime - before;
  const bool moved = known_ && (high < low_ || low > high_);
  // Two brackets of one offset hold it both, so their intersection does: the bounds only get tighter.
  low_ = known_ && !moved && low_ > low ? low_ : low;
  high_ = known_ && !moved && high_ < high ? high_ : high;
  known_ = true;
  return !moved;
}

}  // namespace corerig
