#include "harness/measure/trace_merge.h"

#include <gtest/gtest.h>

#include "harness/base/philox.h"

namespace corerig {
namespace {

TraceEvent At(std::int64_t at, int cpu) { return {.at = Nanos(at), .cpu = static_cast<std::int16_t>(cpu)}; }

std::vector<std::int64_t> Take(TraceMerge& merge, std::int64_t horizon) {
  std::vector<std::int64_t> times;
  merge.TakeUntil(Nanos(horizon), [&](const TraceEvent& event) { times.push_back(event.at.count()); });
  return times;
}

TEST(TraceMerge, EventsOfAllCpusComeInTheOrderOfTimeUpToTheHorizon) {
  TraceMerge merge(3);
  for (const int at : {1, 4, 9}) merge.Add(0, At(at, 0));
  for (const int at : {2, 3, 12}) merge.Add(1, At(at, 1));
  EXPECT_EQ(Take(merge, 10), (std::vector<std::int64_t>{1, 2, 3, 4, 9}));
  merge.Add(2, At(11, 2));
  EXPECT_EQ(Take(merge, 12), (std::vector<std::int64_t>{11}));
  EXPECT_EQ(Take(merge, 13), (std::vector<std::int64_t>{12}));
  EXPECT_TRUE(Take(merge, 100).empty());
}

TEST(TraceMerge, ALateCpuCostsOrderAndNoEvent) {
  TraceMerge merge(2);
  merge.Add(0, At(5, 0));
  EXPECT_EQ(Take(merge, 10), (std::vector<std::int64_t>{5}));
  merge.Add(1, At(3, 1));
  merge.Add(0, At(12, 0));
  EXPECT_EQ(Take(merge, 20), (std::vector<std::int64_t>{3, 12}));
}

TEST(TraceMerge, AnEventAtTheHorizonStays) {
  TraceMerge merge(2);
  for (const int at : {1, 2, 3}) merge.Add(0, At(at, 0));
  EXPECT_EQ(Take(merge, 2), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(Take(merge, 4), (std::vector<std::int64_t>{2, 3}));
}

TEST(TraceMerge, AClockThatStepsBackCostsNoOrder) {
  TraceMerge merge(2);
  for (const int at : {5, 4, 9}) merge.Add(0, At(at, 0));
  for (const int at : {6, 3}) merge.Add(1, At(at, 1));
  EXPECT_EQ(Take(merge, 20), (std::vector<std::int64_t>{5, 5, 6, 6, 9}));
}

TEST(TraceMerge, AgreesWithSortingForRandomSequences) {
  TraceMerge merge(4);
  std::vector<std::int64_t> all;
  std::int64_t last[4] = {};
  for (std::uint32_t i = 0; i < 4000; ++i) {
    const auto word = Philox4x32({i, 0, 0, 0}, {7, 7})[0];
    const std::size_t cpu = word % 4;
    last[cpu] += (word >> 8) % 100;
    merge.Add(cpu, At(last[cpu], static_cast<int>(cpu)));
    all.push_back(last[cpu]);
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(Take(merge, INT64_MAX), all);
}

}  // namespace
}  // namespace corerig
