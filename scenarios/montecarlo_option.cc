#include "scenarios/montecarlo_option.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>

#include "harness/base/philox.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::uint32_t kStream = StreamId("montecarlo/option");
constexpr double kMostStandardErrors = 5;

// What a worker hands over: one per block (unit is the block), or one for the whole run (unit counts the blocks).
struct BlockSums {
  std::uint64_t unit = 0;
  double sum = 0;          // of discounted payoffs
  double sum_squares = 0;  // of their squares
};
static_assert(sizeof(BlockSums) == 24, "no padding: it is written as bytes");

Option OptionOf(const WorkerJob& job) {
  return {.spot = job.Number("spot"),
          .strike = job.Number("strike"),
          .interest = job.Number("interest"),
          .volatility = job.Number("volatility"),
          .maturity = job.Number("maturity"),
          .is_call = job.Word("kind") == "call"};
}

double NormalDistribution(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

class Pricer final : public Workload {
 public:
  explicit Pricer(const WorkerJob& job) : seed_(job.seed), keep_blocks_(job.units.has_value()), option_(OptionOf(job)) {
    const Option& o = option_;
    log_start_ = std::log(o.spot) + (o.interest - o.volatility * o.volatility / 2) * o.maturity;
    scale_ = o.volatility * std::sqrt(o.maturity);
    discount_ = std::exp(-o.interest * o.maturity);
    sign_ = o.is_call ? 1 : -1;
    if (keep_blocks_) blocks_.reserve(job.UnitsOfWorker());
  }

  void RunUnit(std::uint64_t unit) override {
    const BlockSums block = PriceBlock(unit);
    if (keep_blocks_) {
      blocks_.push_back(block);
    } else {
      ++total_.unit;
      total_.sum += block.sum;
      total_.sum_squares += block.sum_squares;
    }
  }

  std::size_t WriteResult(std::span<std::byte> out) const override {
    const std::span<const BlockSums> result = keep_blocks_ ? std::span(blocks_) : std::span(&total_, 1);
    std::ranges::copy(std::as_bytes(result), out.begin());
    return result.size_bytes();
  }

 private:
  // Four paths from each draw of four words. (Drawing in batches, with a loop for each stage, was measured: no faster
  // as long as the logarithms and sines are scalar.)
  BlockSums PriceBlock(std::uint64_t unit) const {
    constexpr std::uint64_t kDraws = kPathsPerBlock / 4;
    BlockSums block{.unit = unit};
    for (std::uint64_t draw = 0; draw < kDraws; ++draw) {
      for (const double normal : RandomNormals(seed_, kStream, unit * kDraws + draw)) {
        const double end = std::exp(log_start_ + scale_ * normal);
        const double payoff = discount_ * std::max(sign_ * (end - option_.strike), 0.0);
        block.sum += payoff;
        block.sum_squares += payoff * payoff;
      }
    }
    return block;
  }

  std::uint64_t seed_;
  bool keep_blocks_;
  Option option_;
  double log_start_, scale_, discount_, sign_;
  std::vector<BlockSums> blocks_;  // with fixed units
  BlockSums total_;                // without
};

Result<std::unique_ptr<Workload>> Make(const WorkerJob& job) {
  const std::string_view kind = job.Word("kind");
  if (kind != "call" && kind != "put") {
    return Fail("kind \"", kind, "\" is no option; write \"call\" or \"put\"");
  }
  if (job.units.value_or(0) > kMostBlocks) {
    return Fail("units = ", *job.units, " is more than this workload keeps; at most ", kMostBlocks,
                ", or leave units out to run for the duration");
  }
  const Expectation expected = BlackScholes(OptionOf(job));
  if (!std::isfinite(expected.price) || !std::isfinite(expected.standard_deviation)) {
    return Fail("this option's price overflows; interest and volatility are per year, as in 0.05 for 5 %");
  }
  return std::make_unique<Pricer>(job);
}

std::size_t ResultSize(const WorkerJob& job) {
  if (!job.units) return sizeof(BlockSums);
  return std::min(job.UnitsOfWorker(), kMostBlocks) * sizeof(BlockSums);
}

bool IsPlausible(const BlockSums& sums) {
  constexpr std::uint64_t kYearsOfWork = std::uint64_t{1} << 40;
  return sums.unit < kYearsOfWork && std::isfinite(sums.sum) && std::isfinite(sums.sum_squares) && sums.sum >= 0 &&
         sums.sum_squares >= 0;
}

// Every block of every worker in the order of the blocks, or an error that names the worker whose bytes are wrong.
Result<std::vector<BlockSums>> Gather(const WorkerJob& job, std::span<const WorkerResult> results) {
  std::vector<BlockSums> gathered;
  std::vector<bool> seen(job.workers);
  const auto workers = static_cast<std::uint64_t>(job.workers);
  for (const WorkerResult& result : results) {
    const auto wrong = [&](const auto&... what) {
      return Fail("worker ", job.group, ".", result.index, ": ", what...);
    };
    if (result.index < 0 || result.index >= job.workers) return wrong("there are only ", job.workers, " workers");
    if (seen[result.index]) return wrong("two results");
    seen[result.index] = true;
    if (result.bytes.size() % sizeof(BlockSums) != 0 || (!job.units && result.bytes.size() != sizeof(BlockSums))) {
      return wrong("a result of ", result.bytes.size(), " bytes, not of whole blocks");
    }
    const std::size_t first = gathered.size();
    gathered.resize(first + result.bytes.size() / sizeof(BlockSums));
    if (!result.bytes.empty()) std::memcpy(gathered.data() + first, result.bytes.data(), result.bytes.size());
    for (std::size_t i = first; i < gathered.size(); ++i) {
      const BlockSums& sums = gathered[i];
      if (!IsPlausible(sums)) return wrong("sums that no block of paths can have");
      if (!job.units) continue;
      if (sums.unit >= *job.units || sums.unit % workers != static_cast<std::uint64_t>(result.index)) {
        return wrong("block ", sums.unit, " is not this worker's");
      }
      if (i > first && sums.unit <= gathered[i - 1].unit) return wrong("block ", sums.unit, " is out of order");
    }
  }
  if (job.units) {
    std::sort(gathered.begin(), gathered.end(), [](const BlockSums& a, const BlockSums& b) { return a.unit < b.unit; });
  }
  return gathered;
}

std::string Digits(double value, std::chars_format format, int precision) {
  char buffer[64];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, format, precision);
  return error == std::errc{} ? std::string(buffer, end) : StrCat(value);
}

