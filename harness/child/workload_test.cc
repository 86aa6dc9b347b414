#include "harness/child/workload.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

TEST(WorkerJob, TheWorkersOfAGroupShareItsUnitsWithoutRemainder) {
  for (const int workers : {1, 2, 3, 7}) {
    for (std::uint64_t units = 0; units <= 30; ++units) {
      std::uint64_t total = 0;
      for (int index = 0; index < workers; ++index) {
        WorkerJob job;
        job.index = index;
        job.workers = workers;
        job.units = units;
        // The oracle: count those it does.
        std::uint64_t counted = 0;
        for (auto unit = static_cast<std::uint64_t>(index); unit < units; unit += static_cast<std::uint64_t>(workers)) {
          ++counted;
        }
        EXPECT_EQ(job.UnitsOfWorker(), counted) << "worker " << index << " of " << workers << ", " << units << " units";
        total += job.UnitsOfWorker();
      }
      EXPECT_EQ(total, units);
    }
  }
  WorkerJob job;
  job.units = UINT64_MAX;
  EXPECT_EQ(job.UnitsOfWorker(), UINT64_MAX);
}

TEST(WorkerJob, EachUnitIsDoneByOneWorkerOfOneShard) {
  constexpr std::uint64_t kUnits = 50;
  for (const int shards : {1, 2, 3}) {
    std::vector<int> done(kUnits);
    for (int shard = 0; shard < shards; ++shard) {
      const int workers = 1 + shard;  // a board each, with as many cores
      for (int index = 0; index < workers; ++index) {
        const WorkerJob job = {.group = "w",
                               .index = index,
                               .workers = workers,
                               .units = kUnits,
                               .parameters = {},
                               .shard = shard,
                               .shards = shards};
        for (std::uint64_t i = 0; i < job.UnitsOfWorker(); ++i) ++done.at(job.FirstUnit() + i * job.UnitStep());
      }
    }
    EXPECT_EQ(done, std::vector<int>(kUnits, 1)) << shards << " shards";
  }
}

TEST(WorkerJob, WithoutFixedUnitsHasNoNumberOfThem) { EXPECT_EQ(WorkerJob{}.UnitsOfWorker(), 0u); }

TEST(WorkerJob, ParametersAreFoundByName) {
  WorkerJob job;
  job.parameters = {{"strike", "100.5"}, {"kind", "call"}, {"paths", "1e6"}};
  EXPECT_EQ(job.Number("strike"), 100.5);
  EXPECT_EQ(job.Number("paths"), 1e6);
  EXPECT_EQ(job.Word("kind"), "call");
}

TEST(WorkerJobDeathTest, AnUndeclaredParameterIsAMistakeInTheProgram) {
  WorkerJob job;
  job.parameters = {{"kind", "call"}};
  EXPECT_DEATH(job.Word("strike"), "\"strike\" is asked for as a word, but was not declared so");
  EXPECT_DEATH(job.Number("kind"), "\"kind\" is asked for as a number, but was not declared so");
}

}  // namespace
}  // namespace corerig
