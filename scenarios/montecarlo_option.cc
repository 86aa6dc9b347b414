#include "scenarios/montecarlo_option.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "scenarios/monte_carlo.h"
#include "scenarios/simd/random_fill.h"
#include "scenarios/simd/vector_math.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("montecarlo/option");

Option OptionOf(const WorkerJob& job) {
  return {.spot = job.Number("spot"),
          .strike = job.Number("strike"),
          .interest = job.Number("interest"),
          .volatility = job.Number("volatility"),
          .maturity = job.Number("maturity"),
          .is_call = job.Word("kind") == "call",
          .dates = job.Word("style") == "asian" ? static_cast<int>(job.Number("dates")) : 0};
}

std::uint64_t PathsPerBlock(const Option& option) { return option.dates == 0 ? kPathsPerBlock : kAsianPathsPerBlock; }

double Slope(const Option& o) { return (o.is_call ? 1 : -1) * std::exp(-o.interest * o.maturity); }

double NormalDistribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

// Of the discounted payoff of an option on exp(X), X normal. Means over the values that pay, of 1, of the value and of
// its square: these are exp(k mean + k^2 deviation^2 / 2) times the share of a normal variable that pays.
Expectation OnLogNormal(const Option& o, double mean, double deviation) {
  const double sign = o.is_call ? 1 : -1;
  const double d = (mean - std::log(o.strike)) / deviation;
  const double discount = std::exp(-o.interest * o.maturity);
  const auto part = [&](double k) {
    return std::exp(k * mean + k * k * deviation * deviation / 2) * NormalDistribution(sign * (d + k * deviation));
  };
  const double price = sign * discount * (part(1) - o.strike * part(0));
  const double mean_square = discount * discount * (part(2) - 2 * o.strike * part(1) + o.strike * o.strike * part(0));
  return {.price = price, .standard_deviation = std::sqrt(std::max(mean_square - price * price, 0.0))};
}

enum Sums : std::size_t {
  kPayoff,
  kPayoffSquare,
  kGeometric,
  kGeometricSquare,
  kProduct,
  kMean,
  kMeanSquare,
  kSumsInAll
};

class Pricer {
 public:
  static constexpr std::size_t kSums = kSumsInAll;  // a European option has the first two

  static Result<Pricer> Make(const WorkerJob& job) {
    const std::string_view kind = job.Word("kind"), style = job.Word("style");
    if (kind != "call" && kind != "put") {
      return Fail("kind \"", kind, "\" is no option; write \"call\" or \"put\"");
    }
    if (style != "european" && style != "asian") {
      return Fail("style \"", style, "\" is no option; write \"european\" or \"asian\"");
    }
    if (const double dates = job.Number("dates"); !(dates >= 1 && dates <= kMostDates)) {
      return Fail("dates is ", job.Word("dates"), "; an average is over 1 to ", kMostDates, " dates");
    }
    // The end varies more than any average.
    const Expectation expected = BlackScholes(OptionOf(job));
    if (!std::isfinite(expected.price) || !std::isfinite(expected.standard_deviation)) {
      return Fail("this option's price overflows; interest and volatility are per year, as in 0.05 for 5 %");
    }
    return Pricer(job);
  }

  static std::uint32_t VectorBits() { return corerig::VectorBits(); }

  void Block(std::uint64_t block, std::span<double> sums) {
    if (option_.dates > 0) return AsianBlock(block, sums);
    const Option& o = option_;
    const double log_start = std::log(o.spot) + (o.interest - o.volatility * o.volatility / 2) * o.maturity;
    for (std::uint64_t path = 0; path < kPathsPerBlock; path += kChunk) {
      FillNormals(seed_, kStream, (block * kPathsPerBlock + path) / 4, normals_);
      ExpAffine(log_start, o.volatility * std::sqrt(o.maturity), normals_, prices_);
      Ramp(slope_, o.strike, prices_);
      sums[kPayoff] += Sum(prices_);
      sums[kPayoffSquare] += Dot(prices_, prices_);
    }
  }

  static Result<Answer> Conclude(const WorkerJob& job, const Tally& tally) {
    const Option option = OptionOf(job);
    const double paths = static_cast<double>(tally.units) * static_cast<double>(PathsPerBlock(option));
    return option.dates > 0 ? ConcludeAsian(option, tally, paths) : ConcludeEuropean(option, tally, paths);
  }