Result<Answer> Merge(const WorkerJob& job, std::span<const WorkerResult> results) {
  const auto gathered = Gather(job, results);
  if (!gathered) return Forward(gathered);
  Answer answer;
  double sum = 0, sum_squares = 0;
  for (const BlockSums& sums : *gathered) {
    answer.units += job.units ? 1 : sums.unit;
    sum += sums.sum;
    sum_squares += sums.sum_squares;
  }
  if (answer.units == 0) return Fail("worker ", job.group, ": no block of paths was finished");

  const Option option = OptionOf(job);
  const Expectation expected = BlackScholes(option);
  const double paths = static_cast<double>(answer.units) * static_cast<double>(kPathsPerBlock);
  const double price = sum / paths;
  const double variance = std::max((sum_squares - sum * price) / (paths - 1), 0.0);
  const double standard_error = std::sqrt(variance / paths);
  // Where next to no path pays, the sample knows nothing of its spread and the model does; where the spread is next to
  // nothing, rounding is more.
  const double yardstick =
      std::max({standard_error, expected.standard_deviation / std::sqrt(paths), 1e-12 * (option.spot + option.strike)});
  const double deviation = std::abs(price - expected.price) / yardstick;

  answer.figures = {{"price", price, ""},
                    {"standard_error", standard_error, ""},
                    {"paths", paths, "paths"},
                    {"black_scholes", expected.price, ""},
                    {"deviation", deviation, "standard errors"}};
  answer.check = CheckRecord{
      .passed = deviation <= kMostStandardErrors,
      .text = StrCat(Digits(price, std::chars_format::general, 6), " is ",
                     Digits(deviation, std::chars_format::fixed, 1), " standard errors from Black-Scholes ",
                     Digits(expected.price, std::chars_format::general, 6), " (limit ", kMostStandardErrors, ")")};
  return answer;
}

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
  return {.info = {.name = "montecarlo/option",
                   .about = "prices a European option by Monte Carlo and checks it against Black-Scholes",
                   .unit = "block of 16384 paths",
                   .parameters = {{"spot", Kind::kPositiveNumber, "100", "price of the share today"},
                                  {"strike", Kind::kPositiveNumber, "105", "price the option buys or sells at"},
                                  {"interest", Kind::kNumber, "0.05", "per year, continuous"},
                                  {"volatility", Kind::kPositiveNumber, "0.2", "per square root of a year"},
                                  {"maturity", Kind::kPositiveNumber, "1", "years"},
                                  {"kind", Kind::kWord, "call", "\"call\" or \"put\""}}},
          .make = Make,
          .result_size = ResultSize,
          .merge = Merge};
}

}  // namespace corerig
