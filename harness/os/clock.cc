#include "harness/os/clock.h"

#include <time.h>

#include <algorithm>
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

std::optional<Nanos> ProcessCpuTime(pid_t pid) {
  clockid_t clock;
  timespec used = {};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return std::nullopt;
  return std::chrono::seconds(used.tv_sec) + Nanos(used.tv_nsec);
}

Anchor ReadAnchor() {
  return {.monotonic = Read(CLOCK_MONOTONIC), .realtime = Read(CLOCK_REALTIME), .boottime = Read(CLOCK_BOOTTIME)};
}

void SleepUntil(Nanos when) {
  const timespec at = {.tv_sec = when.count() / 1'000'000'000, .tv_nsec = when.count() % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

OffsetBracket ReadOffsetBracket() {
  OffsetBracket bracket;
  bracket.before = MonotonicNow();
  bracket.realtime = RealtimeNow();
  bracket.after = MonotonicNow();
  return bracket;
}

RealtimeConverter::RealtimeConverter() : RealtimeConverter(ReadOffsetBracket()) {
  for (int i = 0; i < 7; ++i) Check();
}

RealtimeConverter::RealtimeConverter(const OffsetBracket& first)
    : low_((first.realtime - first.after).count()), high_((first.realtime - first.before).count()) {}

bool RealtimeConverter::Check(const OffsetBracket& now) {
  const std::int64_t low = (now.realtime - now.after).count(), high = (now.realtime - now.before).count();
  const bool moved = high < low_ || low > high_;
  // Two brackets of one offset hold it both, so their intersection does: the bounds only get tighter.
  low_ = moved ? low : std::max(low_, low);
  high_ = moved ? high : std::min(high_, high);
  return !moved;
}

}  // namespace corerig