 private:
  static constexpr std::uint64_t kChunk = kAsianPathsPerBlock;  // stays in the first cache
  static_assert(kPathsPerBlock % kChunk == 0);

  explicit Pricer(const WorkerJob& job)
      : seed_(job.seed), option_(OptionOf(job)), slope_(Slope(option_)), normals_(kChunk), prices_(kChunk) {
    if (option_.dates == 0) return;
    logs_.resize(kChunk);
    sums_of_logs_.resize(kChunk);
  }

  void AsianBlock(std::uint64_t block, std::span<double> sums) {
    const Option& o = option_;
    const double interval = o.maturity / o.dates;
    const double drift = (o.interest - o.volatility * o.volatility / 2) * interval;
    std::fill(logs_.begin(), logs_.end(), std::log(o.spot));
    std::fill(sums_of_logs_.begin(), sums_of_logs_.end(), 0.0);
    std::fill(prices_.begin(), prices_.end(), 0.0);
    for (int date = 0; date < o.dates; ++date) {
      FillNormals(seed_, kStream, block * kChunk / 4, normals_, static_cast<std::uint32_t>(date));
      Walk(drift, o.volatility * std::sqrt(interval), normals_, logs_, sums_of_logs_, prices_);
    }
    sums[kMean] += Sum(prices_) / o.dates;
    sums[kMeanSquare] += Dot(prices_, prices_) / o.dates / o.dates;
    // prices_ are sums of as many: the strike is that many times as high.
    Ramp(slope_ / o.dates, o.strike * o.dates, prices_);
    sums[kPayoff] += Sum(prices_);
    sums[kPayoffSquare] += Dot(prices_, prices_);
    std::vector<double>& geometric = sums_of_logs_;
    ExpAffine(0, 1.0 / o.dates, sums_of_logs_, geometric);
    Ramp(slope_, o.strike, geometric);
    sums[kGeometric] += Sum(geometric);
    sums[kGeometricSquare] += Dot(geometric, geometric);
    sums[kProduct] += Dot(prices_, geometric);
  }

  // The standard error that a check goes by. Where next to no path pays, the sample knows nothing of its spread and the
  // model does; where the spread is next to nothing, rounding is more.
  static double Yardstick(const Option& o, const MeanOf& mean, const Expectation& expected, double paths) {
    return std::max({mean.standard_error, expected.standard_deviation / std::sqrt(paths), 1e-12 * (o.spot + o.strike)});
  }

  static Answer ConcludeEuropean(const Option& option, const Tally& tally, double paths) {
    const Expectation expected = BlackScholes(option);
    const MeanOf price(paths, tally.sums[kPayoff].Value(), tally.sums[kPayoffSquare].Value());
    const double yardstick = Yardstick(option, price, expected, paths);
    return {.units = tally.units,
            .figures = {{"price", price.mean, ""},
                        {"standard_error", price.standard_error, ""},
                        {"paths", paths, "paths"},
                        {"black_scholes", expected.price, ""},
                        {"deviation", std::abs(price.mean - expected.price) / yardstick, "standard errors"},
                        VectorWidth(tally)},
            .check = CheckAgainst("Black-Scholes", price.mean, expected.price, yardstick)};
  }

