#include "scenarios/montecarlo_option.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "harness/base/philox.h"
#include "harness/base/text.h"
#include "scenarios/simd/kernel_choice.h"
#include "scenarios/workloads.h"

namespace corerig {
namespace {

const WorkloadType kWorkload = MonteCarloOption();

WorkerJob Job(std::optional<std::uint64_t> units, int workers = 1, std::uint64_t seed = 42) {
  WorkerJob job{.group = "price", .index = 0, .workers = workers, .seed = seed, .units = units, .parameters = {}};
  for (const ParameterInfo& parameter : kWorkload.info.parameters) {
    job.parameters.push_back({std::string(parameter.name), std::string(parameter.default_value)});
  }
  return job;
}

WorkerJob With(WorkerJob job, std::string_view name, std::string_view value) {
  for (Parameter& parameter : job.parameters) {
    if (parameter.name == name) parameter.value = value;
  }
  return job;
}

using Bytes = std::vector<std::byte>;

// Runs worker `index` over its units (of `units` in all, also where the job is for a duration).
Bytes RunWorker(WorkerJob job, int index, std::uint64_t units) {
  job.index = index;
  auto workload = kWorkload.make(job, {});
  EXPECT_TRUE(workload.has_value()) << workload.error().message;
  for (std::uint64_t unit = index; unit < units; unit += job.workers) (*workload)->RunUnit(unit);
  Bytes bytes(kWorkload.result_size(job));
  bytes.resize((*workload)->WriteResult(bytes));
  return bytes;
}

std::vector<Bytes> RunGroup(const WorkerJob& job, std::uint64_t units) {
  std::vector<Bytes> results;
  for (int index = 0; index < job.workers; ++index) results.push_back(RunWorker(job, index, units));
  return results;
}

// Merges results that arrive in `order` (indices of workers).
Result<Answer> Merge(const WorkerJob& job, const std::vector<Bytes>& results, const std::vector<int>& order) {
  std::vector<WorkerResult> arrived;
  for (const int index : order) arrived.push_back({index, results[index]});
  return kWorkload.merge(job, arrived);
}

std::vector<int> AllOf(const WorkerJob& job) {
  std::vector<int> order(job.workers);
  for (int index = 0; index < job.workers; ++index) order[index] = index;
  return order;
}

Answer Price(const WorkerJob& job, std::uint64_t units) {
  const auto answer = Merge(job, RunGroup(job, units), AllOf(job));
  if (!answer) {
    ADD_FAILURE() << answer.error().message;
    return {};
  }
  return *answer;
}

double FigureOf(const Answer& answer, std::string_view name) {
  for (const Figure& figure : answer.figures) {
    if (figure.name == name) return figure.value;
  }
  ADD_FAILURE() << "no figure " << name;
  return std::nan("");
}

std::vector<std::uint64_t> BitsOf(const Answer& answer) {
  std::vector<std::uint64_t> bits = {answer.units};
  for (const Figure& figure : answer.figures) bits.push_back(std::bit_cast<std::uint64_t>(figure.value));
  return bits;
}

std::string ErrorOf(const Result<Answer>& answer) { return answer ? "no error" : answer.error().message; }

TEST(Workloads, NamesAreDistinctAndEveryPartIsThere) {
  std::set<std::string_view> names;
  for (const WorkloadType& workload : AllWorkloads()) {
    EXPECT_TRUE(names.insert(workload.info.name).second) << workload.info.name;
    EXPECT_FALSE(workload.info.about.empty()) << workload.info.name;
    EXPECT_FALSE(workload.info.unit.empty()) << workload.info.name;
    EXPECT_TRUE(workload.make && workload.result_size && workload.merge) << workload.info.name;
  }
  EXPECT_TRUE(names.count("montecarlo/option"));
}

// The textbook case S = K = 100, r = 5 %, v = 20 %, T = 1 (10.4506 and 5.5735); and Hull,
// "Options, Futures, and Other Derivatives", example 15.6: S = 42, K = 40, r = 10 %, v = 20 %, T = 0.5: 4.76 and 0.81.
TEST(BlackScholes, GivesThePricesOfTheLiterature) {
  EXPECT_NEAR(BlackScholes({100, 100, 0.05, 0.2, 1, true}).price, 10.450583572185565, 1e-12);
  EXPECT_NEAR(BlackScholes({100, 100, 0.05, 0.2, 1, false}).price, 5.573526022256971, 1e-12);
  EXPECT_NEAR(BlackScholes({42, 40, 0.1, 0.2, 0.5, true}).price, 4.76, 0.005);
  EXPECT_NEAR(BlackScholes({42, 40, 0.1, 0.2, 0.5, false}).price, 0.81, 0.005);
}

TEST(BlackScholes, CallLessPutIsSpotLessDiscountedStrike) {
  for (const double strike : {50.0, 100.0, 105.0, 200.0}) {
    for (const double interest : {-0.01, 0.0, 0.05}) {
      const double call = BlackScholes({100, strike, interest, 0.3, 2, true}).price;
      const double put = BlackScholes({100, strike, interest, 0.3, 2, false}).price;
      EXPECT_NEAR(call - put, 100 - strike * std::exp(-2 * interest), 1e-10) << strike << " " << interest;
    }
  }
}

TEST(BlackScholes, StandardDeviationIsThatOfTheSample) {
  for (const char* kind : {"call", "put"}) {
    const WorkerJob job = With(Job(32), "kind", kind);
    const Answer answer = Price(job, 32);
    const double sample = FigureOf(answer, "standard_error") * std::sqrt(FigureOf(answer, "paths"));
    const double model = BlackScholes({100, 105, 0.05, 0.2, 1, std::string_view(kind) == "call"}).standard_deviation;
    EXPECT_NEAR(sample / model, 1, 0.01) << kind;
  }
}

TEST(MonteCarloOption, AnswerIsTheSameToTheLastBitForAnyNumberOfWorkers) {
  constexpr std::uint64_t kUnits = 23;
  const auto expected = BitsOf(Price(Job(kUnits, 1), kUnits));
  for (const int workers : {2, 3, 7}) {
    EXPECT_EQ(BitsOf(Price(Job(kUnits, workers), kUnits)), expected) << workers << " workers";
  }
}

TEST(MonteCarloOption, ARunForADurationAgreesWithOneOfFixedUnits) {
  const Answer fixed = Price(Job(20, 3), 20), running = Price(Job(std::nullopt, 3), 20);
  EXPECT_EQ(running.units, 20u);
  EXPECT_EQ(running.units, fixed.units);
  for (const Figure& figure : fixed.figures) {
    EXPECT_EQ(FigureOf(running, figure.name), figure.value) << figure.name;
  }
}

TEST(MonteCarloOption, TheAnswerOfTheSurvivorsSaysOverHowManyUnits) {
  const WorkerJob job = Job(20, 3);
  const auto results = RunGroup(job, 20);
  const auto answer = Merge(job, results, {2, 0});
  ASSERT_TRUE(answer.has_value()) << ErrorOf(answer);
  EXPECT_EQ(answer->units, 13u);  // 7 of worker 0, 6 of worker 2
  EXPECT_EQ(FigureOf(*answer, "paths"), 13 * 16384.0);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
  EXPECT_EQ(ErrorOf(Merge(job, results, {})), "worker price: no unit of work was finished");
}

TEST(MonteCarloOption, CheckSaysHowFarThePriceIsFromBlackScholes) {
  const Answer answer = Price(Job(16), 16);
  ASSERT_TRUE(answer.check.has_value());
  EXPECT_TRUE(answer.check->passed) << answer.check->text;
  EXPECT_NE(answer.check->text.find(" standard errors from Black-Scholes 8.02135 (limit 5)"), std::string::npos)
      << answer.check->text;
  const double deviation =
      std::abs(FigureOf(answer, "price") - FigureOf(answer, "black_scholes")) / FigureOf(answer, "standard_error");
  EXPECT_NEAR(FigureOf(answer, "deviation"), deviation, 0.02 * deviation);
}

TEST(MonteCarloOption, CheckFailsBeyondFiveStandardErrors) {
  // Each payoff higher by a share: 2 % of 8.02 are 6.2 standard errors of 262144 paths, 1 % are 3.1.
  const auto shifted = [](double share) {
    const double mean = 8.021352235143176, deviation = 13.2, price = mean * (1 + share);
    Tally tally{.units = 16, .vector_bits = 128, .sums = std::vector<ExactSum>(7)};
    tally.sums[0].Add(16 * 16384 * price);
    tally.sums[1].Add(16 * 16384 * (deviation * deviation + price * price));
    const auto answer = kWorkload.conclude(Job(16), tally);
    EXPECT_TRUE(answer.has_value()) << ErrorOf(answer);
    return *answer->check;
  };
  EXPECT_TRUE(shifted(0.01).passed) << shifted(0.01).text;
  EXPECT_FALSE(shifted(0.02).passed) << shifted(0.02).text;
  EXPECT_FALSE(shifted(-0.02).passed) << shifted(-0.02).text;
}

TEST(MonteCarloOption, ErrorsOverSeedsAreStandardNormal) {
  constexpr int kSeeds = 200;
  double sum = 0, squares = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const WorkerJob job = With(Job(2, 1, seed), "kind", seed % 2 == 0 ? "call" : "put");
    const Answer answer = Price(job, 2);
    const double z =
        (FigureOf(answer, "price") - FigureOf(answer, "black_scholes")) / FigureOf(answer, "standard_error");
    EXPECT_TRUE(answer.check->passed) << "seed " << seed << ": " << answer.check->text;
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / kSeeds, 0, 4 / std::sqrt(kSeeds));
  EXPECT_NEAR(squares / kSeeds, 1, 4 * std::sqrt(2.0 / kSeeds));  // the variance of a chi-square is twice its degrees
}

TEST(MonteCarloOption, AnOptionThatNextToNeverPaysPassesItsCheck) {
  // One path in 20 million ends above 300: none of these does, and the sample's standard error is 0.
  const Answer answer = Price(With(Job(4), "strike", "300"), 4);
  EXPECT_EQ(FigureOf(answer, "standard_error"), 0);
  EXPECT_TRUE(answer.check->passed) << answer.check->text;
  const Answer certain = Price(With(Job(4), "volatility", "1e-9"), 4);
  EXPECT_TRUE(certain.check->passed) << certain.check->text;
  EXPECT_NEAR(FigureOf(certain, "price"), 100 - 105 * std::exp(-0.05), 1e-6);
}

WorkerJob Asian(WorkerJob job, std::string_view dates = "12") {
  return With(With(std::move(job), "style", "asian"), "dates", dates);
}

// The sums of the first block, path by path, with nothing but the scalar generator and the standard library.
TEST(MonteCarloOption, ABlockIsWhatItsPathsAddUpTo) {
  for (const char* kind : {"call", "put"}) {
    for (const int dates : {0, 1, 3}) {
      WorkerJob job = With(Job(3), "kind", kind);
      if (dates > 0) job = Asian(job, StrCat(dates));
      constexpr std::uint64_t kBlock = 2;
      const std::uint64_t paths = dates > 0 ? 1024 : 16384;
      const double r = 0.05, v = 0.2, sign = std::string_view(kind) == "call" ? 1 : -1;
      const int steps = std::max(dates, 1);
      long double payoffs = 0, squares = 0, geometric_payoffs = 0, products = 0, means = 0;
      for (std::uint64_t path = 0; path < paths; ++path) {
        double log = std::log(100), sum = 0, sum_logs = 0;
        for (int step = 0; step < steps; ++step) {
          const auto normals = RandomNormals(42, StreamId("montecarlo/option"), (kBlock * paths + path) / 4,
                                             static_cast<unsigned>(step));
          log += (r - v * v / 2) / steps + v / std::sqrt(steps) * normals[path % 4];
          sum += std::exp(log);
          sum_logs += log;
        }
        const auto payoff = [&](double price) { return std::exp(-r) * std::max(sign * (price - 105), 0.0); };
        const double arithmetic = payoff(sum / steps), geometric = payoff(std::exp(sum_logs / steps));
        payoffs += arithmetic;
        squares += arithmetic * arithmetic;
        geometric_payoffs += geometric;
        products += arithmetic * geometric;
        means += sum / steps;
      }
      for (const Kernels* kernels : KernelsOfThisCpu()) {
        const ForcedKernels forced(*kernels);
        auto workload = kWorkload.make(job, {});
        ASSERT_TRUE(workload.has_value()) << workload.error().message;
        (*workload)->RunUnit(kBlock);
        Bytes bytes(kWorkload.result_size(job));
        bytes.resize((*workload)->WriteResult(bytes));
        const auto tally = ReadTally(bytes, 7);
        ASSERT_TRUE(tally.has_value()) << tally.error().message;
        EXPECT_EQ(tally->vector_bits, kernels->vector_bits);
        const auto expect = [&](std::size_t sum, long double expected) {
          EXPECT_NEAR(tally->sums[sum].Value() / static_cast<double>(expected), 1, 1e-12)
              << "sum " << sum << " of a " << kind << " over " << dates << " dates, " << kernels->name;
        };
        expect(0, payoffs);
        expect(1, squares);
        if (dates == 0) continue;
        expect(2, geometric_payoffs);
        expect(4, products);
        expect(5, means);
      }
    }
  }
}

TEST(MonteCarloOption, AnswersOfAllVectorWidthsAgreeToTwelveDigits) {
  for (const WorkerJob& job : {Job(8), Asian(Job(8), "7")}) {
    std::vector<Answer> answers;
    for (const Kernels* kernels : KernelsOfThisCpu()) {
      const ForcedKernels forced(*kernels);
      answers.push_back(Price(job, 8));
      EXPECT_EQ(FigureOf(answers.back(), "vector_width"), kernels->vector_bits);
    }
    for (const Figure& figure : answers.front().figures) {
      if (figure.name == "vector_width" || figure.name == "deviation") continue;
      for (const Answer& other : answers) {
        EXPECT_NEAR(FigureOf(other, figure.name) / figure.value, 1, 1e-12) << figure.name;
      }
    }
  }
}

TEST(AsianOption, OfOneDateIsTheEuropeanOption) {
  for (const bool is_call : {true, false}) {
    const Option option{100, 105, 0.05, 0.2, 1, is_call, 1};
    EXPECT_NEAR(GeometricAsian(option).price, BlackScholes(option).price, 1e-12);
    EXPECT_NEAR(GeometricAsian(option).standard_deviation, BlackScholes(option).standard_deviation, 1e-12);
  }
  // S_T is log-normal: mean S exp(r T), variance S^2 exp(2 r T) (exp(v^2 T) - 1).
  const Expectation end = ArithmeticMean({100, 105, 0.05, 0.2, 1, true, 1});
  EXPECT_NEAR(end.price, 100 * std::exp(0.05), 1e-12);
  EXPECT_NEAR(end.standard_deviation, 100 * std::exp(0.05) * std::sqrt(std::expm1(0.04)), 1e-12);
}

// Sums over all pairs of dates, as the definitions have it, in place of the closed sums.
TEST(AsianOption, MomentsAreThoseOfAllPairsOfDates) {
  const Option o{90, 100, 0.03, 0.4, 2, true, 5};
  double mean_time = 0, mean_least_time = 0, mean = 0, mean_product = 0;
  for (int i = 1; i <= 5; ++i) {
    const double ti = 2.0 * i / 5;
    mean_time += ti / 5;
    mean += 90 * std::exp(0.03 * ti) / 5;
    for (int j = 1; j <= 5; ++j) {
      const double tj = 2.0 * j / 5;
      mean_least_time += std::min(ti, tj) / 25;
      mean_product += 90 * 90 * std::exp(0.03 * (ti + tj) + 0.16 * std::min(ti, tj)) / 25;
    }
  }
  EXPECT_NEAR(ArithmeticMean(o).price, mean, 1e-11);
  EXPECT_NEAR(ArithmeticMean(o).standard_deviation, std::sqrt(mean_product - mean * mean), 1e-9);
  // The geometric mean is log-normal: what its option is worth follows from Black and Scholes' formula with the spot,
  // the volatility and the interest that give its mean and variance at T = 2.
  const double log_mean = std::log(90.0) + (0.03 - 0.08) * mean_time, variance = 0.16 * mean_least_time;
  const Option same{std::exp(log_mean + variance / 2 - 0.03 * 2), 100, 0.03, std::sqrt(variance / 2), 2, true, 0};
  EXPECT_NEAR(GeometricAsian(o).price, BlackScholes(same).price, 1e-11);
}

// The case that Levy and Turnbull ("Average intelligence", 1992) made the usual one: S = K = 100, r = 9 %, T = 1.
// Lower and upper bounds of the continuous average (Rogers and Shi 1995, v = 30 %: 8.8275 and 8.8333); 1000 dates lie
// above it by about half an interval's worth, 0.007.
TEST(AsianOption, HasThePriceOfTheLiterature) {
  const WorkerJob job =
      With(With(With(Asian(Job(40), "1000"), "strike", "100"), "interest", "0.09"), "volatility", "0.3");
  const Answer answer = Price(job, 40);
  EXPECT_TRUE(answer.check->passed) << answer.check->text;
  EXPECT_NEAR(FigureOf(answer, "price"), 8.8287 + 0.007, 5 * FigureOf(answer, "standard_error") + 0.003);
}

TEST(AsianOption, ControlTakesMostOfTheErrorAndSaysHowMuchIsLeft) {
  double sum = 0, squares = 0;
  constexpr int kSeeds = 60;
  const double reference = FigureOf(Price(Asian(Job(2000)), 2000), "price");
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Answer answer = Price(Asian(Job(4, 1, 1000 + seed)), 4);
    EXPECT_TRUE(answer.check->passed) << "seed " << seed << ": " << answer.check->text;
    EXPECT_LT(FigureOf(answer, "standard_error"), 0.05 * FigureOf(answer, "standard_error_without_control"));
    const double z = (FigureOf(answer, "price") - reference) / FigureOf(answer, "standard_error");
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / kSeeds, 0, 5 / std::sqrt(kSeeds));
  EXPECT_NEAR(squares / kSeeds, 1, 5 * std::sqrt(2.0 / kSeeds));
}

