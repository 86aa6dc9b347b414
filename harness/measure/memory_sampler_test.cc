#include "harness/measure/memory_sampler.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/os/clock.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Nanos kInterval = milliseconds(250);
constexpr Nanos kStart = seconds(1000);  // CLOCK_MONOTONIC need not start at 0
constexpr Nanos kForever = std::chrono::hours(10'000);

// Processes in place of the kernel's: what each answers, and what reading it costs.
struct Board {
  std::map<pid_t, Result<std::optional<MemoryReading>>> memory;
  std::map<pid_t, Nanos> costs;
  Nanos cpu_time{0};
  std::vector<pid_t> reads;

  MemorySampler Sampler(Nanos interval = kInterval) {
    return MemorySampler(
        [this](pid_t pid) {
          reads.push_back(pid);
          cpu_time += costs[pid];
          return memory.at(pid);
        },
        [this] { return cpu_time; }, interval);
  }
  void Set(pid_t pid, std::uint64_t rss, std::uint64_t pss, std::uint64_t uss) {
    memory[pid] = MemoryReading{.rss = rss, .pss = pss, .uss = uss};
  }
};

// Steps whenever one is due, from `begin` to before `end`. Returns when the next is due.
Nanos StepUntil(MemorySampler& sampler, Nanos begin, Nanos end) {
  Nanos now = begin;
  while (now < end) now = sampler.Step(now);
  return now;
}

TEST(MemorySampler, ReadsOneProcessPerStepAndEachOncePerRound) {
  Board board;
  for (const pid_t pid : {100, 200, 300}) {
    board.Set(pid, 3, 2, 1);
    board.costs[pid] = microseconds(50);
  }
  auto sampler = board.Sampler();
  sampler.Add(2, 200);
  sampler.Add(0, 300);
  sampler.Add(1, 100);
  Nanos now = kStart;
  for (const pid_t expected : {300, 100, 200, 300, 100, 200}) {
    board.reads.clear();
    now = sampler.Step(now);
    EXPECT_EQ(board.reads, std::vector<pid_t>{expected});
  }
}

TEST(MemorySampler, ReadingsThatTakeNoTimeToSpeakOfShareAStep) {
  Board board;
  for (const pid_t pid : {100, 200, 300, 400}) {
    board.Set(pid, 3, 2, 1);
    board.costs[pid] = microseconds(15);
  }
  auto sampler = board.Sampler();
  for (int key = 0; key < 4; ++key) sampler.Add(key, 100 * (key + 1));
  const Nanos next = sampler.Step(kStart);
  EXPECT_EQ(board.reads, (std::vector<pid_t>{100, 200, 300}));
  EXPECT_EQ(next, kStart + 100 * microseconds(45)) << "paid for together";
  board.reads.clear();
  EXPECT_EQ(sampler.Step(next), kStart + kInterval);
  EXPECT_EQ(board.reads, std::vector<pid_t>{400});
}

TEST(MemorySampler, RoundsBeginAtTheIntervalWhileReadingIsCheap) {
  Board board;
  board.Set(100, 3, 2, 1);
  board.Set(200, 3, 2, 1);
  board.costs = {{100, microseconds(50)}, {200, microseconds(70)}};
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.Add(1, 200);
  EXPECT_EQ(sampler.Step(kStart), kStart + milliseconds(5)) << "a pause of 100 times the cost";
  EXPECT_EQ(sampler.Step(kStart + milliseconds(5)), kStart + kInterval);
  EXPECT_EQ(sampler.Step(kStart + kInterval), kStart + kInterval + milliseconds(5));
}

TEST(MemorySampler, AStepBeforeItIsDueReadsNothing) {
  Board board;
  board.Set(100, 3, 2, 1);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  const Nanos next = sampler.Step(kStart);
  EXPECT_EQ(sampler.Step(next - Nanos(1)), next);
  EXPECT_EQ(board.reads.size(), 1u);
  sampler.Step(next);
  EXPECT_EQ(board.reads.size(), 2u);
}

TEST(MemorySampler, TakesAtMostOnePercentOfACoreHoweverSlowTheReader) {
  for (const Nanos cost :
       {Nanos(microseconds(1)), Nanos(milliseconds(1)), Nanos(milliseconds(22)), Nanos(seconds(1))}) {
    Board board;
    auto sampler = board.Sampler();
    for (int key = 0; key < 5; ++key) {
      board.Set(100 + key, 3, 2, 1);
      board.costs[100 + key] = cost * (key + 1);
      sampler.Add(key, 100 + key);
    }
    Nanos now = kStart;
    for (int step = 0; step < 1000; ++step) {
      now = sampler.Step(now);
      ASSERT_LE(sampler.share(), 0.01) << "step " << step << ", " << cost.count() << " ns";
      // An account of our own: all that was spent by the time the next step is due.
      ASSERT_LE(static_cast<double>(board.cpu_time.count()), 0.01 * static_cast<double>((now - kStart).count()) + 1)
          << "step " << step << ", " << cost.count() << " ns";
    }
    EXPECT_GT(sampler.share(), 0);
  }
}

TEST(MemorySampler, LateStepsDoNotPileUp) {
  Board board;
  board.Set(100, 3, 2, 1);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.Step(kStart);
  EXPECT_EQ(sampler.Step(kStart + seconds(10)), kStart + seconds(10) + kInterval);
}

TEST(MemorySampler, WithoutProcessesWaitsForTheInterval) {
  Board board;
  auto sampler = board.Sampler();
  EXPECT_EQ(sampler.Step(kStart), kStart + kInterval);
  EXPECT_EQ(sampler.TotalPss(), std::nullopt);
  EXPECT_EQ(sampler.Latest(0), std::nullopt);
  EXPECT_EQ(sampler.Summary(0), std::nullopt);
  EXPECT_TRUE(sampler.Series(0).empty());
  EXPECT_EQ(sampler.share(), 0);
}

TEST(MemorySampler, OnlySamplesInsideTheWindowCount) {
  Board board;
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.BeginWindow(kStart + 2 * kInterval);
  sampler.EndWindow(kStart + 5 * kInterval);
  for (int round = 0; round < 8; ++round) {
    board.Set(100, 10u * round, 10u * round, 10u * round);
    sampler.Step(kStart + round * kInterval);
    EXPECT_EQ(sampler.Latest(0)->rss, 10u * round) << "the latest is known also outside";
  }
  const auto series = sampler.Series(0);
  ASSERT_EQ(series.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(series[i].at, i * kInterval) << "since the window's begin";
    EXPECT_EQ(series[i].rss, 10u * (2 + i));
  }
  EXPECT_DOUBLE_EQ(sampler.Summary(0)->rss.max, 40);
  EXPECT_DOUBLE_EQ(sampler.Summary(0)->rss.mean, 30);
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->max, 40);
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->mean, 30);
}

