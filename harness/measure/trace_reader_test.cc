#include "harness/measure/trace_reader.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <semaphore>
#include <set>
#include <thread>

#include "harness/measure/scheduling_probe.h"
#include "harness/measure/trace_fold.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Writes a part's name into the trace, as children do.
void Mark(int marker, const std::string& part) {
  const std::string mark = StrCat(kTraceMarkerPrefix, part);
  ASSERT_EQ(write(marker, mark.data(), mark.size()), static_cast<ssize_t>(mark.size()));
}

void Burn(Nanos time) {
  const Nanos end = ThreadCpuTime() + time;
  while (ThreadCpuTime() < end) {
  }
}

// Two tasks that wake each other on `core`: `more` is asked before each round.
void WakeEachOther(CpuId core, const std::function<bool()>& more) {
  std::binary_semaphore ping{0}, pong{0};
  std::atomic<bool> stop{false};
  std::thread other([&] {
    ASSERT_TRUE(SetAffinity(0, core));
    for (;;) {
      ping.acquire();
      if (stop) return;
      pong.release();
    }
  });
  std::thread one([&] {
    ASSERT_TRUE(SetAffinity(0, core));
    while (more()) {
      ping.release();
      pong.acquire();
    }
    stop = true;
    ping.release();
  });
  one.join();
  other.join();
}

// New pages, which an allocator would keep.
void Fault() {
  void* const memory = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  std::memset(memory, 1, 1 << 20);
  munmap(memory, 1 << 20);
}

class TraceOfThisBoard : public testing::Test {
 protected:
  virtual std::size_t BufferOf(CpuId) const { return 8 << 20; }

