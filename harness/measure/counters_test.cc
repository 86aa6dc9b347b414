#include "harness/measure/counters.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "harness/measure/scheduling_probe.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;

PerfCount Count(std::uint64_t value, std::int64_t enabled, std::int64_t running) {
  return {.value = value, .enabled = Nanos(enabled), .running = Nanos(running)};
}

TEST(Scale, ACounterThatAlwaysCountedIsTakenAsItIs) {
  const auto scaled = Scale(Count(10, 100, 100), Count(510, 1100, 1100));
  ASSERT_TRUE(scaled);
  EXPECT_EQ(scaled->value, 500);
  EXPECT_EQ(scaled->running, 1);
}

TEST(Scale, WhatItMissedIsAddedInProportion) {
  const auto scaled = Scale(Count(10, 100, 50), Count(510, 1100, 300));  // it counted for 250 of 1000 ns
  ASSERT_TRUE(scaled);
  EXPECT_EQ(scaled->value, 2000);
  EXPECT_EQ(scaled->running, 0.25);
}

TEST(Scale, OfATaskThatDidNotRunIsWhatItCounted) {
  const auto scaled = Scale(Count(10, 100, 50), Count(10, 100, 50));
  ASSERT_TRUE(scaled);
  EXPECT_EQ(scaled->value, 0);
  EXPECT_EQ(scaled->running, 1);
}

TEST(Scale, OfACounterThatNeverCountedIsNothing) { EXPECT_FALSE(Scale(Count(10, 100, 50), Count(10, 1100, 50))); }

const CounterRecord& Find(const CountersRecord& record, CounterKind kind) {
  const CounterRecord* const found = record.Find(kind);
  return found != nullptr ? *found : record.counts.at(0);
}

TEST(Counters, EveryKindHasAValueOrTheReason) {
  const Counters counters = Counters::OfThread(gettid());
  const auto record = counters.Between(counters.Read(), counters.Read());
  ASSERT_EQ(record.counts.size(), kCounterKinds);
  for (std::size_t i = 0; i < kCounterKinds; ++i) {
    EXPECT_EQ(static_cast<std::size_t>(record.counts[i].kind), i);
    EXPECT_EQ(record.counts[i].value.has_value(), record.counts[i].absent.empty()) << ToText(record.counts[i].kind);
  }
}

TEST(Counters, LeaveToTheTraceWhatItKnows) {
  const Counters counters = Counters::OfThread(gettid(), Counters::Which::kHardware);
  const auto record = counters.Between(counters.Read(), counters.Read());
  for (const auto& count : record.counts) {
    const bool traced = count.absent.find("the scheduling trace and /proc have it") != std::string::npos;
    EXPECT_EQ(traced, count.kind < CounterKind::kCycles) << ToText(count.kind) << ": " << count.absent;
  }
}

TEST(Counters, CountNothingWhereNothingIsWanted) {
  const Counters counters = Counters::OfThread(gettid(), Counters::Which::kNone);
  const auto record = counters.Between(counters.Read(), counters.Read());
  ASSERT_EQ(record.counts.size(), kCounterKinds);
  for (const auto& count : record.counts) EXPECT_EQ(count.absent, "the scenario says trace = false");
}

TEST(Counters, OfATaskThatEndedBeforeHaveNoReading) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  const Counters counters = Counters::OfProcess(ProcFs(), child);
  const auto record = counters.Between(counters.Read(), counters.Read());
  waitpid(child, nullptr, 0);
  for (const auto& count : record.counts) {
    EXPECT_FALSE(count.value) << ToText(count.kind);
    EXPECT_NE(count.absent, "") << ToText(count.kind);
  }
}

// A child that waits for a byte before each of its steps, and says when it is done.
class SteppedChild {
 public:
  template <typename Step>
  explicit SteppedChild(const Step& step) {
    if (pipe(go_) != 0 || pipe(done_) != 0) return;
    pid_ = fork();
    if (pid_ != 0) return;
    char byte;
    for (int i = 0; read(go_[0], &byte, 1) == 1 && byte == 'g'; ++i) {
      step(i);
      if (write(done_[1], "d", 1) != 1) break;
    }
    _exit(0);
  }
  ~SteppedChild() { End(); }
  void Step() {
    char byte;
    ASSERT_EQ(write(go_[1], "g", 1), 1);
    ASSERT_EQ(read(done_[0], &byte, 1), 1);
  }
  void End() {
    if (pid_ <= 0) return;
    [[maybe_unused]] const auto written = write(go_[1], "e", 1);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
    for (const int fd : {go_[0], go_[1], done_[0], done_[1]}) close(fd);
  }
  pid_t pid() const { return pid_; }

 private:
  int go_[2], done_[2];
  pid_t pid_ = 0;
};

