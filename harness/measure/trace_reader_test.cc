#include "harness/measure/trace_reader.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <semaphore>
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

class TraceOfThisBoard : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<TraceReader::Buffer> buffers;
    for (const CpuId cpu : AllowedCores()) buffers.push_back({cpu, 8 << 20});
    auto reader =
        TraceReader::Start({.parts = {"rig", "worker test.0"},
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
                             }
                           });
    if (!reader) GTEST_SKIP() << "no scheduling trace here: " << reader.error().message;
    reader_ = std::move(*reader);
  }

  TraceFold fold_{{{"rig", TraceFold::Role::kRig}, {"worker test.0", TraceFold::Role::kWorker}}, AllowedCores()};
  std::unique_ptr<TraceReader> reader_;
  Nanos last_{0};
  std::array<std::atomic<std::uint64_t>, 32> seen_{};  // counted by the reader, looked at by tests while it runs
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
  EXPECT_GE(kernel.voluntary, 200u);
  // A preemption between clock and reading is in one of them only.
  EXPECT_NEAR(static_cast<double>(part.involuntary), static_cast<double>(kernel.involuntary), 2);
  // The kernel leaves interrupts in a task's time unless it accounts for them apart.
  const double share = static_cast<double>(part.run.count()) / static_cast<double>(kernel.run.count());
  EXPECT_GT(share, 0.90);
  EXPECT_LT(share, 1.02);
  EXPECT_GE(part.slice.count(), 200u);
  EXPECT_GE(part.wake.count(), 199u);
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
    Burn(milliseconds(50));
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
  ASSERT_NE(held, part.held_by.end());
  EXPECT_EQ(held->part, "rig");  // a thread of the process that marked itself first
  EXPECT_GE(held->time, milliseconds(29));
}

TEST_F(TraceOfThisBoard, PageFaultsAreTracedOfWatchedPartsOnly) {
  std::thread thread([&] {
    Mark(reader_->marker(), "worker test.0");
    // The reader sets its filter when it has seen the mark.
    for (int i = 0; i < 100 && seen_[static_cast<std::size_t>(TraceEvent::Kind::kPageFault)] == 0; ++i) {
      // New pages each time, which an allocator would keep.
      void* const memory = mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      ASSERT_NE(memory, MAP_FAILED);
      std::memset(memory, 1, 1 << 20);
      munmap(memory, 1 << 20);
      SleepUntil(MonotonicNow() + milliseconds(20));
    }
  });
  thread.join();
  reader_->Stop();
  EXPECT_GT(seen_[static_cast<std::size_t>(TraceEvent::Kind::kPageFault)], 0u);
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
