#include "harness/base/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <thread>

#include "harness/base/philox.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

// Counted, for TakesNoMemoryWhileRecording. Not inlined: g++ -O2 would see free() called on what new returned.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace corerig {
namespace {

using histogram_internal::BucketOf;
using histogram_internal::kBuckets;
using histogram_internal::kHighest;
using histogram_internal::kOverflow;
using histogram_internal::kOverflowFrom;
using histogram_internal::LowerOf;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr double kAllowed = 0.01;

// The oracle: what Distribution approximates, from all the samples.
class ExactSamples {
 public:
  void Add(std::int64_t nanos) {
    samples_.push_back(nanos);
    sorted_ = false;
  }
  std::vector<std::int64_t>& Sorted() {
    if (!sorted_) std::sort(samples_.begin(), samples_.end());
    sorted_ = true;
    return samples_;
  }
  // Nearest rank: the value at rank ceil(permille / 1000 * total), in whole numbers.
  double Permille(std::uint64_t permille, std::uint64_t infinite) {
    const std::uint64_t total = samples_.size() + infinite;
    const std::uint64_t rank = std::max<std::uint64_t>(1, (permille * total + 999) / 1000);
    return rank > samples_.size() ? INFINITY : static_cast<double>(Sorted()[rank - 1]);
  }
  double Mean() const {
    double sum = 0;
    for (const auto sample : samples_) sum += static_cast<double>(sample);
    return sum / static_cast<double>(samples_.size());
  }

