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

// The layout of a result, as the test knows it.
struct Block {
  std::uint64_t unit;
  double sum, sum_squares;
};

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

Bytes BytesOf(const std::vector<Block>& blocks) {
  Bytes bytes(blocks.size() * sizeof(Block));
  if (!blocks.empty()) std::memcpy(bytes.data(), blocks.data(), bytes.size());
  return bytes;
}

// Runs worker `index` over its units (of `units` in all, also where the job is for a duration).
Bytes RunWorker(WorkerJob job, int index, std::uint64_t units) {
  job.index = index;
  auto workload = kWorkload.make(job);
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

TEST(MonteCarloOption, AnswerIsTheSameInWhateverOrderResultsArrive) {
  // Eight ones and 1e16: adding the ones first gives 1e16 + 8, adding them last gives 1e16, as each is half a unit in
  // the last place. Whoever merges in the order of arrival is seen.
  const WorkerJob job = Job(9, 3);
  const std::vector<Bytes> results = {BytesOf({{0, 1, 1}, {3, 1, 1}, {6, 1, 1}}),
                                      BytesOf({{1, 1, 1}, {4, 1, 1}, {7, 1, 1}}),
                                      BytesOf({{2, 1, 1}, {5, 1, 1}, {8, 1e16, 1}})};
  std::vector<int> order = {0, 1, 2};
  do {
    const auto answer = Merge(job, results, order);
    ASSERT_TRUE(answer.has_value()) << ErrorOf(answer);
    EXPECT_EQ(FigureOf(*answer, "price"), (1e16 + 8) / (9 * 16384.0)) << order[0] << order[1] << order[2];
  } while (std::next_permutation(order.begin(), order.end()));
  ASSERT_NE((1e16 + 8) / (9 * 16384.0), 1e16 / (9 * 16384.0)) << "the data show nothing";
}

TEST(MonteCarloOption, ABlockIsAFunctionOfSeedAndUnit) {
  const Bytes all = RunWorker(Job(6, 1), 0, 6), odd = RunWorker(Job(6, 2), 1, 6);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(std::memcmp(&odd[i * sizeof(Block)], &all[(2 * i + 1) * sizeof(Block)], sizeof(Block)), 0) << i;
  }
  EXPECT_NE(RunWorker(Job(6, 1, 43), 0, 6), all) << "another seed, other paths";
  std::set<double> sums;
  for (int i = 0; i < 6; ++i) {
    Block block;
    std::memcpy(&block, &all[i * sizeof(Block)], sizeof block);
    EXPECT_EQ(block.unit, static_cast<std::uint64_t>(i));
    sums.insert(block.sum);
  }
  EXPECT_EQ(sums.size(), 6u) << "blocks share paths";
}

TEST(MonteCarloOption, ARunForADurationAgreesWithOneOfFixedUnits) {
  const Answer fixed = Price(Job(20, 3), 20), running = Price(Job(std::nullopt, 3), 20);
  EXPECT_EQ(running.units, 20u);
  EXPECT_EQ(running.units, fixed.units);
  for (const Figure& figure : fixed.figures) {
    EXPECT_NEAR(FigureOf(running, figure.name), figure.value, 1e-9 * std::abs(figure.value)) << figure.name;
  }
}

TEST(MonteCarloOption, ResultsFitTheSizeThatWasPromised) {
  EXPECT_EQ(kWorkload.result_size(Job(std::nullopt)), 24u);
  EXPECT_EQ(kWorkload.result_size(Job(10, 3)), 4 * 24u);
  EXPECT_EQ(RunWorker(Job(10, 3), 0, 10).size(), 4 * 24u);
  EXPECT_EQ(RunWorker(Job(10, 3), 2, 10).size(), 3 * 24u);
  EXPECT_EQ(RunWorker(Job(std::nullopt, 3), 2, 10).size(), 24u);
}

TEST(MonteCarloOption, AWorkerThatDidNothingLeavesAnEmptyResult) {
  EXPECT_EQ(RunWorker(Job(2, 3), 2, 2).size(), 0u);
  EXPECT_EQ(Price(Job(2, 3), 2).units, 2u);
}

