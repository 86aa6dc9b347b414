#include "tests/bench/pairs.h"

#include <gtest/gtest.h>

#include <cmath>

namespace corerig {
namespace {

TEST(Pairs, MedianOfAnEvenNumberIsTheMiddleOfTheTwo) {
  EXPECT_EQ(Median({3, 1, 2}), 2);
  EXPECT_EQ(Median({4, 1, 2, 3}), 2.5);
}

// The tabulated ranks of the 95 % interval of a median: 6th and 15th of 20, 2nd and 9th of 10; none for 5.
TEST(Pairs, IntervalIsThatOfTheOrderStatistics) {
  Pairs pairs;
  for (int i = 1; i <= 20; ++i) {
    pairs.a.push_back(i);
    pairs.b.push_back(1);
  }
  EXPECT_EQ(pairs.ratio().median, 10.5);
  EXPECT_EQ(pairs.ratio().low, 6);
  EXPECT_EQ(pairs.ratio().high, 15);
  pairs.a.resize(10);
  pairs.b.resize(10);
  EXPECT_EQ(pairs.ratio().low, 2);
  EXPECT_EQ(pairs.ratio().high, 9);
  pairs.a.resize(5);
  pairs.b.resize(5);
  EXPECT_TRUE(std::isinf(pairs.ratio().low)) << "five pairs say nothing with 95 % confidence";
}

TEST(Pairs, AreTakenInTurnAndFailuresLeftOut) {
  std::string order;
  int calls = 0;
  const Pairs pairs = Pairs::Measure(
      3,
      [&]() -> std::optional<double> {
        order += 'a';
        return 1;
      },
      [&]() -> std::optional<double> {
        order += 'b';
        return ++calls == 2 ? std::nullopt : std::optional(2.0);
      });
  EXPECT_EQ(order, "abbaab");
  EXPECT_EQ(pairs.a.size(), 2u);
  EXPECT_EQ(pairs.ratio().median, 0.5);
}

}  // namespace
}  // namespace corerig
