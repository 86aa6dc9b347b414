#include "scenarios/monte_carlo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace corerig {
namespace {

// The mean of 1 + block, but of the last of nine, which is far larger: adding in another order rounds otherwise.
struct Ladder {
  static constexpr std::size_t kSums = 2;
  static Result<Ladder> Make(const WorkerJob& job) {
    if (job.Number("bad") > 0) return Fail("bad is ", job.Word("bad"));
    return Ladder();
  }
  static std::uint32_t VectorBits() { return 512; }
  static void Block(std::uint64_t block, std::span<double> sums) {
    sums[0] += block == 8 ? 1e16 : 1;
    sums[1] += 2;
  }
  static Result<Answer> Conclude(const WorkerJob&, const Tally& tally) {
    return Answer{.units = tally.units,
                  .figures = {{"sum", tally.sums[0].Value(), ""}, VectorWidth(tally)},
                  .check = CheckAgainst("the ladder", tally.sums[0].Value(), 9, 1)};
  }
};

const WorkloadType kWorkload =
    MonteCarlo<Ladder>({.name = "test/ladder", .about = "a ladder", .unit = "rung", .parameters = {}});

WorkerJob Job(int workers, std::optional<std::uint64_t> units = 9) {
  return {.group = "w", .index = 0, .workers = workers, .units = units, .parameters = {{"bad", "0"}}};
}

std::vector<std::byte> DoUnits(WorkerJob job, int index, std::uint64_t units = 9) {
  job.index = index;
  auto workload = kWorkload.make(job, {});
  EXPECT_TRUE(workload.has_value());
  for (std::uint64_t unit = job.FirstUnit(); unit < units; unit += job.UnitStep()) (*workload)->RunUnit(unit);
  std::vector<std::byte> bytes(kWorkload.result_size(job));
  bytes.resize((*workload)->WriteResult(bytes));
  return bytes;
}

std::string ErrorOf(const Result<Answer>& answer) { return answer ? "no error" : answer.error().message; }

TEST(MonteCarlo, TheAnswerHasTheSameBitsForAnyNumberOfWorkersAndOrderOfArrival) {
  for (const int workers : {1, 2, 3, 7}) {
    std::vector<std::vector<std::byte>> results;
    for (int i = 0; i < workers; ++i) results.push_back(DoUnits(Job(workers), i));
    std::vector<int> order(static_cast<std::size_t>(workers));
    std::iota(order.begin(), order.end(), 0);
    int orders = 0;
    do {
      std::vector<WorkerResult> arrived;
      for (const int i : order) arrived.push_back({i, results[static_cast<std::size_t>(i)]});
      const auto answer = kWorkload.merge(Job(workers), arrived);
      ASSERT_TRUE(answer.has_value()) << ErrorOf(answer);
      EXPECT_EQ(answer->units, 9u);
      EXPECT_EQ(answer->figures[0].value, 1e16 + 8);
      EXPECT_EQ(answer->figures[1].value, 512);
      ASSERT_TRUE(answer->tally.has_value());
      EXPECT_EQ(answer->tally->sums[1].Value(), 18);
    } while (++orders < 24 && std::next_permutation(order.begin(), order.end()));
  }
  EXPECT_NE(1e16 + 8, 1e16 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1) << "the data show nothing";
}

TEST(MonteCarlo, ShardsAddUpToTheWhole) {
  Tally total;
  for (int shard = 0; shard < 2; ++shard) {
    WorkerJob job = Job(1 + shard);
    job.shard = shard;
    job.shards = 2;
    std::vector<std::vector<std::byte>> results;
    std::vector<WorkerResult> arrived;
    for (int i = 0; i < job.workers; ++i) results.push_back(DoUnits(job, i));
    for (int i = 0; i < job.workers; ++i) arrived.push_back({i, results[static_cast<std::size_t>(i)]});
    const auto answer = kWorkload.merge(job, arrived);
    ASSERT_TRUE(answer.has_value()) << ErrorOf(answer);
    EXPECT_EQ(answer->units, shard == 0 ? 5u : 4u);
    total.Add(*answer->tally);
  }
  EXPECT_EQ(kWorkload.conclude(Job(1), total)->figures[0].value, 1e16 + 8);
}

TEST(MonteCarlo, ATallyOfAnotherWorkloadIsRefused) {
  EXPECT_EQ(ErrorOf(kWorkload.conclude(Job(1), {.units = 1, .sums = std::vector<ExactSum>(3)})),
            "a tally of 3 sums; this workload has 2");
}

TEST(MonteCarlo, TheAnswerOfTheSurvivorsSaysOverHowManyUnits) {
  const auto second = DoUnits(Job(3), 1);
  const auto answer = kWorkload.merge(Job(3), std::vector<WorkerResult>{{1, second}});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->units, 3u);
  EXPECT_EQ(ErrorOf(kWorkload.merge(Job(3), {})), "worker w: no unit of work was finished");
  const auto nothing = DoUnits(Job(3, 1), 2, 1);
  EXPECT_EQ(ErrorOf(kWorkload.merge(Job(3, 1), std::vector<WorkerResult>{{2, nothing}})),
            "worker w: no unit of work was finished");
}

TEST(MonteCarlo, BytesThatNoWorkerWroteAreAnErrorThatNamesTheWorker) {
  const auto good = DoUnits(Job(2), 0);
  const auto error = [&](int index, std::span<const std::byte> bytes) {
    return ErrorOf(kWorkload.merge(Job(2), std::vector<WorkerResult>{{index, bytes}}));
  };
  EXPECT_EQ(error(0, good), "no error");
  EXPECT_EQ(error(2, good), "worker w.2: there are only 2 workers");
  EXPECT_EQ(error(-1, good), "worker w.-1: there are only 2 workers");
  EXPECT_EQ(error(0, std::span(good).first(8)), "worker w.0: a result of 8 bytes; at least 32 were expected");
  EXPECT_EQ(ErrorOf(kWorkload.merge(Job(2), std::vector<WorkerResult>{{0, good}, {0, good}})),
            "worker w.0: two results");
  // Five rungs are worker 0's, four are worker 1's.
  EXPECT_EQ(error(1, good), "worker w.1: it claims 5 units; 4 were its own");
}

TEST(MonteCarlo, ParametersThatTheModelRefusesAreRefused) {
  WorkerJob job = Job(1);
  job.parameters[0].value = "1";
  EXPECT_EQ(kWorkload.make(job, {}).error().message, "bad is 1");
}

TEST(MonteCarlo, ACheckFailsBeyondFiveStandardErrors) {
  EXPECT_TRUE(CheckAgainst("pi", 3.2, 3.1, 0.0201).passed);
  EXPECT_FALSE(CheckAgainst("pi", 3.2, 3.1, 0.0199).passed);
  EXPECT_FALSE(CheckAgainst("pi", 3.0, 3.1, 0.0199).passed);
  EXPECT_FALSE(CheckAgainst("pi", std::nan(""), 3.1, 1).passed);
  EXPECT_EQ(CheckAgainst("pi", 3.2, 3.1, 0.05).text, "3.2 is 2.0 standard errors from pi 3.1 (limit 5)");
}

TEST(MeanOf, IsThatOfTheSample) {
  const MeanOf mean(4, 10, 30);  // 1 2 3 4
  EXPECT_EQ(mean.mean, 2.5);
  EXPECT_NEAR(mean.variance, 5.0 / 3, 1e-15);
  EXPECT_NEAR(mean.standard_error, std::sqrt(5.0 / 12), 1e-15);
  EXPECT_EQ(MeanOf(1, 3, 9).variance, 0);
}

}  // namespace
}  // namespace corerig