TEST(Counters, FaultsAreThePagesThatAChildAndItsChildrenTouch) {
  constexpr std::size_t kPages = 200;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const memory = mmap(nullptr, 4 * kPages * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  (void)madvise(memory, 4 * kPages * page, MADV_NOHUGEPAGE);
  SteppedChild child([&](int step) {
    auto* const first = static_cast<volatile char*>(memory) + static_cast<std::size_t>(step) * kPages * page;
    for (std::size_t i = 0; i < kPages; ++i) first[i * page] = 1;
  });
  const Counters counters = Counters::OfProcess(ProcFs(), child.pid());
  child.Step();  // with the faults of code and stack that come but once
  const auto before = counters.Read();
  const auto procfs_before = ReadProcess(ProcFs(), child.pid());
  child.Step();
  const auto after = counters.Read();
  const auto procfs_after = ReadProcess(ProcFs(), child.pid());
  const CountersRecord record = counters.Between(before, after);
  const auto& minor = Find(record, CounterKind::kMinorFaults);
  child.End();
  munmap(memory, 4 * kPages * page);
  if (!minor.value) GTEST_SKIP() << minor.absent;
  ASSERT_TRUE(procfs_before && procfs_after);
  EXPECT_EQ(*minor.value, kPages);
  EXPECT_EQ(*minor.value, static_cast<double>(procfs_after->minor_faults - procfs_before->minor_faults));
  EXPECT_EQ(minor.running, 1);
}

TEST(Counters, SwitchesAndRunTimeAreThoseOfProc) {
  SteppedChild child([](int) {
    for (int i = 0; i < 50; ++i) {
      const Nanos end = ThreadCpuTime() + milliseconds(1);
      while (ThreadCpuTime() < end) {
      }
      SleepUntil(MonotonicNow() + milliseconds(1));
    }
  });
  const Counters counters = Counters::OfProcess(ProcFs(), child.pid());
  // Between its steps the child sleeps: once that is so, its counts rest.
  const auto rest = [&] {
    char state = '?';
    while (state != 'S') {
      SleepUntil(MonotonicNow() + milliseconds(5));
      const auto stat = ProcFs().Read(child.pid(), "stat");
      const auto parsed = stat ? ParseStat(*stat) : Result<ProcessStat>(Forward(stat));
      state = parsed ? parsed->state : 'S';
    }
    SleepUntil(MonotonicNow() + milliseconds(5));
  };
  double error = 1;
  // A busy host takes time from the child that schedstat leaves out, as it does interrupts: one quiet step is enough.
  for (int tries = 0; tries < 30 && error > 0.02; ++tries) {
    child.Step();
    rest();
    const auto before = counters.Read();
    const auto procfs_before = ReadProcess(ProcFs(), child.pid());
    child.Step();
    rest();
    const auto after = counters.Read();
    const auto procfs_after = ReadProcess(ProcFs(), child.pid());
    ASSERT_TRUE(procfs_before && procfs_after);
    const auto procfs = Difference(*procfs_before, *procfs_after);
    const CountersRecord record = counters.Between(before, after);
    const auto &switches = Find(record, CounterKind::kContextSwitches), &clock = Find(record, CounterKind::kTaskClock);
    if (!switches.value || !clock.value) GTEST_SKIP() << switches.absent;
    EXPECT_EQ(*switches.value, static_cast<double>(procfs.voluntary + procfs.involuntary));
    const auto run = static_cast<double>(procfs.run.count());
    error = std::min(error, std::abs(*clock.value - run) / run);
  }
  EXPECT_LE(error, 0.02);
}

TEST(Counters, HoldWhatEndedMeanwhile) {
  SteppedChild child([](int) {
    if (const pid_t grandchild = fork(); grandchild == 0) {
      const Nanos end = ThreadCpuTime() + milliseconds(30);
      while (ThreadCpuTime() < end) {
      }
      _exit(0);
    } else {
      waitpid(grandchild, nullptr, 0);
    }
  });
  const Counters counters = Counters::OfProcess(ProcFs(), child.pid());
  const auto before = counters.Read();
  child.Step();
  child.End();
  const CountersRecord record = counters.Between(before, counters.Read());
  const auto& clock = Find(record, CounterKind::kTaskClock);
  if (!clock.value) GTEST_SKIP() << clock.absent;
  // But for the switches themselves, which the kernel books to the thread and the counter does not see.
  EXPECT_GE(*clock.value, 27e6) << "the grandchild's time counts";
}

TEST(Counters, OfTheHardwareArePlausibleWhereThereIsAny) {
  const Counters counters = Counters::OfThread(gettid());
  const auto before = counters.Read();
  constexpr int kTurns = 1'000'000;
  volatile unsigned sum = 0;
  for (int i = 0; i < kTurns; ++i) sum = sum + static_cast<unsigned>(i);
  const CountersRecord record = counters.Between(before, counters.Read());
  const auto &cycles = Find(record, CounterKind::kCycles), &instructions = Find(record, CounterKind::kInstructions);
  if (!cycles.value || !instructions.value) {
    EXPECT_NE(cycles.absent + instructions.absent, "");
    GTEST_SKIP() << cycles.absent << instructions.absent;
  }
  EXPECT_GT(*cycles.value, 0.1 * kTurns);
  EXPECT_GT(*instructions.value, 3.0 * kTurns);
  EXPECT_LT(*instructions.value, 100.0 * kTurns);
}

}  // namespace
}  // namespace corerig
