#include "harness/run/supervisor_place.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

Plan PlanWith(int priority, CpuId core) {
  WorkerPlan worker;
  worker.cores = {core};
  if (priority > 0) worker.policy = {Policy::Class::kFifo, priority};
  Plan plan;
  plan.rig_core = CpuId{0};
  plan.workers = {WorkerPlan(), worker};
  return plan;
}

TEST(PolicyAboveWorkers, IsAboveTheMostUrgentOnTheRigsCore) {
  EXPECT_EQ(PolicyAboveWorkers(PlanWith(80, CpuId{0})), (Policy{Policy::Class::kFifo, 81}));
  EXPECT_EQ(PolicyAboveWorkers(PlanWith(99, CpuId{0})), (Policy{Policy::Class::kFifo, 99}));
  EXPECT_FALSE(PolicyAboveWorkers(PlanWith(80, CpuId{1})));
  EXPECT_FALSE(PolicyAboveWorkers(PlanWith(0, CpuId{0})));
}

}  // namespace
}  // namespace corerig
