#include "scenarios/montecarlo_option.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "harness/base/text.h"
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
    Tally tally{.units = 16, .vector_bits = 128, .sums = std::vector<ExactSum>(2)};
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

TEST(MonteCarloOption, ParametersThatMakeNoOptionAreRefused) {
  const auto refusal = [](const WorkerJob& job) {
    const auto workload = kWorkload.make(job, {});
    return workload ? "accepted" : workload.error().message;
  };
  EXPECT_EQ(refusal(Job(1)), "accepted");
  EXPECT_EQ(refusal(With(Job(1), "kind", "Call")), "kind \"Call\" is no option; write \"call\" or \"put\"");
  EXPECT_EQ(refusal(With(Job(1), "volatility", "50")),
            "this option's price overflows; interest and volatility are per year, as in 0.05 for 5 %");
}

}  // namespace
}  // namespace corerig
