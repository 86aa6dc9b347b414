#include "scenarios/simd/random_fill.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "harness/base/philox.h"
#include "scenarios/simd/kernel_choice.h"

namespace corerig {
namespace {

// Every test here is run with each of this CPU's kernels.
class RandomFill : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const ForcedKernels forced_{*GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Kernels, RandomFill, ::testing::ValuesIn(KernelsOfThisCpu()),
                         [](const auto& test) { return std::to_string(test.param->vector_bits) + "bit"; });

constexpr std::uint64_t kSeed = 0xa4093822'299f31d0;
constexpr std::uint32_t kStream = 0x13198a2e, kLane = 0x03707344;

// What is drawn at and across the ends of the index's halves, and in numbers that no vector divides.
constexpr std::uint64_t kFirsts[] = {
    0, 1, 0xfffffff8, 0xfffffffd, 0xffffffff, 0x100000000, 0x5'fffffffa, 0xfffffffffffffff7, 0xffffffffffffffff};

template <typename Number, typename Fill, typename Expected>
void ExpectElements(Fill fill, Expected expected) {
  constexpr std::size_t kGuard = 16;
  for (const std::uint64_t first : kFirsts) {
    for (std::size_t count = 0; count <= 70; ++count) {
      std::vector<Number> filled(count + kGuard, Number{77});
      fill(first, std::span(filled).first(count));
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(filled[i], expected(first + i / 4, i % 4)) << "element " << i << " of " << count << " from " << first;
      }
      for (std::size_t i = count; i < filled.size(); ++i) ASSERT_EQ(filled[i], Number{77}) << "beyond " << count;
    }
  }
}

TEST_P(RandomFill, WordsAreThoseOfTheStreamToTheLastBit) {
  ExpectElements<std::uint32_t>(
      [](std::uint64_t first, std::span<std::uint32_t> out) { FillWords(kSeed, kStream, first, out, kLane); },
      [](std::uint64_t index, std::size_t word) { return RandomWords(kSeed, kStream, index, kLane)[word]; });
}

TEST_P(RandomFill, UniformsAreThoseOfTheStreamToTheLastBit) {
  ExpectElements<double>(
      [](std::uint64_t first, std::span<double> out) { FillUniforms(kSeed, kStream, first, out, kLane); },
      [](std::uint64_t index, std::size_t word) {
        return UniformOpen(RandomWords(kSeed, kStream, index, kLane)[word]);
      });
}

TEST_P(RandomFill, AnyRangeOfAStreamHasTheBitsItHasInTheWhole) {
  constexpr std::uint64_t kFirst = 0xffffffff - 50;
  std::vector<double> whole(400), exponentials(400);
  FillNormals(kSeed, kStream, kFirst, whole, kLane);
  FillExponentials(kSeed, kStream, kFirst, exponentials, kLane);
  for (std::size_t draw = 0; draw < 100; ++draw) {
    for (const std::size_t count : {1, 2, 3, 4, 5, 15, 16, 17, 33}) {
      if (4 * draw + count > whole.size()) continue;
      std::vector<double> part(count);
      FillNormals(kSeed, kStream, kFirst + draw, part, kLane);
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(part[i], whole[4 * draw + i]) << draw << " " << i;
      FillExponentials(kSeed, kStream, kFirst + draw, part, kLane);
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(part[i], exponentials[4 * draw + i]) << draw << " " << i;
    }
  }
}

// The known answers that Random123 publishes with its reference code (tests/kat_vectors, "philox4x32 10").
TEST_P(RandomFill, WordsAreRandom123sKnownAnswers) {
  const auto words = [](PhiloxCounter c, PhiloxKey key) {
    PhiloxCounter out;
    FillWords(key[0] | std::uint64_t{key[1]} << 32, c[2], c[0] | std::uint64_t{c[1]} << 32, out, c[3]);
    return out;
  };
  constexpr std::uint32_t kAll = 0xffffffff;
  EXPECT_EQ(words({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(words({kAll, kAll, kAll, kAll}, {kAll, kAll}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(words({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// x with x * odd = 1 modulo 2^32 (Newton: each step doubles the bits that are right).
constexpr std::uint32_t InverseOf(std::uint32_t odd) {
  std::uint32_t x = odd;
  for (int i = 0; i < 5; ++i) x *= 2 - odd * x;
  return x;
}

// The counter of which the draw is `words`: Philox backwards. So the functions can be seen at any argument.
PhiloxCounter CounterOf(PhiloxCounter words, PhiloxKey key) {
  constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  for (std::uint32_t round = 10; round-- > 0;) {
    const std::uint32_t key0 = key[0] + round * 0x9E3779B9, key1 = key[1] + round * 0xBB67AE85;
    const std::uint32_t c0 = words[3] * InverseOf(kMultiplier0), c2 = words[1] * InverseOf(kMultiplier1);
    const auto high = [](std::uint32_t a, std::uint32_t b) {
      return static_cast<std::uint32_t>(std::uint64_t{a} * b >> 32);
    };
    words = {c0, words[0] ^ key0 ^ high(kMultiplier1, c2), c2, words[2] ^ key1 ^ high(kMultiplier0, c0)};
  }
  return words;
}

struct Drawn {
  std::vector<double> normals, exponentials;
};

Drawn At(PhiloxCounter words) {
  const PhiloxCounter c = CounterOf(words, KeyOf(kSeed));
  EXPECT_EQ(Philox4x32(c, KeyOf(kSeed)), words);
  Drawn drawn{std::vector<double>(4), std::vector<double>(4)};
  const std::uint64_t first = c[0] | std::uint64_t{c[1]} << 32;
  FillNormals(kSeed, c[2], first, drawn.normals, c[3]);
  FillExponentials(kSeed, c[2], first, drawn.exponentials, c[3]);
  return drawn;
}

// The exact functions, with more digits than a double has. The angle is brought next to zero before it is multiplied by
// pi, so that what is lost there is a share of the result.
long double Uniform(std::uint32_t word) { return (static_cast<long double>(word) + 0.5L) * 0x1p-32L; }
long double MinusLog(std::uint32_t word) {
  // Close to 1 by the series of log(1 - d), as d is exact.
  const long double d = 1 - Uniform(word);
  return d < 0.25L ? -std::log1p(-d) : -std::log(Uniform(word));
}
std::array<long double, 2> ExactPair(std::uint32_t radius_word, std::uint32_t angle_word) {
  const long double radius = std::sqrt(2 * MinusLog(radius_word));
  const long double turns = Uniform(angle_word), quarters = std::round(4 * turns);
  const long double rest = 2 * std::numbers::pi_v<long double> * (turns - quarters / 4);
  const long double c = std::cos(rest), s = std::sin(rest);
  switch (static_cast<int>(quarters) % 4) {
    case 0:
      return {radius * c, radius * s};
    case 1:
      return {-radius * s, radius * c};
    case 2:
      return {-radius * c, -radius * s};
    default:
      return {radius * s, -radius * c};
  }
}

double RelativeError(double value, long double exact) {
  return static_cast<double>(std::abs((static_cast<long double>(value) - exact) / exact));
}

// Where long double is double (32-bit ARM) the oracle is no better than what it judges.
constexpr double kOracle = std::numeric_limits<long double>::digits > 53 ? 0 : 2e-15;

TEST_P(RandomFill, NormalsAndExponentialsAreExactAtTheEndsAndSeamsOfTheirFormulas) {
  std::vector<std::uint32_t> radii = {0,          1,          2,          3,          0x7fffffff,
                                      0x80000000, 0xffffffff, 0xfffffffe, 0xfffffffd, 0xfffff000};
  // Powers of two times sqrt(1/2), where the logarithm changes its exponent.
  for (int bit = 0; bit < 32; ++bit) {
    for (const std::uint32_t next : {0u, 1u}) radii.push_back((0xb504f333u >> bit) + next);
  }
  std::vector<std::uint32_t> angles;
  for (std::uint32_t eighth = 0; eighth < 8; ++eighth) {
    for (const std::uint32_t next : {0xffffffffu, 0u, 1u, 0x1000u}) angles.push_back((eighth << 29) + next);
  }
  double worst_normal = 0, worst_exponential = 0;
  for (const std::uint32_t radius : radii) {
    for (const std::uint32_t angle : angles) {
      const Drawn drawn = At({radius, angle, ~radius, ~angle});
      const auto first = ExactPair(radius, angle), second = ExactPair(~radius, ~angle);
      for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_LT(RelativeError(drawn.normals[i], first[i]), 1e-15 + kOracle) << radius << " " << angle << " " << i;
        ASSERT_LT(RelativeError(drawn.normals[2 + i], second[i]), 1e-15 + kOracle) << ~radius << " " << ~angle;
        worst_normal = std::max(worst_normal, RelativeError(drawn.normals[i], first[i]));
      }
      const std::array<std::uint32_t, 4> words = {radius, angle, ~radius, ~angle};
      for (std::size_t i = 0; i < 4; ++i) {
        ASSERT_LT(RelativeError(drawn.exponentials[i], MinusLog(words[i])), 1e-15 + kOracle) << words[i];
        worst_exponential = std::max(worst_exponential, RelativeError(drawn.exponentials[i], MinusLog(words[i])));
      }
    }
  }
  RecordProperty("worst_normal", std::to_string(worst_normal * 1e15) + "e-15");
  RecordProperty("worst_exponential", std::to_string(worst_exponential * 1e15) + "e-15");
}

TEST_P(RandomFill, NormalsAndExponentialsAreExactInBulk) {
  constexpr std::size_t kCount = 200'000;
  std::vector<double> normals(kCount), exponentials(kCount);
  FillNormals(42, 7, 3, normals);
  FillExponentials(42, 7, 3, exponentials);
  for (std::size_t i = 0; i < kCount; i += 4) {
    const PhiloxCounter words = RandomWords(42, 7, 3 + i / 4);
    for (std::size_t pair = 0; pair < 4; pair += 2) {
      const auto exact = ExactPair(words[pair], words[pair + 1]);
      for (std::size_t j = 0; j < 2; ++j) {
        ASSERT_LT(RelativeError(normals[i + pair + j], exact[j]), 1e-15 + kOracle) << i + pair + j;
      }
    }
    for (std::size_t w = 0; w < 4; ++w) {
      ASSERT_LT(RelativeError(exponentials[i + w], MinusLog(words[w])), 1e-15 + kOracle) << i + w;
    }
  }
}

TEST_P(RandomFill, NormalsAreTheScalarOnesWithinTheRoundingOfTheLibrarysCosine) {
  constexpr std::uint64_t kFirst = 0xffffffff - 1000;
  constexpr std::size_t kCount = 100'000;
  std::vector<double> normals(kCount);
  FillNormals(42, 7, kFirst, normals, 5);
  for (std::size_t i = 0; i < kCount; i += 2) {
    const std::size_t pair = i % 4;
    const auto scalar = RandomNormals(42, 7, kFirst + i / 4, 5);
    const double radius = std::hypot(scalar[pair], scalar[pair + 1]);
    for (std::size_t j = 0; j < 2; ++j) {
      ASSERT_NEAR(normals[i + j], scalar[pair + j], 3e-15 * radius) << i + j;
      if (std::abs(scalar[pair + j]) > 0.01 * radius) {
        ASSERT_LT(std::abs(normals[i + j] / scalar[pair + j] - 1), 1e-12) << i + j;
      }
    }
  }
}

TEST(KernelsOfThisCpu, StartWithTheBaselineAndGrowWider) {
  const auto kernels = KernelsOfThisCpu();
  ASSERT_FALSE(kernels.empty());
  EXPECT_EQ(kernels.front()->vector_bits, 128u);
  for (std::size_t i = 1; i < kernels.size(); ++i) {
    EXPECT_GT(kernels[i]->vector_bits, kernels[i - 1]->vector_bits);
  }
  EXPECT_EQ(VectorBits(), kernels.back()->vector_bits);
  const ForcedKernels narrow(*kernels.front());
  EXPECT_EQ(VectorBits(), 128u);
}

}  // namespace
}  // namespace corerig
