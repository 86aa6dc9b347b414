#include "harness/base/worst_samples.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

SampleStamps Sample(std::uint64_t n, Nanos due, Nanos latency) {
  return {.sequence = n, .due = due, .begin = due + latency / 2, .done = due + latency};
}

class Worst : public testing::Test {
 protected:
  // As its user does.
  void Offer(const SampleStamps& sample) {
    if (table_->Qualifies(sample.latency())) table_->Add(sample);
  }
  std::vector<std::uint64_t> Sequences() const {
    std::vector<std::uint64_t> out;
    for (const auto& sample : table_->Read()) out.push_back(sample.sequence);
    return out;
  }
  std::unique_ptr<WorstSamples> table_ = std::make_unique<WorstSamples>();
};

TEST_F(Worst, AreReadWorstFirstWithAllTheirStamps) {
  const SampleStamps whole{.sequence = 7,
                           .due = Nanos(100),
                           .sent = Nanos(101),
                           .kernel = Nanos(102),
                           .woken = Nanos(103),
                           .earlier_begin = Nanos(50),
                           .earlier_done = Nanos(104),
                           .begin = Nanos(105),
                           .done = Nanos(200)};
  Offer(whole);
  Offer(Sample(8, milliseconds(10), microseconds(30)));
  EXPECT_EQ(Sequences(), (std::vector<std::uint64_t>{8, 7}));
  EXPECT_EQ(table_->Read()[1], whole);
  EXPECT_EQ(table_->changes(), 2u);
}

TEST_F(Worst, AStallOf30SamplesIsOneEntryAndTheWorstStandsForIt) {
  Offer(Sample(1, milliseconds(1), microseconds(20)));
  // Due 1 ms apart, all done 30 ms after the first was due, in the order of a loop that catches up.
  for (std::uint64_t k = 0; k < 30; ++k) {
    Offer(Sample(100 + k, milliseconds(100 + static_cast<std::int64_t>(k)),
                 milliseconds(30 - static_cast<std::int64_t>(k)) + microseconds(k)));
  }
  EXPECT_EQ(Sequences(), (std::vector<std::uint64_t>{100, 1}));
}

TEST_F(Worst, AWorseSampleTakesThePlaceOfAllThatItsStallHolds) {
  Offer(Sample(1, milliseconds(10), milliseconds(1)));
  Offer(Sample(2, milliseconds(20), milliseconds(2)));
  Offer(Sample(3, milliseconds(40), milliseconds(3)));
  Offer(Sample(4, milliseconds(9), milliseconds(15)));  // until 24 ms: holds the first two
  EXPECT_EQ(Sequences(), (std::vector<std::uint64_t>{4, 3}));
}

TEST_F(Worst, SamplesWithinAMillisecondOfEachOtherAreOneStallOnEitherSide) {
  Offer(Sample(1, milliseconds(100), milliseconds(5)));             // until 105 ms
  Offer(Sample(2, milliseconds(106), milliseconds(2)));             // 1 ms after it: the same, and smaller
  Offer(Sample(3, milliseconds(106) + Nanos(1), milliseconds(2)));  // just not
  Offer(Sample(4, milliseconds(96) - Nanos(1), milliseconds(3)));   // just not, before it
  Offer(Sample(5, milliseconds(96), milliseconds(3)));              // the same as both 1 and 4
  EXPECT_EQ(Sequences(), (std::vector<std::uint64_t>{1, 4, 3}));
}

TEST_F(Worst, OfTwoAlikeOfOneStallTheFirstStays) {
  Offer(Sample(1, milliseconds(100), milliseconds(5)));
  Offer(Sample(2, milliseconds(101), milliseconds(5)));
  EXPECT_EQ(Sequences(), (std::vector<std::uint64_t>{1}));
}

TEST_F(Worst, OneThatIsNotAmongTheWorstTakesNobodysPlace) {
  for (std::uint64_t k = 0; k < 8; ++k) {
    Offer(Sample(k, milliseconds(10 * static_cast<std::int64_t>(k)), microseconds(100 + k)));
  }
  table_->Add(Sample(99, milliseconds(500), microseconds(50)));
  table_->Add(Sample(98, milliseconds(600), microseconds(100)));
  EXPECT_EQ(Sequences(), (std::vector<std::uint64_t>{7, 6, 5, 4, 3, 2, 1, 0}));
}

TEST_F(Worst, OnlyTheWorstAreKept) {
  for (std::uint64_t k = 0; k < 100; ++k) {
    // Latencies 1 to 100 µs in a scrambled order, each stall of its own.
    Offer(Sample(k * 37 % 100 + 1, milliseconds(10 * static_cast<std::int64_t>(k)), microseconds(k * 37 % 100 + 1)));
  }
  EXPECT_EQ(Sequences(), (std::vector<std::uint64_t>{100, 99, 98, 97, 96, 95, 94, 93}));
  EXPECT_FALSE(table_->Qualifies(microseconds(93)));
  EXPECT_TRUE(table_->Qualifies(microseconds(94)));
}

TEST_F(Worst, AnEntryIsNeverMixedFromTwoSamples) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::int64_t k = 1; !stop.load(std::memory_order_relaxed); ++k) {
      // All stamps say k; each worse than the last, and of the same stall.
      table_->Add({.sequence = static_cast<std::uint64_t>(k),
                   .due = Nanos(-k),
                   .sent = Nanos(k),
                   .kernel = Nanos(k),
                   .woken = Nanos(k),
                   .earlier_begin = Nanos(k),
                   .earlier_done = Nanos(k),
                   .begin = Nanos(k),
                   .done = Nanos(k)});
    }
  });
  std::uint64_t last = 0;
  int seen = 0;
  for (int i = 0; i < 3'000'000 && (i < 200'000 || seen < 100); ++i) {
    for (const SampleStamps& s : table_->Read()) {
      const auto k = static_cast<std::int64_t>(s.sequence);
      const bool whole = s.due.count() == -k && s.sent.count() == k && s.kernel.count() == k && s.woken.count() == k &&
                         s.earlier_begin.count() == k && s.earlier_done.count() == k && s.begin.count() == k &&
                         s.done.count() == k && s.sequence >= last;
      if (!whole) ADD_FAILURE() << "sample " << s.sequence << " after " << last << " has done " << s.done.count();
      seen += s.sequence != last;
      last = s.sequence;
      if (!whole) i = 3'000'000;
    }
  }
  stop = true;
  writer.join();
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace corerig