 private:
  std::vector<std::int64_t> samples_;
  bool sorted_ = true;
};

std::uint64_t Word64(std::uint64_t index, std::uint32_t lane) {
  const auto words = RandomWords(11, StreamId("histogram"), index, lane);
  return static_cast<std::uint64_t>(words[0]) << 32 | words[1];
}

// From 1 ns to 100 s, as many in each decade.
std::int64_t LogUniform(std::uint64_t index) {
  const double uniform = UniformOpen(static_cast<std::uint32_t>(Word64(index, 1)));
  return std::min<std::int64_t>(kHighest, static_cast<std::int64_t>(std::pow(10, 11 * uniform)));
}

// Around 20 µs with a long tail, as wake-up latencies are.
std::int64_t LogNormal(std::uint64_t index) {
  return static_cast<std::int64_t>(20'000 * std::exp(0.5 * RandomNormals(12, StreamId("tail"), index)[0]));
}

void ExpectWithin(double seen, double exact, const std::string& what) {
  if (std::isinf(exact)) {
    EXPECT_EQ(seen, exact) << what;
  } else {
    EXPECT_NEAR(seen, exact, kAllowed * exact) << what;
  }
}

void ExpectAllPercentiles(const Distribution& seen, ExactSamples& exact, std::uint64_t infinite = 0) {
  for (std::uint64_t permille = 0; permille <= 1000; ++permille) {
    ExpectWithin(seen.Percentile(static_cast<double>(permille) / 1000, infinite), exact.Permille(permille, infinite),
                 std::to_string(permille) + " permille, " + std::to_string(infinite) + " infinite");
  }
}

TEST(Buckets, AdjoinWithoutGapOrOverlap) {
  EXPECT_EQ(LowerOf(0), 0);
  for (std::size_t i = 0; i < kBuckets; ++i) {
    ASSERT_EQ(BucketOf(LowerOf(i)), i);
    ASSERT_EQ(BucketOf(LowerOf(i + 1) - 1), i);
    ASSERT_LT(LowerOf(i), LowerOf(i + 1));
  }
}

TEST(Buckets, AreAtMost1In64Wide) {
  for (std::size_t i = 1; i < kOverflow; ++i) {
    const std::int64_t width = LowerOf(i + 1) - LowerOf(i);
    ASSERT_TRUE(width == 1 || width * 64 <= LowerOf(i)) << "bucket from " << LowerOf(i) << " ns, " << width << " wide";
  }
  EXPECT_GT(kOverflowFrom, kHighest) << "100 s has a bucket with borders";
}

TEST(Distribution, HoldsOneValueExactly) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{127}, std::int64_t{128},
                                   std::int64_t{20'001}, kSecond + 1, kHighest, 500 * kSecond, INT64_MAX}) {
    Distribution seen;
    seen.Add(value);
    EXPECT_EQ(seen.count(), 1u);
    EXPECT_EQ(seen.min(), value);
    EXPECT_EQ(seen.max(), value);
    EXPECT_EQ(seen.mean(), static_cast<double>(value));
    EXPECT_EQ(seen.Percentile(0.5), static_cast<double>(value));
  }
}

TEST(Distribution, EveryValueReadsBackWithinOnePercent) {
  const auto expect_read_back = [](std::int64_t value) {
    // Between two others, so that neither smallest nor largest lend their exactness.
    Distribution seen;
    seen.Add(0);
    seen.Add(value);
    seen.Add(INT64_MAX);
    ASSERT_NEAR(seen.Percentile(0.5), static_cast<double>(value), kAllowed * static_cast<double>(value));
  };
  for (std::size_t i = 1; i < kOverflow; ++i) {
    expect_read_back(LowerOf(i));
    expect_read_back(std::min(kHighest, LowerOf(i + 1) - 1));
  }
}

TEST(Distribution, AllPercentilesAreWithinOnePercentOfTheSortedSamples) {
  for (const auto draw : {LogUniform, LogNormal}) {
    for (const std::uint64_t count : {1, 2, 3, 7, 10, 99, 100, 101, 1000, 100'000}) {
      SCOPED_TRACE(count);
      Distribution seen;
      ExactSamples exact;
      for (std::uint64_t i = 0; i < count; ++i) {
        seen.Add(draw(i));
        exact.Add(draw(i));
      }
      ExpectAllPercentiles(seen, exact);
      ExpectWithin(seen.mean(), exact.Mean(), "mean");
      EXPECT_EQ(seen.count(), count);
      EXPECT_EQ(seen.min(), exact.Sorted().front());
      EXPECT_EQ(seen.max(), exact.Sorted().back());
    }
  }
}

TEST(Distribution, TakesTheNearestRank) {
  Distribution seen;  // 1 … 100 ns, each exact
  for (int i = 1; i <= 100; ++i) seen.Add(i);
  for (int percent = 1; percent <= 100; ++percent) {
    EXPECT_EQ(seen.Percentile(percent / 100.0), percent) << percent << " %";
  }
  EXPECT_EQ(seen.Percentile(0), 1);
  EXPECT_EQ(seen.Percentile(0.001), 1);
  EXPECT_EQ(seen.Percentile(0.501), 51) << "between two ranks the higher";
  EXPECT_EQ(seen.Percentile(0.999), 100);
}

TEST(Distribution, InfiniteSamplesTakeTheHighestRanks) {
  Distribution seen;
  ExactSamples exact;
  for (std::uint64_t i = 0; i < 990; ++i) {
    seen.Add(LogNormal(i));
    exact.Add(LogNormal(i));
  }
  for (const std::uint64_t infinite : {0, 1, 9, 10, 11, 990, 100'000}) ExpectAllPercentiles(seen, exact, infinite);
  EXPECT_TRUE(std::isfinite(seen.Percentile(0.99, 10)));
  EXPECT_TRUE(std::isinf(seen.Percentile(0.991, 10)));
  EXPECT_TRUE(std::isinf(Distribution().Percentile(0.5, 1)));
}

TEST(Distribution, EmptyHasNoPercentile) {
  const Distribution empty;
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_EQ(empty.min(), 0);
  EXPECT_EQ(empty.max(), 0);
  EXPECT_EQ(empty.mean(), 0);
  EXPECT_TRUE(std::isnan(empty.Percentile(0.5)));
  EXPECT_TRUE(empty.buckets().empty());
}

TEST(Distribution, PercentilesDoNotFall) {
  Distribution seen;
  for (std::uint64_t i = 0; i < 1000; ++i) seen.Add(LogUniform(i));
  double last = 0;
  for (int permille = 0; permille <= 1000; ++permille) {
    const double now = seen.Percentile(permille / 1000.0);
    EXPECT_GE(now, last) << permille;
    EXPECT_LE(now, static_cast<double>(seen.max()));
    EXPECT_GE(now, static_cast<double>(seen.min()));
    last = now;
  }
}

TEST(Distribution, AMergeIsTheDistributionOfAllSamples) {
  Distribution odd, even, all;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    (i % 2 == 0 ? even : odd).Add(LogUniform(i));
    all.Add(LogUniform(i));
  }
  Distribution merged;
  merged.Merge(Distribution());
  EXPECT_EQ(merged.count(), 0u);
  merged.Merge(odd);
  merged.Merge(even);
  merged.Merge(Distribution());
  EXPECT_EQ(merged.count(), all.count());
  EXPECT_EQ(merged.min(), all.min());
  EXPECT_EQ(merged.max(), all.max());
  EXPECT_EQ(merged.mean(), all.mean());
  for (const double p : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) EXPECT_EQ(merged.Percentile(p), all.Percentile(p)) << p;
}

TEST(Distribution, AMergeWithItselfDoublesTheCounts) {
  Distribution seen;
  seen.Add(10);
  seen.Add(30);
  seen.Merge(seen);
  EXPECT_EQ(seen.count(), 4u);
  EXPECT_EQ(seen.Percentile(0.5), 10);
  EXPECT_EQ(seen.Percentile(0.75), 30);
}

TEST(Distribution, AddsAValueManyTimes) {
  Distribution seen;
  seen.Add(100, 0);
  EXPECT_EQ(seen.count(), 0u);
  seen.Add(100, 99);
  seen.Add(-5);
  EXPECT_EQ(seen.count(), 100u);
  EXPECT_EQ(seen.min(), 0) << "a negative duration counts as 0";
  EXPECT_EQ(seen.Percentile(0.01), 0);
  EXPECT_EQ(seen.Percentile(0.02), 100);
}

TEST(Distribution, BeyondTheHighestAValueIsNeverReadBackAsShorter) {
  Distribution seen;
  seen.Add(99 * kSecond, 10);
  seen.Add(500 * kSecond, 10);
  seen.Add(1000 * kSecond, 1);
  EXPECT_NEAR(seen.Percentile(0.4), 99e9, 99e7) << "a value within the range keeps its precision";
  EXPECT_EQ(seen.Percentile(0.9), 1000e9);
  EXPECT_EQ(seen.max(), 1000 * kSecond);
  // The bucket of 100 s itself is not the one of all longer values.
  Distribution border;
  border.Add(kHighest, 10);
  border.Add(1000 * kSecond, 1);
  EXPECT_NEAR(border.Percentile(0.5), 100e9, 1e9);
}

TEST(Distribution, ItsBucketsHoldEverySample) {
  Distribution seen;
  seen.Add(0, 2);
  seen.Add(100);
  seen.Add(1000, 3);
  seen.Add(500 * kSecond, 4);
  const auto buckets = seen.buckets();
  ASSERT_EQ(buckets.size(), 4u);
  const std::int64_t values[] = {0, 100, 1000, 500 * kSecond};
  const std::uint64_t counts[] = {2, 1, 3, 4};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_LE(buckets[i].lower, values[i]);
    EXPECT_GT(buckets[i].upper, values[i]);
    EXPECT_EQ(buckets[i].count, counts[i]);
  }
  Distribution longest;
  longest.Add(INT64_MAX);
  EXPECT_EQ(longest.buckets()[0].upper, INT64_MAX);
}

// Memory as a slab's: not constructed, all zero.
class InZeroedMemory : public ::testing::Test {
 protected:
  InZeroedMemory() : memory_(std::calloc(1, sizeof(LatencyHistogram)), &std::free) {}
  LatencyHistogram& histogram() { return *static_cast<LatencyHistogram*>(memory_.get()); }
  // The 64-bit words of the histogram, last two: largest value and room of the smallest.
  std::uint64_t* words() { return static_cast<std::uint64_t*>(memory_.get()); }

 private:
  std::unique_ptr<void, void (*)(void*)> memory_;
};

TEST_F(InZeroedMemory, IsEmpty) {
  EXPECT_EQ(histogram().Read().count(), 0u);
  EXPECT_EQ(histogram().Read().min(), 0);
  EXPECT_EQ(histogram().Read().max(), 0);
  EXPECT_TRUE(std::isnan(histogram().Read().Percentile(0.5)));
}

TEST_F(InZeroedMemory, RecordsWhatADistributionHolds) {
  Distribution expected;
  const auto record = [&](std::int64_t nanos) {
    histogram().Record(Nanos(nanos));
    expected.Add(nanos);
  };
  for (std::uint64_t i = 0; i < 10'000; ++i) record(LogUniform(i));
  for (const std::int64_t nanos :
       {std::int64_t{0}, std::int64_t{-3}, kHighest, kOverflowFrom - 1, kOverflowFrom, INT64_MAX}) {
    record(nanos);
  }
  const Distribution seen = histogram().Read();
  EXPECT_EQ(seen.count(), expected.count());
  EXPECT_EQ(seen.min(), expected.min());
  EXPECT_EQ(seen.max(), expected.max());
  const auto a = seen.buckets(), b = expected.buckets();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].lower, b[i].lower);
    EXPECT_EQ(a[i].count, b[i].count) << "from " << a[i].lower << " ns";
  }
}