  static Answer ConcludeAsian(const Option& option, const Tally& tally, double paths) {
    const auto sum = [&](Sums which) { return tally.sums[which].Value(); };
    const MeanOf plain(paths, sum(kPayoff), sum(kPayoffSquare));
    const MeanOf geometric(paths, sum(kGeometric), sum(kGeometricSquare));
    const MeanOf mean(paths, sum(kMean), sum(kMeanSquare));
    const Expectation geometric_exact = GeometricAsian(option), mean_exact = ArithmeticMean(option);
    // What the geometric price is off by, the arithmetic one is too, in proportion: subtracted, that leaves little.
    const double covariance = (sum(kProduct) - paths * plain.mean * geometric.mean) / (paths - 1);
    const double proportion = geometric.variance > 0 ? covariance / geometric.variance : 0;
    const double price = plain.mean - proportion * (geometric.mean - geometric_exact.price);
    const double variance = std::max(plain.variance - proportion * covariance, 0.0);

    const double geometric_yardstick = Yardstick(option, geometric, geometric_exact, paths);
    const double mean_yardstick = Yardstick(option, mean, mean_exact, paths);
    const CheckRecord checks[] = {
        CheckAgainst("the closed form of the option on the geometric mean", geometric.mean, geometric_exact.price,
                     geometric_yardstick),
        CheckAgainst("the exact mean of the average price", mean.mean, mean_exact.price, mean_yardstick)};
    const double deviation = std::max(std::abs(geometric.mean - geometric_exact.price) / geometric_yardstick,
                                      std::abs(mean.mean - mean_exact.price) / mean_yardstick);
    return {.units = tally.units,
            .figures = {{"price", price, ""},
                        {"standard_error", std::sqrt(variance / paths), ""},
                        {"paths", paths, "paths"},
                        {"standard_error_without_control", plain.standard_error, ""},
                        {"geometric", geometric.mean, ""},
                        {"geometric_exact", geometric_exact.price, ""},
                        {"average", mean.mean, ""},
                        {"average_exact", mean_exact.price, ""},
                        {"deviation", deviation, "standard errors"},
                        VectorWidth(tally)},
            .check = CheckRecord{.passed = checks[0].passed && checks[1].passed,
                                 .text = StrCat(checks[0].text, "; ", checks[1].text)}};
  }

  std::uint64_t seed_;
  Option option_;
  double slope_;
  std::vector<double> normals_, prices_;
  std::vector<double> logs_, sums_of_logs_;  // of an Asian option's paths
};

}  // namespace

Expectation BlackScholes(const Option& o) {
  const double mean = std::log(o.spot) + (o.interest - o.volatility * o.volatility / 2) * o.maturity;
  return OnLogNormal(o, mean, o.volatility * std::sqrt(o.maturity));
}

// The mean of the logarithms at times i T/n is normal: its variance is v^2 times the mean of min(t_i, t_j) over all i,
// j.
Expectation GeometricAsian(const Option& o) {
  const double n = o.dates;
  const double mean_time = o.maturity * (n + 1) / (2 * n);
  const double mean_least_time = o.maturity * (n + 1) * (2 * n + 1) / (6 * n * n);
  return OnLogNormal(o, std::log(o.spot) + (o.interest - o.volatility * o.volatility / 2) * mean_time,
                     o.volatility * std::sqrt(mean_least_time));
}

// E S_i = S exp(r t_i), E S_i S_j = S^2 exp(r (t_i + t_j) + v^2 min(t_i, t_j)).
Expectation ArithmeticMean(const Option& o) {
  double mean = 0, later = 0, covariance = 0;
  for (int i = o.dates; i > 0; --i) {
    const double t = o.maturity * i / o.dates;
    const double growth = std::exp(o.interest * t);
    mean += growth;
    covariance += std::expm1(o.volatility * o.volatility * t) * growth * (growth + 2 * later);
    later += growth;
  }
  return {.price = o.spot * mean / o.dates, .standard_deviation = o.spot * std::sqrt(covariance) / o.dates};
}

WorkloadType MonteCarloOption() {
  using Kind = ParameterInfo::Kind;
  return MonteCarlo<Pricer>(
      {.name = "montecarlo/option",
       .about = "prices a European or Asian option by Monte Carlo and checks it against closed forms",
       .unit = "block of 16384 paths, Asian: of 1024",
       .parameters = {{"spot", Kind::kPositiveNumber, "100", "price of the share today"},
                      {"strike", Kind::kPositiveNumber, "105", "price the option buys or sells at"},
                      {"interest", Kind::kNumber, "0.05", "per year, continuous"},
                      {"volatility", Kind::kPositiveNumber, "0.2", "per square root of a year"},
                      {"maturity", Kind::kPositiveNumber, "1", "years"},
                      {"kind", Kind::kWord, "call", "\"call\" or \"put\""},
                      {"style", Kind::kWord, "european",
                       "\"european\": of the price at the end; \"asian\": of the mean of prices"},
                      {"dates", Kind::kWholeNumber, "12", "prices that an Asian option takes the mean of"}}});
}

}  // namespace corerig
