#include "harness/base/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace corerig {
namespace {

ExactSum SumOf(const std::vector<double>& terms) {
  ExactSum sum;
  for (const double term : terms) sum.Add(term);
  return sum;
}

TEST(ExactSum, OfNothingIsZero) {
  EXPECT_EQ(ExactSum().Value(), 0);
  EXPECT_TRUE(ExactSum().parts().empty());
}

TEST(ExactSum, KeepsWhatRoundingWouldDrop) {
  EXPECT_EQ(SumOf({1e16, 1, -1e16}).Value(), 1);
  EXPECT_EQ(SumOf(std::vector<double>(10, 0.1)).Value(), 1.0) << "ten doubles 0.1 are nearest to 1";
  EXPECT_EQ(SumOf({1e308, 1e-308, -1e308}).Value(), 1e-308);
  EXPECT_TRUE(SumOf({1e308, -1e308, 5e-324, -5e-324}).parts().empty());
}

// Expected values of Python's math.fsum (test_math.py, testFsum).
TEST(ExactSum, RoundsAsPythonsFsum) {
  EXPECT_EQ(SumOf({0x1p53, -0.5, -0x1p-54}).Value(), 0x1p53 - 1);
  EXPECT_EQ(SumOf({0x1p53, 1.0, 0x1p-100}).Value(), 0x1p53 + 2);
  EXPECT_EQ(SumOf({0x1p53 + 10, 1.0, 0x1p-100}).Value(), 0x1p53 + 12);
  EXPECT_EQ(SumOf({0x1p53 - 4, 0.5, 0x1p-54}).Value(), 0x1p53 - 3);
  EXPECT_EQ(SumOf({1e16, 1.0, 1e-16}).Value(), 10000000000000002.0);
  EXPECT_EQ(SumOf({1e16 - 2.0, 1.0 - 0x1p-53, -(1e16 - 2.0), -(1.0 - 0x1p-53)}).Value(), 0.0);
}

// The oracle: integers of 128 bits, and terms that are whole multiples of 2^-40 below 2^40 in magnitude.
TEST(ExactSum, IsTheNearestDoubleForAnyOrderAndGrouping) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<double> terms;
    __int128 exact = 0;
    for (int i = 0; i < 200; ++i) {
      const auto whole = static_cast<std::int64_t>(random() << 10) >> (10 + random() % 50);
      terms.push_back(std::ldexp(static_cast<double>(whole), -40));
      exact += whole;
    }
    const bool fits = exact < (__int128{1} << 62) && exact > -(__int128{1} << 62);
    ASSERT_TRUE(fits);
    const double expected = std::ldexp(static_cast<double>(static_cast<std::int64_t>(exact)), -40);
    const ExactSum sum = SumOf(terms);
    ASSERT_EQ(sum.Value(), expected) << round;

    std::shuffle(terms.begin(), terms.end(), random);
    ExactSum first, second;
    for (std::size_t i = 0; i < terms.size(); ++i) (i % 3 == 0 ? first : second).Add(terms[i]);
    second.Add(first);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(second.Value()), std::bit_cast<std::uint64_t>(expected)) << round;
    const auto again = ExactSum::FromParts(second.parts());
    ASSERT_TRUE(again.has_value());
    ASSERT_EQ(again->Value(), expected);
  }
}

TEST(ExactSum, NeverHoldsMoreThanItsParts) {
  std::mt19937_64 random(2);
  ExactSum sum;
  for (int i = 0; i < 200'000; ++i) {
    const int exponent = static_cast<int>(random() % 2090) - 1074;
    sum.Add(std::ldexp(random() % 2 == 0 ? 1.0 : -1.0, std::min(exponent, 1015)));
    ASSERT_LT(sum.parts().size(), ExactSum::kMostParts) << i;
  }
  ExactSum twice = sum;
  twice.Add(twice);
  EXPECT_EQ(twice.Value(), 2 * sum.Value());
}

TEST(ExactSum, OfManyPartsIsStillExact) {
  // Every third bit of the doubles' range: no two of the terms touch. Then all are taken away but one.
  std::vector<double> terms;
  for (int exponent = -1074; exponent < 1000; exponent += 3) terms.push_back(std::ldexp(1, exponent));
  ExactSum sum = SumOf(terms);
  for (const double term : terms) {
    if (term != std::ldexp(1, -1074 + 3 * 100)) sum.Add(-term);
  }
  EXPECT_EQ(sum.Value(), std::ldexp(1, -1074 + 3 * 100));
}

TEST(ExactSum, WhatIsNotFiniteMakesItNotANumberForGood) {
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    ExactSum sum = SumOf({1, bad, 2});
    EXPECT_TRUE(std::isnan(sum.Value()));
    ExactSum other = SumOf({1});
    other.Add(sum);
    EXPECT_TRUE(std::isnan(other.Value()));
  }
  EXPECT_TRUE(std::isnan(SumOf({1.7e308, 1.7e308, -1.7e308}).Value()));
}

TEST(ExactSum, PartsFromOutsideAreChecked) {
  EXPECT_EQ(ExactSum::FromParts(std::vector<double>(49, 1.0)).error().message, "a sum of 49 parts; it has at most 48");
  EXPECT_EQ(ExactSum::FromParts(std::vector<double>{std::nan("")}).error().message,
            "a sum with a part that is no finite number");
  EXPECT_EQ(ExactSum::FromParts(std::vector<double>{1, 1, 1})->Value(), 3) << "parts that overlap";
}

}  // namespace
}  // namespace corerig