TEST(MemorySampler, WithoutAWindowNothingCounts) {
  Board board;
  board.Set(100, 3, 2, 1);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  StepUntil(sampler, kStart, kStart + seconds(5));
  EXPECT_EQ(sampler.Summary(0), std::nullopt);
  EXPECT_TRUE(sampler.Series(0).empty());
  EXPECT_EQ(sampler.TotalPss(), std::nullopt);
  EXPECT_EQ(sampler.Shared(), std::nullopt);
}

TEST(MemorySampler, ANewWindowDropsTheFiguresOfTheOneBefore) {
  Board board;
  board.Set(100, 100, 100, 100);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.BeginWindow(kStart);
  const Nanos next = StepUntil(sampler, kStart, kStart + seconds(5));
  board.Set(100, 7, 7, 7);
  sampler.BeginWindow(next);
  StepUntil(sampler, next, next + seconds(5));
  EXPECT_DOUBLE_EQ(sampler.Summary(0)->uss.max, 7);
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->max, 7);
  EXPECT_EQ(sampler.Series(0).front().at, Nanos(0));
}

TEST(MemorySampler, TotalsAreSumsPerRound) {
  Board board;
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.Add(1, 200);
  sampler.BeginWindow(kStart);
  // The two have their maxima in different rounds: the maximum of the sums is not the sum of the maxima.
  board.Set(100, 0, 60, 50);
  board.Set(200, 0, 10, 10);
  Nanos now = StepUntil(sampler, kStart, kStart + Nanos(1));
  board.Set(100, 0, 10, 10);
  board.Set(200, 0, 50, 20);
  StepUntil(sampler, now, now + Nanos(1));
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->max, 70);
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->mean, 65);
  EXPECT_DOUBLE_EQ(sampler.Shared()->max, 30);
  EXPECT_DOUBLE_EQ(sampler.Shared()->mean, 20);
}

