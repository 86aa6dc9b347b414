#include "harness/plan/placement.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

TEST(CoresText, RunsOfCoresAreJoined) {
  EXPECT_EQ(CoresText({{0}}), "core 0");
  EXPECT_EQ(CoresText({{0}, {1}}), "cores 0-1");
  EXPECT_EQ(CoresText({{2}, {3}, {5}, {7}, {8}, {9}}), "cores 2-3, 5, 7-9");
  EXPECT_EQ(CoresText({{3}, {2}}), "cores 2-3");
}

TEST(Without, KeepsTheOrderOfTheBoard) {
  EXPECT_EQ(Without({{3}, {1}, {2}}, {{1}}), (std::vector<CpuId>{{3}, {2}}));
  EXPECT_EQ(Without({{0}}, {{0}}), std::vector<CpuId>{});
}

Plan PlanOn(std::vector<CpuId> board, std::optional<CpuId> source, std::vector<CpuId> loops,
            std::vector<std::vector<CpuId>> workers) {
  Plan plan;
  plan.cores = std::move(board);
  if (source) plan.source = SourcePlan{*source, {}};
  for (const CpuId core : loops) plan.loops.push_back({"x", core, {}});
  for (auto& cores : workers) {
    plan.workers.emplace_back();
    plan.workers.back().cores = std::move(cores);
  }
  return plan;
}

TEST(RigCore, IsACoreThatNothingUses) {
  EXPECT_EQ(RigCoreOf(PlanOn({{0}, {1}, {2}, {3}}, CpuId{0}, {{1}}, {{{3}}})), CpuId{2});
  EXPECT_EQ(RigCoreOf(PlanOn({{2}, {3}}, std::nullopt, {}, {{{2}}})), CpuId{3});
}

TEST(RigCore, WithoutAnIdleOneItIsTheFirstWithoutWorkers) {
  EXPECT_EQ(RigCoreOf(PlanOn({{0}, {1}, {2}, {3}}, CpuId{0}, {{1}}, {{{2}, {3}}})), CpuId{0});
  EXPECT_EQ(RigCoreOf(PlanOn({{0}, {1}}, CpuId{1}, {{1}}, {{{0}}})), CpuId{1});
}

TEST(RigCore, WithWorkersEverywhereItIsTheSourcesThenTheFirstLoops) {
  EXPECT_EQ(RigCoreOf(PlanOn({{0}, {1}}, CpuId{1}, {{0}}, {{{0}, {1}}})), CpuId{1});
  EXPECT_EQ(RigCoreOf(PlanOn({{0}, {1}}, std::nullopt, {{1}, {0}}, {{{0}}, {{1}}})), CpuId{1});
  EXPECT_EQ(RigCoreOf(PlanOn({{2}, {3}}, std::nullopt, {}, {{{2}, {3}}})), CpuId{2});
}

}  // namespace
}  // namespace corerig
