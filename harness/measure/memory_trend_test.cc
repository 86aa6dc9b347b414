#include "harness/measure/memory_trend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "harness/base/philox.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using Verdict = MemoryTrend::Verdict;

constexpr double kMiB = 1 << 20;
constexpr double kPage = 4096;
constexpr Nanos kInterval = milliseconds(250);

// Samples as the kernel gives them: whole pages.
std::vector<MemorySample> Sampled(std::size_t count, const std::function<double(double seconds, std::size_t)>& uss) {
  std::vector<MemorySample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const Nanos at = kInterval * i;
    const double bytes = std::max(0.0, uss(static_cast<double>(at.count()) / 1e9, i));
    samples.push_back(
        {.at = at, .rss = 0, .pss = 0, .uss = static_cast<std::uint64_t>(std::floor(bytes / kPage) * kPage)});
  }
  return samples;
}

// Standard normal numbers of one simulated run.
class Noise {
 public:
  Noise(std::string_view kind, std::uint64_t run) : stream_(StreamId(kind)), run_(run) {}
  double Next() {
    if (next_ % 4 == 0) four_ = RandomNormals(/*seed=*/2026, stream_, run_, next_ / 4);
    return four_[next_++ % 4];
  }

 private:
  std::uint32_t stream_;
  std::uint64_t run_;
  std::uint32_t next_ = 0;
  std::array<double, 4> four_ = {};
};

// First-order autoregressive noise of unit variance.
std::function<double(double, std::size_t)> Autocorrelated(std::uint64_t run, double phi, double amplitude) {
  auto noise = std::make_shared<Noise>("ar", run);
  auto last = std::make_shared<double>(noise->Next());
  return [=](double, std::size_t) {
    *last = phi * *last + std::sqrt(1 - phi * phi) * noise->Next();
    return 20 * kMiB + amplitude * *last;
  };
}

// How many of `runs` windows are called growing.
int Growing(int runs, std::size_t samples,
            const std::function<std::function<double(double, std::size_t)>(std::uint64_t)>& process) {
  int growing = 0;
  for (int run = 0; run < runs; ++run) {
    growing += TrendOf(Sampled(samples, process(static_cast<std::uint64_t>(run)))).verdict == Verdict::kGrows;
  }
  return growing;
}

TEST(MemoryTrend, ALeakOfOneMiBPerSecondIsFoundInThreeSeconds) {
  const auto trend = TrendOf(Sampled(12, [](double seconds, std::size_t) { return 5 * kMiB + seconds * kMiB; }));
  EXPECT_EQ(trend.verdict, Verdict::kGrows);
  EXPECT_NEAR(*trend.slope, 60 * kMiB, 0.01 * 60 * kMiB);
  EXPECT_LE(*trend.low, 60 * kMiB);
  EXPECT_GE(*trend.high, 60 * kMiB);
  EXPECT_EQ(trend.reason, "");
}

TEST(MemoryTrend, ALeakIsFoundUnderASawtooth) {
  // A collector every second that lets 4 MiB pile up, and 200 KiB per second that it never gets back.
  const auto trend = TrendOf(Sampled(240, [](double seconds, std::size_t) {
    return 30 * kMiB + std::fmod(seconds, 1.25) * 4 * kMiB + seconds * 200 * 1024;
  }));
  EXPECT_EQ(trend.verdict, Verdict::kGrows);
  EXPECT_NEAR(*trend.slope, 60 * 200 * 1024.0, 0.05 * 60 * 200 * 1024);
}

TEST(MemoryTrend, ALeakIsFoundUnderNoise) {
  int found = 0;
  for (std::uint64_t run = 0; run < 200; ++run) {
    const auto noise = Autocorrelated(run, 0.5, 32 * 1024);
    found += TrendOf(Sampled(12, [&](double seconds, std::size_t i) {
               return noise(seconds, i) + seconds * kMiB;
             })).verdict == Verdict::kGrows;
  }
  EXPECT_GE(found, 198);
}

TEST(MemoryTrend, OneValueIsSteady) {
  const auto trend = TrendOf(Sampled(12, [](double, std::size_t) { return 5 * kMiB; }));
  EXPECT_EQ(trend.verdict, Verdict::kSteady);
  EXPECT_EQ(trend.slope, 0);
  EXPECT_EQ(trend.low, 0);
  EXPECT_EQ(trend.high, 0);
}

