#include "scenarios/montecarlo_option.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "harness/base/philox.h"
#include "scenarios/monte_carlo.h"
#include "scenarios/simd/random_fill.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("montecarlo/option");

Option OptionOf(const WorkerJob& job) {
  return {.spot = job.Number("spot"),
          .strike = job.Number("strike"),
          .interest = job.Number("interest"),
          .volatility = job.Number("volatility"),
          .maturity = job.Number("maturity"),
          .is_call = job.Word("kind") == "call"};
}

double NormalDistribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

class Pricer {
 public:
  static constexpr std::size_t kSums = 2;  // of discounted payoffs, and of their squares

  static Result<Pricer> Make(const WorkerJob& job) {
    const std::string_view kind = job.Word("kind");
    if (kind != "call" && kind != "put") {
      return Fail("kind \"", kind, "\" is no option; write \"call\" or \"put\"");
    }
    const Expectation expected = BlackScholes(OptionOf(job));
    if (!std::isfinite(expected.price) || !std::isfinite(expected.standard_deviation)) {
      return Fail("this option's price overflows; interest and volatility are per year, as in 0.05 for 5 %");
    }
    return Pricer(job);
  }

  static std::uint32_t VectorBits() { return corerig::VectorBits(); }

  void Block(std::uint64_t block, std::span<double> sums) {
    FillNormals(seed_, kStream, block * kPathsPerBlock / 4, normals_);
    for (const double normal : normals_) {
      const double end = std::exp(log_start_ + scale_ * normal);
      const double payoff = discount_ * std::max(sign_ * (end - option_.strike), 0.0);
      sums[0] += payoff;
      sums[1] += payoff * payoff;
    }
  }

  static Result<Answer> Conclude(const WorkerJob& job, const Tally& tally) {
    const Option option = OptionOf(job);
    const Expectation expected = BlackScholes(option);
    const double paths = static_cast<double>(tally.units) * static_cast<double>(kPathsPerBlock);
    const MeanOf price(paths, tally.sums[0].Value(), tally.sums[1].Value());
    // Where next to no path pays, the sample knows nothing of its spread and the model does; where the spread is next
    // to nothing, rounding is more.
    const double yardstick = std::max(
        {price.standard_error, expected.standard_deviation / std::sqrt(paths), 1e-12 * (option.spot + option.strike)});
    return Answer{.units = tally.units,
                  .figures = {{"price", price.mean, ""},
                              {"standard_error", price.standard_error, ""},
                              {"paths", paths, "paths"},
                              {"black_scholes", expected.price, ""},
                              {"deviation", std::abs(price.mean - expected.price) / yardstick, "standard errors"},
                              VectorWidth(tally)},
                  .check = CheckAgainst("Black-Scholes", price.mean, expected.price, yardstick)};
  }

 private:
  explicit Pricer(const WorkerJob& job) : seed_(job.seed), option_(OptionOf(job)), normals_(kPathsPerBlock) {
    const Option& o = option_;
    log_start_ = std::log(o.spot) + (o.interest - o.volatility * o.volatility / 2) * o.maturity;
    scale_ = o.volatility * std::sqrt(o.maturity);
    discount_ = std::exp(-o.interest * o.maturity);
    sign_ = o.is_call ? 1 : -1;
  }

  std::uint64_t seed_;
  Option option_;
  double log_start_, scale_, discount_, sign_;
  std::vector<double> normals_;
};

}  // namespace

Expectation BlackScholes(const Option& o) {
  const double deviation = o.volatility * std::sqrt(o.maturity);
  const double growth = std::exp(o.interest * o.maturity);
  const double d1 = (std::log(o.spot / o.strike) + o.interest * o.maturity) / deviation + deviation / 2;
  const double d2 = d1 - deviation;
  const double sign = o.is_call ? 1 : -1;
  // Means over the ends that pay, discounted: of 1, of S_T (in units of the spot), of its square (likewise, but for the
  // factor exp(v^2 T)).
  const double none = NormalDistribution(sign * d2);
  const double first = NormalDistribution(sign * d1);
  const double second = NormalDistribution(sign * (d1 + deviation));
  const double strike = o.strike / growth;
  const double price = sign * (o.spot * first - strike * none);
  const double mean_square =
      o.spot * o.spot * std::exp(deviation * deviation) * second - 2 * o.spot * strike * first + strike * strike * none;
  return {.price = price, .standard_deviation = std::sqrt(std::max(mean_square - price * price, 0.0))};
}

WorkloadType MonteCarloOption() {
  using Kind = ParameterInfo::Kind;
  return MonteCarlo<Pricer>(
      {.name = "montecarlo/option",
       .about = "prices a European option by Monte Carlo and checks it against Black-Scholes",
       .unit = "block of 16384 paths",
       .parameters = {{"spot", Kind::kPositiveNumber, "100", "price of the share today"},
                      {"strike", Kind::kPositiveNumber, "105", "price the option buys or sells at"},
                      {"interest", Kind::kNumber, "0.05", "per year, continuous"},
                      {"volatility", Kind::kPositiveNumber, "0.2", "per square root of a year"},
                      {"maturity", Kind::kPositiveNumber, "1", "years"},
                      {"kind", Kind::kWord, "call", "\"call\" or \"put\""}}});
}

}  // namespace corerig
