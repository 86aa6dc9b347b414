#include "harness/base/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace corerig {
namespace {

// The known answers that Random123 publishes with its reference code (tests/kat_vectors, "philox4x32 10").
TEST(Philox, GivesRandom123sKnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kAll = 0xffffffff;
  EXPECT_EQ(Philox4x32({kAll, kAll, kAll, kAll}, {kAll, kAll}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, IndexStreamAndSeedEachHaveTheirPlaceInCounterAndKey) {
  EXPECT_EQ(RandomWords(0x299f31d0'a4093822, 0x13198a2e, 0x85a308d3'243f6a88, 0x03707344),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, OtherSeedStreamIndexOrLaneGiveOtherWords) {
  const std::set<PhiloxCounter> words = {RandomWords(1, 2, 3),          RandomWords(2, 2, 3),
                                         RandomWords(1ull << 32, 2, 3), RandomWords(1, 3, 3),
                                         RandomWords(1, 2, 4),          RandomWords(1, 2, 3 | 1ull << 32),
                                         RandomWords(1, 2, 3, 1)};
  EXPECT_EQ(words.size(), 7u);
}

// Landon Curt Noll's test vectors for 32-bit FNV-1a.
TEST(StreamId, IsTheFnv1aHashOfTheName) {
  EXPECT_EQ(StreamId(""), 0x811c9dc5u);
  EXPECT_EQ(StreamId("a"), 0xe40c292cu);
  EXPECT_EQ(StreamId("foobar"), 0xbf9cf968u);
}

TEST(UniformOpen, NeverReachesItsEnds) {
  EXPECT_GT(UniformOpen(0), 0);
  EXPECT_LT(UniformOpen(0xffffffff), 1);
  EXPECT_TRUE(std::isfinite(std::log(UniformOpen(0))));
  EXPECT_NEAR(UniformOpen(0x80000000), 0.5, 1e-9);
}

TEST(RandomNormals, AreTheSameForTheSameIndexWhateverTheOrder) {
  const auto late = RandomNormals(42, 7, 1000);
  RandomNormals(42, 7, 0);
  EXPECT_EQ(RandomNormals(42, 7, 1000), late);
  EXPECT_NE(RandomNormals(42, 7, 1001), late);
  EXPECT_NE(RandomNormals(42, 7, 1000, 1), late);
}

// The figures below are of fixed numbers, the same on every run. The bounds are five standard errors.
class NormalSample : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kBlocks = 100'000;
  static constexpr double kCount = 4.0 * kBlocks;

  static const std::vector<std::array<double, 4>>& Blocks() {
    static const auto blocks = [] {
      std::vector<std::array<double, 4>> drawn;
      for (std::uint64_t i = 0; i < kBlocks; ++i) drawn.push_back(RandomNormals(42, StreamId("normal"), i));
      return drawn;
    }();
    return blocks;
  }

  template <typename Function>
  static double MeanOf(Function of) {
    double sum = 0;
    for (const auto& block : Blocks()) {
      for (const double z : block) sum += of(z);
    }
    return sum / kCount;
  }
};

TEST_F(NormalSample, HasTheMomentsOfTheStandardNormal) {
  EXPECT_NEAR(MeanOf([](double z) { return z; }), 0, 5 * std::sqrt(1 / kCount));
  EXPECT_NEAR(MeanOf([](double z) { return z * z; }), 1, 5 * std::sqrt(2 / kCount));
  EXPECT_NEAR(MeanOf([](double z) { return z * z * z; }), 0, 5 * std::sqrt(15 / kCount));
  EXPECT_NEAR(MeanOf([](double z) { return z * z * z * z; }), 3, 5 * std::sqrt(96 / kCount));
}

TEST_F(NormalSample, HasTheDistributionOfTheStandardNormal) {
  for (const double border : {-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0}) {
    const double exact = std::erfc(-border / std::sqrt(2.0)) / 2;
    EXPECT_NEAR(MeanOf([&](double z) { return z < border ? 1.0 : 0.0; }), exact,
                5 * std::sqrt(exact * (1 - exact) / kCount))
        << "share below " << border;
  }
}

TEST_F(NormalSample, TheFourOfOneIndexAreUncorrelated) {
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      double sum = 0;
      for (const auto& z : Blocks()) sum += z[a] * z[b];
      EXPECT_NEAR(sum / kBlocks, 0, 5 / std::sqrt(kBlocks)) << "variates " << a << " and " << b;
    }
  }
}

}  // namespace
}  // namespace corerig
