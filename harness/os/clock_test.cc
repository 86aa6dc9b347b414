#include "harness/os/clock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace corerig {
namespace {

using namespace std::chrono_literals;

TEST(Clock, MonotonicIsWhatTheStandardLibraryReads) {
  // libstdc++'s steady_clock is CLOCK_MONOTONIC: an independent reader.
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  const Nanos ours = MonotonicNow();
  const auto after = std::chrono::steady_clock::now().time_since_epoch();
  EXPECT_LE(before, ours);
  EXPECT_LE(ours, after);
}

TEST(Clock, RealtimeIsWhatTheStandardLibraryReads) {
  const Nanos ours = RealtimeNow();
  const Nanos theirs = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_LT(std::chrono::abs(theirs - ours), 10s);
}

TEST(Clock, ThreadCpuTimeGrowsWithWorkAndNotWithSleep) {
  const Nanos cpu_begin = ThreadCpuTime(), begin = MonotonicNow();
  while (ThreadCpuTime() - cpu_begin < 5ms) {
  }
  const Nanos worked = ThreadCpuTime() - cpu_begin;
  EXPECT_LE(worked, (MonotonicNow() - begin) * 101 / 100)
      << "a thread cannot use more CPU time than passes (by 1 %: the two clocks are not one)";
  const Nanos cpu_asleep = ThreadCpuTime();
  SleepUntil(MonotonicNow() + 20ms);
  EXPECT_LT(ThreadCpuTime() - cpu_asleep, 10ms);
}

// Against what wait4 says of the same process, which is exact to the microsecond.
TEST(Clock, ProcessCpuTimeIsThatOfAllItsThreadsAlsoOnceItHasEnded) {
  const pid_t child = fork();
  if (child == 0) {
    const auto burn = [] {
      const Nanos until = ThreadCpuTime() + std::chrono::milliseconds(20);
      while (ThreadCpuTime() < until) {
      }
    };
    std::thread(burn).join();
    burn();
    _exit(0);
  }
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT);
  const auto seen = ProcessCpuTime(child);
  rusage used = {};
  wait4(child, nullptr, 0, &used);
  ASSERT_TRUE(seen);
  const auto microseconds =
      (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  EXPECT_GE(*seen, std::chrono::milliseconds(40));
  EXPECT_NEAR(static_cast<double>(seen->count()) / 1e3, static_cast<double>(microseconds), 5000)
      << "a tick, while it leaves its CPU";
  EXPECT_FALSE(ProcessCpuTime(child)) << "it is gone";
}

TEST(Clock, AnAnchorIsOneInstantOnThreeClocks) {
  const Nanos before = MonotonicNow();
  const Anchor anchor = ReadAnchor();
  const Nanos after = MonotonicNow();
  EXPECT_LE(before, anchor.monotonic);
  EXPECT_LE(anchor.monotonic, after);
  EXPECT_GE(anchor.boottime, anchor.monotonic) << "boottime counts suspension as well";
  double uptime_s = 0;  // the kernel's own text of CLOCK_BOOTTIME
  std::ifstream("/proc/uptime") >> uptime_s;
  const double boottime_s = static_cast<double>(anchor.boottime.count()) / 1e9;
  EXPECT_NEAR(boottime_s, uptime_s, 10.0);
}

TEST(SleepUntil, NeverReturnsEarly) {
  const Nanos when = MonotonicNow() + 3ms;
  SleepUntil(when);
  EXPECT_GE(MonotonicNow(), when);
}

TEST(SleepUntil, ReturnsForAnInstantThatIsPast) {
  SleepUntil(Nanos(1));  // A test that hangs has failed.
  SleepUntil(Nanos(0));
}

int alarms = 0;

TEST(SleepUntil, GoesOnSleepingWhenASignalInterrupts) {
  struct sigaction action = {};
  struct sigaction old_action = {};
  action.sa_handler = [](int) { ++alarms; };
  ASSERT_EQ(sigaction(SIGALRM, &action, &old_action), 0);
  itimerval in_2ms = {.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 2000}};
  const Nanos when = MonotonicNow() + 30ms;
  ASSERT_EQ(setitimer(ITIMER_REAL, &in_2ms, nullptr), 0);
  SleepUntil(when);
  EXPECT_GE(MonotonicNow(), when);
  EXPECT_EQ(alarms, 1);
  sigaction(SIGALRM, &old_action, nullptr);
}

// Realtime is ahead of monotonic by `offset`; the three reads lie `apart`.
OffsetBracket Bracket(Nanos monotonic, Nanos offset, Nanos apart = 100ns) {
  return {.before = monotonic, .realtime = monotonic + apart + offset, .after = monotonic + 2 * apart};
}

TEST(RealtimeConverter, ConvertsWithinItsUncertainty) {
  const RealtimeConverter converter(Bracket(5s, 1000s));
  EXPECT_EQ(converter.Uncertainty(), 100ns);
  EXPECT_EQ(converter.ToMonotonic(1007s), 7s);
}

TEST(RealtimeConverter, KeepsTheTightestBoundsItHasSeen) {
  RealtimeConverter converter(Bracket(5s, 1000s, 1us));
  EXPECT_EQ(converter.Uncertainty(), 1us);
  EXPECT_TRUE(converter.Check(Bracket(6s, 1000s, 30ns)));
  EXPECT_EQ(converter.Uncertainty(), 30ns);
  EXPECT_TRUE(converter.Check(Bracket(7s, 1000s, 5ms))) << "a preempted check widens nothing and proves nothing";
  EXPECT_EQ(converter.Uncertainty(), 30ns);
}

TEST(RealtimeConverter, AnUnevenBracketCannotMoveTheOffsetOutOfItsBounds) {
  RealtimeConverter converter(Bracket(5s, 1000s, 50ns));
  // Preempted between the second and the third read: realtime lies at the beginning of a wide bracket.
  EXPECT_TRUE(converter.Check({.before = 6s, .realtime = 1006s + 50ns, .after = 6s + 4ms}));
  EXPECT_LE(converter.Uncertainty(), 50ns);
  EXPECT_LE(std::chrono::abs(converter.ToMonotonic(1007s) - 7s), 50ns);
}

TEST(RealtimeConverter, NoticesAStepInEitherDirectionAndConvertsByTheNewOffset) {
  for (const Nanos step : {Nanos(1us), Nanos(-1us), Nanos(1h), Nanos(-1s)}) {
    RealtimeConverter converter(Bracket(5s, 1000s));
    EXPECT_FALSE(converter.Check(Bracket(6s, 1000s + step))) << "step of " << step.count() << " ns";
    EXPECT_EQ(converter.ToMonotonic(1007s + step), 7s);
    EXPECT_TRUE(converter.Check(Bracket(7s, 1000s + step))) << "it is reported once";
  }
}

TEST(RealtimeConverter, AgreesWithTheClocksOfThisMachine) {
  RealtimeConverter converter;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const OffsetBracket now = ReadOffsetBracket();
    if (!converter.Check(now)) continue;  // somebody sets the clock; the next one counts
    const Nanos converted = converter.ToMonotonic(now.realtime);
    ASSERT_GE(converted + converter.Uncertainty(), now.before);
    ASSERT_LE(converted - converter.Uncertainty(), now.after);
  }
}

}  // namespace
}  // namespace corerig