TEST(MemorySampler, ARoundThatTheWindowCutsIsNoTotal) {
  Board board;
  board.costs = {{100, microseconds(50)}, {200, microseconds(50)}};
  board.Set(100, 0, 10, 10);
  board.Set(200, 0, 10, 10);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.Add(1, 200);
  sampler.BeginWindow(kStart + milliseconds(2));  // between the two reads of the first round
  sampler.EndWindow(kStart + kInterval + milliseconds(2));
  StepUntil(sampler, kStart, kStart + 3 * kInterval);
  EXPECT_EQ(sampler.Series(0).size(), 1u);
  EXPECT_EQ(sampler.Series(1).size(), 1u);
  EXPECT_EQ(sampler.TotalPss(), std::nullopt);
}

TEST(MemorySampler, AProcessThatEndedContributesNothing) {
  Board board;
  board.Set(100, 0, 10, 10);
  board.Set(200, 0, 5, 5);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.Add(1, 200);
  sampler.BeginWindow(kStart);
  const Nanos next = StepUntil(sampler, kStart, kStart + seconds(1));
  board.memory[100] = std::optional<MemoryReading>();
  StepUntil(sampler, next, next + seconds(1));
  EXPECT_EQ(sampler.Latest(0), std::nullopt);
  EXPECT_EQ(sampler.Failure(0), "");
  EXPECT_EQ(sampler.Series(0).size(), 4u);
  EXPECT_EQ(sampler.Series(1).size(), 8u);
  EXPECT_DOUBLE_EQ(sampler.Summary(0)->pss.mean, 10) << "its end is no sample of 0 bytes";
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->max, 15);
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->mean, 10) << "four rounds of 15, four of 5";
}

TEST(MemorySampler, OnceAllHaveEndedThereAreNoTotalsOfZero) {
  Board board;
  board.Set(100, 0, 10, 10);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.BeginWindow(kStart);
  const Nanos next = StepUntil(sampler, kStart, kStart + seconds(1));
  board.memory[100] = std::optional<MemoryReading>();
  StepUntil(sampler, next, next + seconds(1));
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->mean, 10);
}

TEST(MemorySampler, AProcessThatCannotBeReadMakesTotalsAbsentRatherThanTooSmall) {
  Board board;
  board.Set(100, 0, 10, 10);
  board.memory[200] = Fail("cannot read /proc/200/smaps_rollup: Permission denied (EACCES)");
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.Add(1, 200);
  sampler.BeginWindow(kStart);
  const Nanos next = StepUntil(sampler, kStart, kStart + seconds(1));
  EXPECT_EQ(sampler.TotalPss(), std::nullopt);
  EXPECT_EQ(sampler.Shared(), std::nullopt);
  EXPECT_EQ(sampler.Summary(1), std::nullopt);
  EXPECT_EQ(sampler.Failure(1), "cannot read /proc/200/smaps_rollup: Permission denied (EACCES)");
  EXPECT_DOUBLE_EQ(sampler.Summary(0)->pss.mean, 10) << "the other's figures are its own";
  board.Set(200, 0, 5, 5);
  StepUntil(sampler, next, next + seconds(1));
  EXPECT_EQ(sampler.Failure(1), "");
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->mean, 15);
}

TEST(MemorySampler, WhatWasRemovedIsReadNoMoreAndKeepsItsFigures) {
  Board board;
  board.Set(100, 0, 10, 10);
  board.Set(200, 0, 5, 5);
  auto sampler = board.Sampler();
  sampler.Add(0, 100);
  sampler.Add(1, 200);
  sampler.BeginWindow(kStart);
  const Nanos next = StepUntil(sampler, kStart, kStart + seconds(1));
  sampler.Remove(0);
  sampler.Remove(17);
  board.reads.clear();
  StepUntil(sampler, next, next + seconds(1));
  EXPECT_EQ(std::set<pid_t>(board.reads.begin(), board.reads.end()), std::set<pid_t>{200});
  EXPECT_EQ(sampler.Latest(0), std::nullopt);
  EXPECT_EQ(sampler.Series(0).size(), 4u);
  EXPECT_DOUBLE_EQ(sampler.Summary(0)->pss.max, 10);
  sampler.Remove(1);
  EXPECT_EQ(sampler.Step(next + seconds(5)), next + seconds(5) + kInterval);
}