TEST(MonteCarloOption, TheAnswerOfTheSurvivorsSaysOverHowManyUnits) {
  const WorkerJob job = Job(20, 3);
  const auto results = RunGroup(job, 20);
  const auto answer = Merge(job, results, {2, 0});
  ASSERT_TRUE(answer.has_value()) << ErrorOf(answer);
  EXPECT_EQ(answer->units, 13u);  // 7 of worker 0, 6 of worker 2
  EXPECT_EQ(FigureOf(*answer, "paths"), 13 * 16384.0);
  EXPECT_TRUE(answer->check->passed) << answer->check->text;
  EXPECT_EQ(ErrorOf(Merge(job, results, {})), "worker price: no block of paths was finished");
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
  // The true blocks, each payoff higher by a share: 2 % of 8.02 are 6.2 standard errors of 262144 paths, 1 % are 3.1.
  const WorkerJob job = Job(16);
  const auto shifted = [&](double share) {
    const double mean = 8.021352235143176, deviation = 13.2;
    std::vector<Block> blocks;
    for (std::uint64_t unit = 0; unit < 16; ++unit) {
      const double price = mean * (1 + share);
      blocks.push_back({unit, 16384 * price, 16384 * (deviation * deviation + price * price)});
    }
    const auto answer = Merge(job, {BytesOf(blocks)}, {0});
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
    const auto workload = kWorkload.make(job);
    return workload ? "accepted" : workload.error().message;
  };
  EXPECT_EQ(refusal(Job(1)), "accepted");
  EXPECT_EQ(refusal(With(Job(1), "kind", "Call")), "kind \"Call\" is no option; write \"call\" or \"put\"");
  EXPECT_EQ(refusal(With(Job(1), "volatility", "50")),
            "this option's price overflows; interest and volatility are per year, as in 0.05 for 5 %");
  EXPECT_EQ(refusal(Job(1'000'001)),
            "units = 1000001 is more than this workload keeps; at most 1000000, or leave units out to run "
            "for the duration");
}

TEST(MonteCarloOption, BytesThatNoWorkerWroteAreAnErrorThatNamesTheWorker) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
  const WorkerJob job = Job(6, 2);
  const Bytes good = BytesOf({{0, 1, 1}, {2, 1, 1}, {4, 1, 1}});
  const auto error_with = [&](const std::vector<Block>& blocks) {
    return ErrorOf(Merge(job, {good, BytesOf(blocks)}, {0, 1}));
  };
  EXPECT_EQ(error_with({{1, 1, 1}, {3, 1, 1}, {5, 1, 1}}), "no error");
  EXPECT_EQ(error_with({{1, 1, 1}, {7, 1, 1}}), "worker price.1: block 7 is not this worker's");
  EXPECT_EQ(error_with({{1, 1, 1}, {2, 1, 1}}), "worker price.1: block 2 is not this worker's");
  EXPECT_EQ(error_with({{1, 1, 1}, {1, 1, 1}}), "worker price.1: block 1 is out of order");
  EXPECT_EQ(error_with({{3, 1, 1}, {1, 1, 1}}), "worker price.1: block 1 is out of order");
  constexpr std::string_view kImplausible = "worker price.1: sums that no block of paths can have";
  EXPECT_EQ(error_with({{1, kNan, 1}}), kImplausible);
  EXPECT_EQ(error_with({{1, kInfinity, 1}}), kImplausible);
  EXPECT_EQ(error_with({{1, -1, 1}}), kImplausible);
  EXPECT_EQ(error_with({{1, 1, kNan}}), kImplausible);
  EXPECT_EQ(error_with({{1, 1, kInfinity}}), kImplausible);
  EXPECT_EQ(error_with({{1, 1, -1}}), kImplausible);

  EXPECT_EQ(ErrorOf(Merge(job, {good, Bytes(25)}, {0, 1})),
            "worker price.1: a result of 25 bytes, not of whole blocks");
  EXPECT_EQ(ErrorOf(Merge(job, {good}, {0, 0})), "worker price.0: two results");
  const std::vector<WorkerResult> strangers = {{2, good}};
  EXPECT_EQ(ErrorOf(kWorkload.merge(job, strangers)), "worker price.2: there are only 2 workers");
  const std::vector<WorkerResult> negative = {{-1, good}};
  EXPECT_EQ(ErrorOf(kWorkload.merge(job, negative)), "worker price.-1: there are only 2 workers");

  const WorkerJob running = Job(std::nullopt, 2);
  EXPECT_EQ(ErrorOf(Merge(running, {good}, {0})), "worker price.0: a result of 72 bytes, not of whole blocks");
  EXPECT_EQ(ErrorOf(Merge(running, {Bytes()}, {0})), "worker price.0: a result of 0 bytes, not of whole blocks");
  EXPECT_EQ(ErrorOf(Merge(running, {BytesOf({{std::uint64_t{1} << 60, 1, 1}})}, {0})),
            "worker price.0: sums that no block of paths can have");
}

TEST(MonteCarloOption, MergeReadsBytesAtAnyAddress) {
  const WorkerJob job = Job(3, 1);
  const Bytes good = BytesOf({{0, 1, 1}, {1, 1, 1}, {2, 1, 1}});
  Bytes shifted(good.size() + 1);
  std::memcpy(shifted.data() + 1, good.data(), good.size());
  const std::vector<WorkerResult> results = {{0, std::span(shifted).subspan(1)}};
  EXPECT_EQ(ErrorOf(kWorkload.merge(job, results)), "no error");
}

}  // namespace
}  // namespace corerig
