#include "harness/run/child_limits.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Timeline kTimeline = {.start = seconds(100), .drain_end = seconds(110)};

TEST(TimeLimit, IsAMomentAfterTheDrainOrTheWorkersOwn) {
  Plan plan;
  plan.workers.resize(1);
  LaunchedChild child;
  EXPECT_EQ(TimeLimitOf(plan, child, kTimeline), seconds(111));
  plan.workers[0].time_limit = seconds(60);
  EXPECT_EQ(TimeLimitOf(plan, child, kTimeline), seconds(160));
  plan.workers[0].time_limit = milliseconds(700);
  EXPECT_EQ(TimeLimitOf(plan, child, kTimeline), seconds(100) + milliseconds(700));
  child.role = Role::kSource;
  EXPECT_EQ(TimeLimitOf(plan, child, kTimeline), seconds(112));
}

TEST(TimeLimit, OfACommandThatIsToldToEndIsNoLongerThanTheOthers) {
  Plan plan;
  plan.workers.resize(1);
  plan.workers[0].time_limit = seconds(60);
  plan.workers[0].command = CommandPlan{};
  EXPECT_EQ(TimeLimitOf(plan, {}, kTimeline), seconds(111));
  plan.workers[0].command->until_exit = true;
  EXPECT_EQ(TimeLimitOf(plan, {}, kTimeline), seconds(160));
}

TEST(MemoryLimitBySampling, HoldsForTheUssOfARunningWorkerThatNothingElseLimits) {
  Plan plan;
  plan.workers.resize(1);
  plan.workers[0].memory = Bytes{1 << 20};
  SupervisedChild child;
  const MemoryReading below = {.rss = 8 << 20, .pss = 8 << 20, .uss = 1 << 20}, above = {.uss = (1 << 20) + 4096};
  EXPECT_FALSE(AboveMemory(plan, child, std::nullopt));
  EXPECT_FALSE(AboveMemory(plan, child, below));
  EXPECT_EQ(AboveMemory(plan, child, MemoryReading{.uss = 3 << 19}),
            "1.00 MiB limit, USS 1.50 MiB (sampled, approximate)");
  EXPECT_TRUE(AboveMemory(plan, child, above));
  child.killed = SupervisedChild::Killed::kTimeLimit;
  EXPECT_FALSE(AboveMemory(plan, child, above)) << "it is being killed already";
  child.killed = SupervisedChild::Killed::kNo;
  child.end.kind = EndRecord::Kind::kExited;
  EXPECT_FALSE(AboveMemory(plan, child, above));
  child.end.kind = EndRecord::Kind::kRunning;
  plan.workers[0].memory_counts_address_space = true;
  EXPECT_FALSE(AboveMemory(plan, child, above)) << "RLIMIT_AS does";
  plan.workers[0].memory.reset();
  EXPECT_FALSE(AboveMemory(plan, child, above));
}

}  // namespace
}  // namespace corerig