TEST(MemorySampler, AProcessAddedInTheMiddleOfARoundDoesNotMakeItsTotalTooSmall) {
  Board board;
  board.costs[200] = microseconds(50);
  board.Set(100, 0, 10, 10);
  board.Set(200, 0, 10, 10);
  board.Set(300, 0, 10, 10);
  auto sampler = board.Sampler();
  sampler.Add(1, 200);
  sampler.Add(2, 300);
  sampler.BeginWindow(kStart);
  const Nanos now = sampler.Step(kStart);
  sampler.Add(0, 100);
  sampler.Step(now);
  EXPECT_EQ(sampler.TotalPss(), std::nullopt);
  StepUntil(sampler, kStart + kInterval, kStart + 2 * kInterval);
  EXPECT_DOUBLE_EQ(sampler.TotalPss()->mean, 30);
}

TEST(MemorySampler, ALongSeriesIsThinnedAndItsStatisticsAreNot) {
  Board board;
  auto sampler = board.Sampler(milliseconds(1));
  sampler.Add(0, 100);
  sampler.BeginWindow(kStart);
  constexpr int kSamples = 100'003;
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) {
    std::uint64_t rss = 1000 + static_cast<std::uint64_t>(i % 7), pss = 500, uss = 100;
    if (i == 54'321) rss = 9000;
    if (i == 777) pss = 8000;
    if (i == 99'999) uss = 7000;
    board.Set(100, rss, pss, uss);
    sum += static_cast<double>(rss);
    sampler.Step(kStart + i * milliseconds(1));
  }
  const auto series = sampler.Series(0);
  EXPECT_LE(series.size(), MemorySampler::kMaxSeries);
  EXPECT_GE(series.size(), MemorySampler::kMaxSeries / 3);
  EXPECT_TRUE(std::is_sorted(series.begin(), series.end(), [](const auto& a, const auto& b) { return a.at < b.at; }));
  EXPECT_EQ(series.front().at, Nanos(0)) << "the first stays";
  EXPECT_EQ(series.back().at, (kSamples - 1) * milliseconds(1)) << "and the last";
  const auto holds = [&](int sample) {
    return std::any_of(series.begin(), series.end(), [&](const auto& s) { return s.at == sample * milliseconds(1); });
  };
  EXPECT_TRUE(holds(54'321)) << "the largest RSS";
  EXPECT_TRUE(holds(777)) << "the largest PSS";
  EXPECT_TRUE(holds(99'999)) << "the largest USS";
  for (std::size_t i = 1; i < series.size(); ++i) {
    EXPECT_LE(series[i].at - series[i - 1].at, kSamples * milliseconds(1) / 200) << "evenly spaced, sample " << i;
  }
  const auto summary = sampler.Summary(0);
  EXPECT_DOUBLE_EQ(summary->rss.max, 9000);
  EXPECT_DOUBLE_EQ(summary->pss.max, 8000);
  EXPECT_DOUBLE_EQ(summary->uss.max, 7000);
  EXPECT_NEAR(summary->rss.mean, sum / kSamples, 1e-6);
}

TEST(MemorySampler, AShortSeriesIsWhole) {
  for (const int samples : {1, 2, 508, 509, 510, 600}) {
    Board board;
    auto sampler = board.Sampler(milliseconds(1));
    sampler.Add(0, 100);
    sampler.BeginWindow(kStart);
    for (int i = 0; i < samples; ++i) {
      board.Set(100, 1, 1, 1);
      sampler.Step(kStart + i * milliseconds(1));
    }
    const auto series = sampler.Series(0);
    ASSERT_FALSE(series.empty());
    EXPECT_EQ(series.back().at, (samples - 1) * milliseconds(1));
    if (samples <= 508) {
      EXPECT_EQ(series.size(), static_cast<std::size_t>(samples));
    } else {
      EXPECT_LE(series.size(), 512u) << samples;
    }
  }
}

// USS of a process that starts at 1 GiB and leaks `per_minute` bytes, sampled `samples` times over `span`.
std::optional<double> GrowthOf(double per_minute, int samples, Nanos span) {
  Board board;
  auto sampler = board.Sampler(Nanos(0));
  sampler.Add(0, 100);
  sampler.BeginWindow(kStart);
  for (int i = 0; i < samples; ++i) {
    const Nanos at = samples == 1 ? Nanos(0) : span * i / (samples - 1);
    const std::chrono::duration<double, std::ratio<60>> passed = at;
    double uss = 1024.0 * 1024 * 1024 + per_minute * passed.count();
    if (i % 6 == 3) uss += 300e6;  // a buffer that comes and goes
    board.Set(100, 0, 0, static_cast<std::uint64_t>(std::llround(uss)));
    sampler.Step(kStart + at);
  }
  return sampler.Summary(0)->uss_growth;
}

TEST(MemorySampler, GrowthIsBytesPerMinuteAndNotMovedByBuffers) {
  EXPECT_NEAR(*GrowthOf(1e6, 240, minutes(1)), 1e6, 1e4);
  EXPECT_NEAR(*GrowthOf(-5e6, 240, minutes(1)), -5e6, 5e4);
  EXPECT_NEAR(*GrowthOf(0, 240, minutes(1)), 0, 1);
  EXPECT_NEAR(*GrowthOf(1e6, 20'000, minutes(80)), 1e6, 1e4) << "of a thinned series";
}

TEST(MemorySampler, GrowthNeedsTenSamplesOverTwoSeconds) {
  EXPECT_TRUE(GrowthOf(1e6, 10, seconds(2)));
  EXPECT_FALSE(GrowthOf(1e6, 9, seconds(2)));
  EXPECT_FALSE(GrowthOf(1e6, 10, seconds(2) - Nanos(1)));
  EXPECT_FALSE(GrowthOf(1e6, 1, seconds(0)));
}

TEST(MemorySampler, SummarisesWhatIsSharedSwappedOutAndTakenByPageTables) {
  for (const bool has_swap : {true, false}) {
    std::uint64_t step = 0;
    MemorySampler sampler(
        [&](pid_t) -> Result<std::optional<MemoryReading>> {
          ++step;
          MemoryReading reading{.rss = 10, .pss = 8, .uss = 6, .shared = 4 * step, .swap = 100 * step};
          if (step > 1) reading.page_tables = 7;  // a first look may come too early for it
          return reading;
        },
        [] { return Nanos(0); }, kInterval, has_swap);
    sampler.Add(0, 100);
    sampler.BeginWindow(kStart);
    StepUntil(sampler, kStart, kStart + 3 * kInterval);
    const auto summary = sampler.Summary(0);
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->shared.max, 12);
    EXPECT_EQ(summary->shared.mean, 8);
    EXPECT_EQ(summary->swap.has_value(), has_swap);
    if (has_swap) {
      EXPECT_EQ(summary->swap->max, 300);
      EXPECT_EQ(summary->swap->mean, 200);
    }
    ASSERT_TRUE(summary->page_tables);
    EXPECT_EQ(summary->page_tables->mean, 7) << "of the samples that have it";
  }
}

TEST(MemorySampler, TellsTheTrendOfALongSeriesAsOfAShortOne) {
  for (const int samples : {12, 5000}) {
    Board board;
    auto sampler = board.Sampler();
    sampler.Add(0, 100);
    EXPECT_EQ(sampler.Trend(0).verdict, MemoryTrend::Verdict::kUndecided);
    sampler.BeginWindow(kStart);
    for (int i = 0; i < samples; ++i) {
      board.Set(100, 0, 0, static_cast<std::uint64_t>(i) * 262'144);
      sampler.Step(kStart + kInterval * i);
    }
    const auto trend = sampler.Trend(0);
    EXPECT_EQ(trend.verdict, MemoryTrend::Verdict::kGrows) << samples;
    EXPECT_NEAR(trend.slope.value_or(0), 60 * 1048576.0, 0.01 * 60 * 1048576) << samples;
  }
  Board board;
  EXPECT_EQ(board.Sampler().Trend(7).reason, "0 memory samples in the window; a trend needs 12");
}

TEST(MemorySampler, AddingAKeyAnewStartsItsFiguresAnew) {
  Board board;
  board.Set(100, 100, 100, 100);
  board.Set(200, 7, 7, 7);
  auto sampler = board.Sampler();
  sampler.BeginWindow(kStart);
  sampler.Add(0, 100);
  const Nanos next = sampler.Step(kStart);
  sampler.Add(0, 200);
  sampler.Step(next);
  EXPECT_EQ(sampler.Series(0).size(), 1u);
  EXPECT_DOUBLE_EQ(sampler.Summary(0)->uss.max, 7);
}

// ---- live

// Not instrumented: ThreadSanitizer would keep as much memory again about what is written here.
__attribute__((no_sanitize("thread"))) void TouchPages(volatile char* memory, std::size_t size) {
  for (std::size_t at = 0; at < size; at += 4096) memory[at] = 1;
}

// A process that holds `size` bytes of its own and sleeps until the object goes.
class Holder {
 public:
  explicit Holder(std::size_t size) {
    int ready[2] = {-1, -1};
    EXPECT_EQ(pipe(ready), 0);
    pid_ = fork();
    if (pid_ == 0) {
      auto* memory =
          static_cast<volatile char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      madvise(const_cast<char*>(memory), size, MADV_NOHUGEPAGE);
      TouchPages(memory, size);
      char byte = 0;
      if (write(ready[1], &byte, 1) == 1) pause();
      _exit(0);
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1) << "the child did not get ready";
    close(ready[0]);
  }
  Holder(const Holder&) = delete;
  ~Holder() {
    End();
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  void End() {  // a zombie from now on
    kill(pid_, SIGKILL);
    siginfo_t ended;
    waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT);
  }

 private:
  pid_t pid_ = -1;
};

TEST(MemorySampler, SamplesAProcessOf256MiBWithinOnePercentOfACore) {
  constexpr std::size_t kSize = 256u << 20;
  Holder holder(kSize);
  MemorySampler sampler(ProcFs(), milliseconds(10));  // more often than 1 % allows, if a sample costs over 100 µs
  sampler.Add(0, getpid());
  sampler.Add(1, holder.pid());
  const Nanos begin = MonotonicNow();
  sampler.BeginWindow(begin);
  sampler.EndWindow(kForever);
  int steps = 0;
  const Nanos cpu_begin = ThreadCpuTime();
  for (Nanos next = begin; steps < 6 || next < begin + seconds(2); ++steps) {
    SleepUntil(next);
    next = sampler.Step(MonotonicNow());
  }
  const Nanos cpu = ThreadCpuTime() - cpu_begin;
  const Nanos passed = MonotonicNow() - begin;
  SCOPED_TRACE(StrCat(steps, " steps, ", cpu.count(), " ns of CPU in ", passed.count(), " ns"));
  EXPECT_LE(sampler.share(), 0.01);
  EXPECT_GT(sampler.share(), 0);
  EXPECT_LE(sampler.share() * static_cast<double>(passed.count()), static_cast<double>(cpu.count()));
  const auto summary = sampler.Summary(1);
  ASSERT_TRUE(summary);
  constexpr double kMiB = 1 << 20;
  EXPECT_NEAR(summary->uss.max, kSize, 4 * kMiB);
  EXPECT_NEAR(summary->uss.mean, kSize, 4 * kMiB);
  EXPECT_GE(sampler.TotalPss()->mean, summary->pss.mean);
  EXPECT_GT(sampler.Shared()->mean, 0) << "the child has the program's pages in common with its parent";

  holder.End();
  const auto samples = sampler.Series(1).size();
  for (Nanos next = MonotonicNow(); steps > 0 && sampler.Latest(1);) {
    SleepUntil(next);
    next = sampler.Step(MonotonicNow());
  }
  EXPECT_EQ(sampler.Failure(1), "") << "a zombie is no failure";
  EXPECT_LE(sampler.Series(1).size(), samples);
}

TEST(MemorySampler, AProcessWhoseMemoryIsHiddenIsAFailureNotAnEnd) {
  // A recorded tree without smaps_rollup: there is such a process, and its memory cannot be read.
  MemorySampler sampler(ProcFs("harness/measure/testdata/hidden"), kInterval);
  sampler.Add(0, 7);  // sleeps
  sampler.Add(1, 8);  // a zombie
  sampler.Add(2, 9);  // gone
  sampler.Step(kStart);
  for (Nanos now = kStart; now < kStart + kInterval;) now = sampler.Step(now);
  EXPECT_EQ(sampler.Failure(0),
            "cannot read harness/measure/testdata/hidden/7/smaps_rollup: No such file or directory (ENOENT)");
  EXPECT_EQ(sampler.Failure(1), "");
  EXPECT_EQ(sampler.Failure(2), "");
}

}  // namespace
}  // namespace corerig