// 2000 windows of each kind, of 3 s and 15 s: one in 1000 would be 2.
TEST(MemoryTrend, ASteadyProcessUnderAutocorrelatedNoiseIsNotCalledGrowing) {
  for (const std::size_t samples : {12u, 60u}) {
    for (const double phi : {0.0, 0.5, 0.9, 0.99}) {
      EXPECT_LE(Growing(2000, samples, [&](std::uint64_t run) { return Autocorrelated(run, phi, kMiB); }), 1)
          << samples << " samples, phi " << phi;
    }
  }
}

TEST(MemoryTrend, EvenARandomWalkIsCalledGrowingInOneOf2048Only) {
  // The least favourable of all that do not leak.
  const int growing = Growing(10'000, 12, [](std::uint64_t run) {
    auto noise = std::make_shared<Noise>("walk", run);
    auto at = std::make_shared<double>(40 * kMiB);
    return [=](double, std::size_t) { return *at += 64 * 1024 * noise->Next(); };
  });
  // Expected 4.9; four standard deviations more.
  EXPECT_LE(growing, 13);
}

TEST(MemoryTrend, ASawtoothIsNotCalledGrowing) {
  for (const double teeth : {0.4, 0.7, 1.3, 2.0}) {
    EXPECT_EQ(Growing(500, 16,
                      [&](std::uint64_t run) {
                        const double phase = UniformOpen(RandomWords(1, StreamId("phase"), run)[0]);
                        return [=](double seconds, std::size_t) {
                          return 10 * kMiB + std::fmod(seconds / teeth + phase, 1.0) * 8 * kMiB;
                        };
                      }),
              0)
        << teeth << " s of a window of 4 s";
  }
}

TEST(MemoryTrend, OneStepIsNotCalledGrowingWhereverItIs) {
  for (std::size_t step = 0; step <= 40; ++step) {
    const auto trend = TrendOf(Sampled(40, [&](double, std::size_t i) { return i < step ? 5 * kMiB : 50 * kMiB; }));
    EXPECT_EQ(trend.verdict, step <= 20 || step == 40 ? Verdict::kSteady : trend.verdict) << step;
    EXPECT_NE(trend.verdict, Verdict::kGrows) << step;
  }
}

TEST(MemoryTrend, AStepLateInTheWindowIsUndecidedWithItsReason) {
  const auto trend = TrendOf(Sampled(24, [](double, std::size_t i) { return i < 18 ? 5 * kMiB : 6 * kMiB; }));
  EXPECT_EQ(trend.verdict, Verdict::kUndecided);
  EXPECT_EQ(trend.reason, "it rose, but in 1 of 11 steps only");
}

TEST(MemoryTrend, LessThanAPagePerPartIsNoRise) {
  // Half a page per part: every second floor is the one before.
  EXPECT_EQ(
      TrendOf(Sampled(12, [](double, std::size_t i) { return 5 * kMiB + static_cast<double>(i) * kPage / 2; })).verdict,
      Verdict::kSteady);
  EXPECT_EQ(TrendOf(Sampled(12,
                            [](double, std::size_t i) {
                              return 5 * kMiB + static_cast<double>(i) * static_cast<double>(sysconf(_SC_PAGESIZE));
                            }))
                .verdict,
            Verdict::kGrows);
}

TEST(MemoryTrend, WithoutTheSamplesForItThereIsNone) {
  const auto leak = [](double seconds, std::size_t) { return seconds * kMiB; };
  EXPECT_EQ(TrendOf({}).reason, "0 memory samples in the window; a trend needs 12");
  const auto few = TrendOf(Sampled(11, leak));
  EXPECT_EQ(few.verdict, Verdict::kUndecided);
  EXPECT_EQ(few.reason, "11 memory samples in the window; a trend needs 12");
  EXPECT_EQ(few.slope, std::nullopt);
  auto brief = Sampled(20, leak);
  for (auto& sample : brief) sample.at /= 10;
  EXPECT_EQ(TrendOf(brief).reason, "memory samples over 475 ms; a trend needs 2000 ms");
}

}  // namespace
}  // namespace corerig
