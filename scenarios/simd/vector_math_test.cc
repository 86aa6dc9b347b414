#include "scenarios/simd/vector_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "harness/base/philox.h"
#include "scenarios/simd/kernel_choice.h"

namespace corerig {
namespace {

class VectorMath : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const ForcedKernels forced_{*GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Kernels, VectorMath, ::testing::ValuesIn(KernelsOfThisCpu()),
                         [](const auto& test) { return std::to_string(test.param->vector_bits) + "bit"; });

// Evenly spread over (low, high), the same in every run.
std::vector<double> Values(std::size_t count, double low, double high, std::uint32_t stream) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(low + (high - low) * UniformOpen(RandomWords(1, stream, i)[0]));
  }
  return values;
}

double ExpOf(double x) {
  double out = 0;
  ExpAffine(0, 1, std::span(&x, 1), std::span(&out, 1));
  return out;
}

TEST_P(VectorMath, ExpIsWithinAnUlpOrTwoOfTheExactOne) {
  std::vector<double> x = Values(100'000, -708, 709, 1);
  for (const double small : Values(100'000, -1, 1, 2)) x.push_back(small);
  // Halves of log 2, where the exponent changes.
  for (int k = -2040; k <= 2040; ++k) x.push_back(k * 0.34657359027997264);
  for (const double at : {0.0, -0.0, 1e-300, -1e-20, -708.0, 709.0}) x.push_back(at);
  std::vector<double> out(x.size());
  ExpAffine(0, 1, x, out);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double exact = std::exp(static_cast<long double>(std::clamp(x[i], -708.0, 709.0)));
    const double error = static_cast<double>(std::abs(static_cast<long double>(out[i]) / exact - 1));
    ASSERT_LT(error, 5e-16) << "exp(" << x[i] << ")";
    worst = std::max(worst, error);
  }
  RecordProperty("worst", std::to_string(worst * 1e16) + "e-16");
  EXPECT_EQ(ExpOf(0), 1);
}

TEST_P(VectorMath, ExpSaturatesAndKeepsWhatIsNoNumber) {
  EXPECT_EQ(ExpOf(-1e308), ExpOf(-708));
  EXPECT_EQ(ExpOf(-INFINITY), ExpOf(-708));
  EXPECT_EQ(ExpOf(INFINITY), ExpOf(709));
  EXPECT_GT(ExpOf(-708), 0);
  EXPECT_TRUE(std::isfinite(ExpOf(709)));
  EXPECT_TRUE(std::isnan(ExpOf(std::nan(""))));
}

// For every length about a vector's, and nothing written beyond it.
TEST_P(VectorMath, EachOperationIsWhatALoopSays) {
  for (std::size_t n = 0; n < 40; ++n) {
    const auto a = Values(n + 1, -3, 3, 3), b = Values(n + 1, -1, 1, 4), c = Values(n + 1, -5, 5, 5);
    const std::span first(a.data(), n);
    std::vector<double> out(n + 1, 7), x = b, sum_x = c, sum_exp = a, ramp = a;
    ExpAffine(0.5, -2, first, out);
    Walk(0.25, 3, first, x, sum_x, sum_exp);
    Ramp(-2, 0.5, std::span(ramp).first(n));
    long double sum = 0, dot = 0;
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(out[i], std::exp(0.5 - 2 * a[i]), 1e-14 * out[i]);
      const double here = b[i] + (a[i] * 3 + 0.25);
      EXPECT_NEAR(x[i], here, 1e-14);
      EXPECT_NEAR(sum_x[i], c[i] + here, 1e-14);
      EXPECT_NEAR(sum_exp[i], a[i] + std::exp(here), 1e-14 * (3 + std::exp(here)));
      EXPECT_EQ(ramp[i], std::max(-2 * (a[i] - 0.5), 0.0));
      sum += a[i];
      dot += static_cast<long double>(a[i]) * b[i];
    }
    EXPECT_EQ(out[n], 7);
    EXPECT_EQ(x[n], b[n]);
    EXPECT_EQ(sum_x[n], c[n]);
    EXPECT_EQ(sum_exp[n], a[n]);
    EXPECT_EQ(ramp[n], a[n]);
    EXPECT_NEAR(Sum(first), static_cast<double>(sum), 1e-13);
    EXPECT_NEAR(Dot(first, b), static_cast<double>(dot), 1e-13);
  }
  const double not_a_number = std::nan("");
  std::vector<double> values(9, 1);
  values[4] = not_a_number;
  Ramp(1, 0, values);
  EXPECT_TRUE(std::isnan(values[4]));
  EXPECT_TRUE(std::isnan(Sum(values)));
}

TEST_P(VectorMath, SumsOfManyTermsAreExactToThirteenDigits) {
  const auto x = Values(100'003, 0, 1, 6);
  long double sum = 0, dot = 0;
  for (const double value : x) sum += value, dot += static_cast<long double>(value) * value;
  EXPECT_NEAR(Sum(x) / static_cast<double>(sum), 1, 1e-13);
  EXPECT_NEAR(Dot(x, x) / static_cast<double>(dot), 1, 1e-13);
}

TEST_P(VectorMath, PointsInTheCircleAreCountedAsALoopCountsThem) {
  for (std::size_t n = 0; n < 200; ++n) {
    const auto x = Values(n, 0, 1, 7), y = Values(n, 0, 1, 8);
    std::uint64_t inside = 0;
    for (std::size_t i = 0; i < n; ++i) inside += x[i] * x[i] + y[i] * y[i] < 1;
    EXPECT_EQ(CountInCircle(x, y), inside) << n;
  }
  // The rim is outside; points next to it are where their squares, each rounded, put them.
  std::vector<double> x = {1, 0}, y = {0, 1};
  EXPECT_EQ(CountInCircle(x, y), 0u);
  std::uint64_t inside = 0, inside_if_fused = 0;
  x = Values(10'000, 0, 1, 9), y = x;
  for (double& value : y) {
    const double at = value;
    value = std::sqrt(1 - at * at);
    inside += at * at + value * value < 1;
    inside_if_fused += std::fma(at, at, value * value) < 1;
  }
  EXPECT_EQ(CountInCircle(x, y), inside);
  EXPECT_NE(inside, inside_if_fused) << "the data show nothing";
}

}  // namespace
}  // namespace corerig