  void SetUp() override {
    std::vector<TraceReader::Buffer> buffers;
    for (const CpuId cpu : AllowedCores()) buffers.push_back({cpu, BufferOf(cpu)});
    auto reader = TraceReader::Start(
        {.parts = {"rig", "worker test.0"},
         .faults_of = {"worker test.0"},
         .buffers = buffers,
         .core = AllowedCores()[0]},
        [this](std::span<const TraceEvent> events, const TraceNames& names, Nanos complete_until) {
          fold_.OnEvents(events, names, complete_until);
          for (const auto& event : events) {
            // An inferred switch may come behind what other CPUs did since.
            const bool inferred = event.kind == TraceEvent::Kind::kSwitch && event.priority < 0;
            if (!inferred) {
              EXPECT_GE(event.at, last_) << "behind an earlier event";
              last_ = event.at;
            }
            ++seen_[static_cast<std::size_t>(event.kind)];
            if (event.kind == TraceEvent::Kind::kLost) {
              told_lost_[event.cpu] += static_cast<std::uint64_t>(event.value);
            }
            if (event.kind == TraceEvent::Kind::kFork && names.Part(event.other) == "worker test.0") {
              parts_of_forked_.insert(std::string(names.Part(event.tid)));
            }
            if (event.kind == TraceEvent::Kind::kPageFault)
              parts_with_faults_.insert(std::string(names.Part(event.tid)));
          }
          complete_until_ = complete_until.count();
        });
    if (!reader) GTEST_SKIP() << "no scheduling trace here: " << reader.error().message;
    reader_ = std::move(*reader);
    // Where others hold a core, the reader comes late to see who runs there.
    const Nanos limit = MonotonicNow() + milliseconds(10'000);
    while (complete_until_ == 0 && MonotonicNow() < limit) SleepUntil(MonotonicNow() + milliseconds(5));
  }

  // A figure that the kernel has of a CPU's buffer: "overrun: 4711".
  std::uint64_t Statistic(CpuId cpu, std::string_view name) const {
    const auto stats =
        TraceFs::Open()->Read(StrCat("instances/", reader_->name(), "/per_cpu/cpu", cpu.value, "/stats"));
    for (const auto line : Split(*stats, '\n')) {
      if (line.starts_with(StrCat(name, ": "))) return *ParseNumber<std::uint64_t>(line.substr(name.size() + 2));
    }
    ADD_FAILURE() << *stats;
    return 0;
  }

  TraceFold fold_{{{"rig", TraceFold::Role::kRig}, {"worker test.0", TraceFold::Role::kWorker}}, AllowedCores()};
  std::unique_ptr<TraceReader> reader_;
  Nanos last_{0};
  std::array<std::atomic<std::uint64_t>, 32> seen_{};  // counted by the reader, looked at by tests while it runs
  std::atomic<std::int64_t> complete_until_{0};
  // To be looked at when the reader has ended.
  std::map<int, std::uint64_t> told_lost_;  // by kLost, per CPU
  std::set<std::string> parts_of_forked_, parts_with_faults_;
};

TEST_F(TraceOfThisBoard, AThreadsRunTimeAndSwitchesAreThoseTheKernelCounts) {
  const CpuId core = AllowedCores().back();
  SchedulingReading before, after;
  const Nanos begin = MonotonicNow() + milliseconds(100), end = begin + milliseconds(600);
  fold_.SetWindow(begin, end);
  Nanos finished{0};
  std::thread thread([&] {
    ASSERT_TRUE(SetAffinity(0, core));
    Mark(reader_->marker(), "worker test.0");
    const ProcFs procfs;
    SleepUntil(begin);
    before = *ReadThread(procfs, getpid(), gettid());
    for (int i = 0; i < 200; ++i) {
      Burn(microseconds(300));
      SleepUntil(MonotonicNow() + microseconds(500));
    }
    after = *ReadThread(procfs, getpid(), gettid());
    finished = MonotonicNow();
    SleepUntil(end + milliseconds(1));
  });
  thread.join();
  reader_->Stop();
  if (finished > end) GTEST_SKIP() << "the machine is too busy for 60 ms of work in 600 ms";
  const TraceRecord record = fold_.Take();
  ASSERT_EQ(reader_->total_lost(), 0u);
  ASSERT_FALSE(record.gap);
  const TracePartRecord& part = record.parts[1];
  const SchedulingRecord kernel = Difference(before, after);
  // Only the sleep after the second reading is in the window and not between the readings.
  EXPECT_EQ(part.voluntary, kernel.voluntary + 1);
  // A thread that is preempted on its way into a sleep may find it over when it comes back, and sleeps no more.
  EXPECT_GE(kernel.voluntary, 180u);
  // Preemptions between the window's ends and the readings are in one of them only.
  EXPECT_NEAR(static_cast<double>(part.involuntary), static_cast<double>(kernel.involuntary),
              2 + 0.01 * static_cast<double>(kernel.involuntary));
  // The kernel leaves interrupts in a task's time unless it accounts for them apart, and takes out what a host stole.
  const double share = static_cast<double>(part.run.count()) / static_cast<double>(kernel.run.count());
  EXPECT_GT(share, 0.90);
  EXPECT_LT(share, 1.05);
  EXPECT_GE(part.slice.count(), kernel.voluntary);
  // Each sleep between the readings ends with a wake, and the one before them may have been over at the window's begin.
  EXPECT_GE(part.wake.count(), kernel.voluntary);
  EXPECT_LE(part.wake.count(), kernel.voluntary + 1);
  EXPECT_LE(part.wake.count(), part.runqueue.count());

  for (const auto& each : record.cores) {
    const Nanos sum = each.worker + each.loop + each.source + each.rig + each.foreign + each.irq + each.idle;
    EXPECT_NEAR(static_cast<double>(sum.count()) / static_cast<double>((end - begin).count()), 1, 0.01)
        << "core " << each.cpu;
    if (each.cpu == core.value) {
      EXPECT_EQ(each.worker, part.run);
      EXPECT_GT(each.irq, Nanos(0));
    }
  }
  EXPECT_GT(seen_[static_cast<std::size_t>(TraceEvent::Kind::kTimerExpire)], 200u);
}

TEST_F(TraceOfThisBoard, ATaskThatIsKeptFromItsCoreIsShownWhoHeldIt) {
  const CpuId core = AllowedCores().back();
  std::binary_semaphore go{0}, ready{0};
  std::thread hog([&] {
    pthread_setname_np(pthread_self(), "test-hog");
    ASSERT_TRUE(SetAffinity(0, core));
    if (!SetPolicy(0, {Policy::Class::kFifo, 50})) return ready.release();
    ready.release();
    go.acquire();
    Burn(milliseconds(30));
  });
  ready.acquire();
  fold_.SetWindow(MonotonicNow(), Nanos::max());
  std::thread victim([&] {
    ASSERT_TRUE(SetAffinity(0, core));
    Mark(reader_->marker(), "worker test.0");
    go.release();
    // Not for long: others that share the core on a busy machine hold it for less than the hog does.
    Burn(milliseconds(5));
  });
  hog.join();
  victim.join();
  reader_->Stop();
  const TraceRecord record = fold_.Take();
  const auto& part = record.parts[1];
  EXPECT_GE(part.involuntary, 1u);
  EXPECT_GE(part.preempted, milliseconds(29));
  ASSERT_FALSE(part.held_by.empty());
  const auto held = std::find_if(part.held_by.begin(), part.held_by.end(),
                                 [](const auto& holder) { return holder.task == "test-hog"; });
  std::string holders;
  for (const auto& holder : part.held_by)
    holders += StrCat(holder.task, " ", holder.tid, " ", holder.time.count(), "; ");
  ASSERT_NE(held, part.held_by.end()) << holders << reader_->total_lost() << " events were lost";
  EXPECT_EQ(held->part, "rig");  // a thread of the process that marked itself first
  EXPECT_GE(held->time, milliseconds(29));
}

TEST_F(TraceOfThisBoard, PageFaultsAreTracedOfWatchedPartsOnly) {
  for (int i = 0; i < 5; ++i) {
    Fault();
    SleepUntil(MonotonicNow() + milliseconds(20));
  }
  std::thread thread([&] {
    Mark(reader_->marker(), "worker test.0");
    // The reader sets its filter when it has seen the mark.
    for (int i = 0; i < 100 && seen_[static_cast<std::size_t>(TraceEvent::Kind::kPageFault)] == 0; ++i) {
      Fault();
      SleepUntil(MonotonicNow() + milliseconds(20));
    }
  });
  thread.join();
  Fault();
  reader_->Stop();
  EXPECT_EQ(parts_with_faults_, std::set<std::string>{"worker test.0"});
}

TEST_F(TraceOfThisBoard, WhatAPartForksIsOfThatPart) {
  std::thread([&] {
    Mark(reader_->marker(), "worker test.0");
    std::thread([] {}).join();
  }).join();
  reader_->Stop();
  EXPECT_EQ(parts_of_forked_, std::set<std::string>{"worker test.0"});
}

TEST_F(TraceOfThisBoard, ItsStampsAreThoseOfTheMonotonicClock) {
  const auto clock = TraceFs::Open()->Read(StrCat("instances/", reader_->name(), "/trace_clock"));
  ASSERT_TRUE(clock);
  EXPECT_NE(clock->find("[mono]"), std::string::npos) << *clock;
}

// The real-time priority of this process's thread of that name; 0 for one without, -1 if there is no such thread.
int PriorityOf(const std::string& name) {
  const auto threads = ProcFs().Threads(getpid());
  if (!threads) return -1;
  for (const pid_t tid : *threads) {
    const auto comm = ReadFile(StrCat("/proc/self/task/", tid, "/comm"));
    sched_param parameters{};
    if (comm && Trim(*comm) == name && sched_getparam(tid, &parameters) == 0) return parameters.sched_priority;
  }
  return -1;
}

// The reader below whatever has a priority, its guard above all. Without the right to it there is nothing to await.
void AwaitPriorities() {
  if (!TryPolicy({Policy::Class::kFifo, 99})) return;
  const Nanos limit = MonotonicNow() + milliseconds(10'000);
  const auto as_meant = [] { return PriorityOf("corerig-trace") == 1 && PriorityOf("corerig-guard") == 99; };
  while (!as_meant() && MonotonicNow() < limit) SleepUntil(MonotonicNow() + milliseconds(20));
  EXPECT_EQ(PriorityOf("corerig-trace"), 1);
  EXPECT_EQ(PriorityOf("corerig-guard"), 99);
}

TEST_F(TraceOfThisBoard, AReaderWhoseCoreIsHeldComesThroughBeforeItsBuffersOverflow) {
  // The buffers hold two seconds.
  constexpr auto kTooLate = milliseconds(2000);
  AwaitPriorities();
  std::atomic<bool> real_time{true}, came_through{false};
  std::atomic<int> lifted_to{0};
  Nanos begun{0};
  std::thread hog([&] {
    ASSERT_TRUE(SetAffinity(0, AllowedCores()[0]));
    if (!SetPolicy(0, {Policy::Class::kFifo, 80})) {
      real_time = false;
      return;
    }
    begun = MonotonicNow();
    // What happened while the reader's core was held is handed over while it still is.
    while (!came_through && MonotonicNow() < begun + kTooLate) {
      came_through = complete_until_.load() > (begun + milliseconds(50)).count();
    }
    lifted_to = PriorityOf("corerig-trace");
  });
  // Meanwhile more happens on another core than is read at one look, and comes in the order of time nevertheless.
  if (AllowedCores().size() > 1) {
    int rounds = 0;
    WakeEachOther(AllowedCores().back(), [&] {
      if (++rounds % 10 == 0) SleepUntil(MonotonicNow() + milliseconds(1));
      return !came_through && real_time && rounds < 20'000;
    });
  }
  hog.join();
  if (!real_time) GTEST_SKIP() << "SCHED_FIFO is refused";
  EXPECT_TRUE(came_through) << "nothing was read for 2 s";
  EXPECT_EQ(lifted_to, 99);
  // With its core free again it is below whatever has a priority, as before.
  AwaitPriorities();
  reader_->Stop();
  EXPECT_EQ(reader_->total_lost(), 0u);
}

TEST_F(TraceOfThisBoard, AllUpToTheStopIsReadThoughItsCoreIsHeld) {
  const CpuId held = AllowedCores().front(), other = AllowedCores().back();
  if (held == other) GTEST_SKIP() << "whoever stops the reader needs a core, too";
  AwaitPriorities();
  std::atomic<bool> real_time{true}, stopped{false};
  std::binary_semaphore holds{0};
  Nanos took{0};
  std::thread stopper([&] {
    ASSERT_TRUE(SetAffinity(0, other));
    holds.acquire();
    // Some eighty pages, of which one look takes thirty-two; and before the guard lifts the reader.
    const Nanos begun = MonotonicNow();
    WakeEachOther(other, [&] { return MonotonicNow() < begun + milliseconds(100); });
    reader_->Stop();
    took = MonotonicNow() - begun;
    stopped = true;
  });
  std::thread hog([&] {
    ASSERT_TRUE(SetAffinity(0, held));
    real_time = SetPolicy(0, {Policy::Class::kFifo, 80}).has_value();
    holds.release();
    for (const Nanos limit = MonotonicNow() + milliseconds(3000); real_time && !stopped && MonotonicNow() < limit;) {
    }
  });
  hog.join();
  stopper.join();
  if (!real_time) GTEST_SKIP() << "SCHED_FIFO is refused";
  EXPECT_LT(took, milliseconds(2500)) << "it waited for the hog";
  for (const CpuId cpu : AllowedCores()) EXPECT_EQ(Statistic(cpu, "entries"), 0u) << "core " << cpu.value;
}

// The last of the CPUs has a buffer of a few pages, which fills up between two looks of the reader.
class TraceOfASmallBuffer : public TraceOfThisBoard {
 protected:
  std::size_t BufferOf(CpuId cpu) const override { return cpu == AllowedCores().back() ? 4096 : 8 << 20; }
};

TEST_F(TraceOfASmallBuffer, WhatWasLostIsCountedForItsCpuAndLeavesAGap) {
  const CpuId core = AllowedCores().back();
  fold_.SetWindow(MonotonicNow(), Nanos::max());
  // Looks enough of the reader, and events enough that a page or two cannot hold them, however busy the machine is.
  const Nanos end = MonotonicNow() + milliseconds(1000);
  const Nanos limit = end + seconds(20);
  WakeEachOther(
      core, [&] { return MonotonicNow() >= end && (Statistic(core, "overrun") > 10'000 || MonotonicNow() >= limit); });
  reader_->Stop();
  const TraceRecord record = fold_.Take();
  EXPECT_TRUE(record.gap);
  std::uint64_t total = 0;
  for (const CpuId cpu : AllowedCores()) {
    const std::uint64_t lost = told_lost_[cpu.value];
    const std::uint64_t overrun = Statistic(cpu, "overrun");
    if (cpu == core) {
      EXPECT_GT(overrun, 10'000u) << "too few to show anything";
      // A loss that was counted with an earlier one counts as one event more.
      EXPECT_GE(lost, overrun);
      EXPECT_LE(lost, overrun + seen_[static_cast<std::size_t>(TraceEvent::Kind::kLost)]);
    } else {
      EXPECT_EQ(overrun, 0u) << "core " << cpu.value;
      EXPECT_EQ(lost, 0u) << "core " << cpu.value;
    }
    const auto of_core =
        std::find_if(record.cores.begin(), record.cores.end(), [&](const auto& each) { return each.cpu == cpu.value; });
    ASSERT_NE(of_core, record.cores.end());
    EXPECT_EQ(of_core->lost, lost) << "core " << cpu.value;
    total += lost;
  }
  EXPECT_EQ(reader_->total_lost(), total);
}

// Events lost by a reader whose buffers hold less than comes between its rounds.
std::optional<std::uint64_t> LostOfSmallBuffers() {
  constexpr std::size_t kBuffer = 3 << 19;
  std::vector<TraceReader::Buffer> buffers;
  for (const CpuId cpu : AllowedCores()) buffers.push_back({cpu, kBuffer});
  auto reader = TraceReader::Start({.parts = {"rig"}, .faults_of = {}, .buffers = buffers, .core = AllowedCores()[0]},
                                   [](auto, const auto&, auto) {});
  if (!reader) return std::nullopt;
  SleepUntil(MonotonicNow() + milliseconds(800));  // until its rounds are long
  // At most 10 MB/s: a quarter of the buffer in 40 ms, all of it in 160 ms.
  const std::string mark(1000, 'x');
  std::thread writer([&] {
    ASSERT_TRUE(SetAffinity(0, AllowedCores().back()));
    for (int round = 0; round < 500; ++round) {
      for (int i = 0; i < 10; ++i) {
        ASSERT_EQ(write((*reader)->marker(), mark.data(), mark.size()), static_cast<ssize_t>(mark.size()));
      }
      SleepUntil(MonotonicNow() + milliseconds(1));
    }
  });
  writer.join();
  (*reader)->Stop();
  return (*reader)->total_lost();
}

TEST(TraceReader, LooksInTimeWhenABufferFills) {
  // On a busy machine it may come too late once, but not each time.
  std::uint64_t least = UINT64_MAX;
  for (int attempt = 0; attempt < 5 && least > 0; ++attempt) {
    const auto lost = LostOfSmallBuffers();
    if (!lost) GTEST_SKIP() << "no scheduling trace here";
    least = std::min(least, *lost);
  }
  EXPECT_EQ(least, 0u);
}

TEST_F(TraceOfThisBoard, NothingIsLeftInTheKernelWhenTheReaderIsGone) {
  const auto ours = [] {
    const auto names = TraceFs::Open()->List("instances");
    return std::count_if(names.begin(), names.end(),
                         [](const auto& name) { return name.starts_with(StrCat("corerig-", getpid(), "-")); });
  };
  EXPECT_EQ(ours(), 1);
  reader_.reset();
  EXPECT_EQ(ours(), 0);
}

}  // namespace
}  // namespace corerig