TEST(AsianOption, CallsAndPutsOfAllShapesPassTheirCheck) {
  for (const char* kind : {"call", "put"}) {
    for (const char* strike : {"1", "90", "300"}) {
      for (const char* volatility : {"1e-9", "0.2", "2"}) {
        const WorkerJob job =
            With(With(With(Asian(Job(8), "5"), "kind", kind), "strike", strike), "volatility", volatility);
        const Answer answer = Price(job, 8);
        EXPECT_TRUE(answer.check->passed) << kind << " " << strike << " " << volatility << ": " << answer.check->text;
        for (const Figure& figure : answer.figures) EXPECT_TRUE(std::isfinite(figure.value)) << figure.name;
      }
    }
  }
}

// 16 blocks of 1024 paths: a geometric payoff has a deviation of 6.2, the mean price one of 12.
TEST(AsianOption, CheckFailsIfTheGeometricPriceOrTheMeanIsOff) {
  const WorkerJob job = Asian(Job(16));
  std::vector<std::vector<std::byte>> results = RunGroup(job, 16);
  const auto with = [&](std::size_t sum, double share) {
    auto tally = ReadTally(results[0], 7);
    EXPECT_TRUE(tally.has_value());
    tally->sums[sum].Add(tally->sums[sum].Value() * share);
    return *kWorkload.conclude(job, *tally)->check;
  };
  EXPECT_TRUE(with(2, 0).passed) << with(2, 0).text;
  EXPECT_FALSE(with(2, 0.15).passed) << with(2, 0.15).text;
  EXPECT_FALSE(with(2, -0.15).passed) << with(2, -0.15).text;
  EXPECT_FALSE(with(5, 0.01).passed) << with(5, 0.01).text;
  EXPECT_NE(with(5, 0.01).text.find("the exact mean of the average price"), std::string::npos);
}

TEST(MonteCarloOption, ParametersThatMakeNoOptionAreRefused) {
  const auto refusal = [](const WorkerJob& job) {
    const auto workload = kWorkload.make(job, {});
    return workload ? "accepted" : workload.error().message;
  };
  EXPECT_EQ(refusal(Job(1)), "accepted");
  EXPECT_EQ(refusal(With(Job(1), "kind", "Call")), "kind \"Call\" is no option; write \"call\" or \"put\"");
  EXPECT_EQ(refusal(With(Job(1), "volatility", "50")),
            "this option's price overflows; interest and volatility are per year, as in 0.05 for 5 %");
  EXPECT_EQ(refusal(With(Job(1), "style", "american")),
            "style \"american\" is no option; write \"european\" or \"asian\"");
  EXPECT_EQ(refusal(Asian(Job(1), "1000")), "accepted");
  EXPECT_EQ(refusal(Asian(Job(1), "0")), "dates is 0; an average is over 1 to 1000 dates");
  EXPECT_EQ(refusal(Asian(Job(1), "1001")), "dates is 1001; an average is over 1 to 1000 dates");
}

}  // namespace
}  // namespace corerig
