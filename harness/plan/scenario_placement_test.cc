// Where a plan puts source, loops, workers and the rig.
#include "harness/plan/scenario_reading.h"

namespace corerig {
namespace {

std::string Streaming(std::string_view source, std::string_view loop, std::string_view worker) {
  return StrCat("name='a'\nduration='1s'\n[source]\n", source, "\n[loop.l]\n", loop,
                "\n[stream.s]\nsensor='icm42688p'\nloop='l'\n[worker.w]\nworkload='train/mlp'\n", worker);
}

std::vector<CpuId> WorkerCores(const Plan& plan) {
  return plan.workers.empty() ? std::vector<CpuId>() : plan.workers[0].cores;
}

TEST(Placement, OnOneCoreEverythingShares) {
  const Plan plan = Read(Streaming("", "", "cores = 'all'"), BoardOf({0}));
  EXPECT_EQ(plan.source->core, CpuId{0});
  EXPECT_EQ(plan.loops[0].core, CpuId{0});
  EXPECT_EQ(WorkerCores(plan), std::vector<CpuId>{{0}});
  EXPECT_EQ(plan.rig_core, CpuId{0});
}

TEST(Placement, OnOneCoreWorkersAloneHaveTheRest) {
  const Plan plan = Read("name='a'\nduration='1s'\n[worker.w]\nworkload='train/mlp'\ncores='rest'\n", BoardOf({5}));
  EXPECT_EQ(WorkerCores(plan), std::vector<CpuId>{{5}});
  EXPECT_EQ(plan.rig_core, CpuId{5});
}

TEST(Placement, OnTwoCoresTheRestIsTheOther) {
  for (const Board& board : {BoardOf({0, 1}), BoardOf({2, 3})}) {
    const CpuId first = board.cores[0], second = board.cores[1];
    const Plan plan = Read(Streaming("", "", ""), board);
    EXPECT_EQ(plan.source->core, first);
    EXPECT_EQ(plan.loops[0].core, first);
    EXPECT_EQ(WorkerCores(plan), std::vector<CpuId>{second});
    EXPECT_EQ(plan.rig_core, first);
  }
}

TEST(Placement, OnFourCoresTheRestIsWhatSourceAndLoopLeave) {
  Plan plan = Read(Streaming("cores=[0]", "cores=[1]", ""), BoardOf({0, 1, 2, 3}));
  EXPECT_EQ(WorkerCores(plan), (std::vector<CpuId>{{2}, {3}}));
  EXPECT_EQ(plan.rig_core, CpuId{0});
  plan = Read(Streaming("cores=[3]", "cores=[1]", ""), BoardOf({0, 1, 2, 3}));
  EXPECT_EQ(WorkerCores(plan), (std::vector<CpuId>{{0}, {2}}));
  EXPECT_EQ(plan.rig_core, CpuId{1});
  plan = Read(Streaming("cores=[0]", "cores=[1]", "cores=[3]"), BoardOf({0, 1, 2, 3}));
  EXPECT_EQ(plan.rig_core, CpuId{2});
  plan = Read(Streaming("cores=[1]", "cores=[2]", "cores='all'"), BoardOf({0, 1, 2, 3}));
  EXPECT_EQ(WorkerCores(plan), (std::vector<CpuId>{{0}, {1}, {2}, {3}}));
  EXPECT_EQ(plan.rig_core, CpuId{1});
}

TEST(Placement, ALoopFurtherDownInTheFileCountsForTheRest) {
  const Plan plan =
      Read("name='a'\nduration='1s'\n[worker.w]\nworkload='train/mlp'\n[loop.l]\ncores=[1]\n", BoardOf({0, 1}));
  EXPECT_EQ(WorkerCores(plan), std::vector<CpuId>{{0}});
}

TEST(Placement, TwoGroupsMayShareACore) {
  const Plan plan = Read(Streaming("", "", "cores=[1]\n[worker.v]\nworkload='train/mlp'\ncores=[1]"), BoardOf({0, 1}));
  ASSERT_EQ(plan.workers.size(), 2u);
  EXPECT_EQ(plan.workers[0].cores, plan.workers[1].cores);
}

TEST(Placement, WorkersAreDealtOutToTheCoresInTurn) {
  const Plan plan = Read(Streaming("", "", "cores=[0, 1]\nworkers=5"), BoardOf({0, 1}));
  EXPECT_EQ(WorkerCores(plan), (std::vector<CpuId>{{0}, {1}, {0}, {1}, {0}}));
  EXPECT_EQ(plan.workers[0].CoresOf(3), (std::vector<CpuId>{{1}}));
  EXPECT_EQ(WorkerCores(Read(Streaming("", "", "cores=\"all\"\nworkers=1"), BoardOf({0, 1}))),
            (std::vector<CpuId>{{0}}));
}

TEST(Placement, AGroupThatFloatsMayRunOnAnyOfItsCores) {
  const Plan plan = Read(Streaming("", "", "cores=[0, 1]\nworkers=1\nfloating=true"), BoardOf({0, 1}));
  EXPECT_EQ(plan.workers[0].cores.size(), 1u);
  EXPECT_EQ(plan.workers[0].CoresOf(0), (std::vector<CpuId>{{0}, {1}}));
  EXPECT_FALSE(Read(Streaming("", "", "cores=[0, 1]\nfloating=false"), BoardOf({0, 1})).workers[0].floats_over.size());
}

TEST(Worker, HasTheModelOfRunningAndTheNicenessItAsksFor) {
  const Plan plan = Read(Streaming("", "", "cores=[0]\nas='thread'\npolicy='batch'\nnice=7"), BoardOf({0, 1}));
  EXPECT_EQ(plan.workers[0].as, RunAs::kThread);
  EXPECT_EQ(plan.workers[0].policy, (Policy{Policy::Class::kBatch, 0, 7}));
  EXPECT_EQ(Read(Streaming("", "", "as='fork'"), BoardOf({0, 1})).workers[0].as, RunAs::kFork);
}

}  // namespace
}  // namespace corerig