TEST_F(InZeroedMemory, TheSmallestAndTheLargestAreExact) {
  histogram().Record(Nanos(123'456'789));
  EXPECT_EQ(histogram().Read().min(), 123'456'789);
  EXPECT_EQ(histogram().Read().max(), 123'456'789);
  histogram().Record(Nanos(1'000'003));
  histogram().Record(Nanos(900'000'001));
  EXPECT_EQ(histogram().Read().min(), 1'000'003);
  EXPECT_EQ(histogram().Read().max(), 900'000'001);
}

TEST_F(InZeroedMemory, TakesNoMemoryWhileRecording) {
  const std::uint64_t before = allocations.load();
  for (std::int64_t nanos = 1; nanos < 1000 * kSecond; nanos = nanos * 3 / 2 + 1) histogram().Record(Nanos(nanos));
  EXPECT_EQ(allocations.load(), before);
  const auto control = std::make_unique<int>(1);
  EXPECT_GT(allocations.load(), before) << "allocations are seen at all";
}

TEST_F(InZeroedMemory, ReadBetweenCountAndLargestItGivesThoseOfTheBuckets) {
  // As a reader finds it when it comes after the first sample was counted and before its value was stored.
  words()[BucketOf(20'000)] = 1;
  const Distribution seen = histogram().Read();
  EXPECT_EQ(seen.count(), 1u);
  EXPECT_LE(seen.min(), seen.max());
  EXPECT_NEAR(static_cast<double>(seen.min()), 20'000, 20'000 * 0.016);
  EXPECT_NEAR(static_cast<double>(seen.max()), 20'000, 20'000 * 0.016);
  EXPECT_NEAR(seen.Percentile(0.5), 20'000, 20'000 * 0.016);
}

TEST_F(InZeroedMemory, AnyBytesGiveADistributionThatCanBeAsked) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (std::size_t i = 0; i < sizeof(LatencyHistogram) / 8; ++i) {
      words()[i] = Word64(i, static_cast<std::uint32_t>(seed)) >> (seed % 64);
    }
    const Distribution seen = histogram().Read();
    EXPECT_LE(seen.min(), seen.max());
    EXPECT_GE(seen.min(), 0);
    for (const double p : {0.0, 0.5, 0.999, 1.0}) EXPECT_FALSE(std::isnan(seen.Percentile(p, seed)));
    EXPECT_TRUE(std::isfinite(seen.mean()));
    EXPECT_FALSE(seen.buckets().empty());
  }
}

TEST_F(InZeroedMemory, AReaderSeesCountsThatOnlyGrowAndLimitsThatFitThem) {
  constexpr std::uint64_t kSamples = 200'000;
  std::thread writer([this] {
    for (std::uint64_t i = 0; i < kSamples; ++i) histogram().Record(Nanos(static_cast<std::int64_t>(1'000 + i)));
  });
  std::uint64_t last = 0;
  std::int64_t longest = 0;
  while (last < kSamples && !HasFailure()) {
    const Distribution seen = histogram().Read();
    EXPECT_GE(seen.count(), last);
    EXPECT_LE(seen.count(), kSamples);
    if (seen.count() > 0) {
      EXPECT_GE(seen.max(), longest);
      EXPECT_LE(seen.min(), seen.max());
      EXPECT_LT(seen.max(), static_cast<std::int64_t>(1'000 + kSamples) * 65 / 64);
      EXPECT_LE(seen.Percentile(0.5), static_cast<double>(seen.max()));
      EXPECT_GE(seen.Percentile(0.5), static_cast<double>(seen.min()));
    }
    last = seen.count();
    longest = seen.max();
  }
  writer.join();
  const Distribution seen = histogram().Read();
  EXPECT_EQ(seen.count(), kSamples);
  EXPECT_EQ(seen.min(), 1'000);
  EXPECT_EQ(seen.max(), static_cast<std::int64_t>(1'000 + kSamples - 1));
  EXPECT_NEAR(seen.Percentile(0.5), 1'000 + kSamples / 2.0, kAllowed * (1'000 + kSamples / 2.0));
}

}  // namespace
}  // namespace corerig
