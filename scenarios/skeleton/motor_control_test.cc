#include "scenarios/skeleton/motor_control.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "scenarios/workload_group.h"
#include "scenarios/workloads.h"

namespace corerig {
namespace {

const WorkloadType kControl = MotorControl();

using Results = std::vector<std::vector<std::byte>>;

// The results of `workers` that share so many units.
Results ResultsOf(const WorkloadGroup& group, int workers, std::uint64_t units) {
  Results results;
  for (int index = 0; index < workers; ++index) {
    const auto worker = group.Make(index);
    for (std::uint64_t unit = index; unit < units; unit += workers) (*worker)->RunUnit(unit);
    results.push_back(group.ResultOf(**worker));
  }
  return results;
}

// With the time constant of the data sheet there is no overshoot, and after a second exp(-gain / T) is left.
TEST(MotorControl, AMotorAsInTheDataSheetFollowsTheFormula) {
  for (const double gain : {0.1, 0.2, 2.0}) {
    const WorkloadGroup group(kControl, {{"spread", "0"}, {"gain", std::to_string(gain)}});
    const auto results = ResultsOf(group, 1, 1);
    const auto answer = group.Merge(results);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_NEAR(FigureOf(*answer, "overshoot"), 0, 1e-9) << gain;
    double left = 0;
    std::memcpy(&left, results[0].data() + 16, sizeof left);
    EXPECT_NEAR(left, std::exp(-gain / 0.05), 0.01 * std::exp(-gain / 0.05) + 1e-12) << gain;
    // exp(-2) and exp(-4) are more than a thousandth.
    EXPECT_EQ(answer->check->passed, gain == 2.0) << answer->check->text;
  }
}

TEST(MotorControl, TheAnswerIsTheSameForAnyNumberOfWorkers) {
  const WorkloadGroup one(kControl), three(kControl, {}, 3);
  const auto alone = one.Merge(ResultsOf(one, 1, 10)), shared = three.Merge(ResultsOf(three, 3, 10));
  ASSERT_TRUE(alone && shared);
  EXPECT_EQ(alone->units, 10u);
  EXPECT_EQ(shared->units, 10u);
  EXPECT_EQ(FigureOf(*alone, "overshoot"), FigureOf(*shared, "overshoot"));
  EXPECT_GT(FigureOf(*alone, "overshoot"), 1e-3) << "they are 20 % from their data sheet";
  EXPECT_EQ(alone->check->text, shared->check->text);
}

TEST(MotorControl, OneMotorThatDoesNotSettleFailsTheRun) {
  const WorkloadGroup group(kControl);
  auto results = ResultsOf(group, 1, 2);
  const auto settled = group.Merge(results);
  const double left = 0.002;
  std::memcpy(results[0].data() + 16, &left, sizeof left);
  const auto unsettled = group.Merge(results);
  // Euler's method itself diverges here, beyond what a double holds.
  const WorkloadGroup wild(kControl, {{"gain", "5000"}});
  const auto diverged = wild.Merge(ResultsOf(wild, 1, 1));
  ASSERT_TRUE(settled && unsettled && diverged);
  EXPECT_TRUE(settled->check->passed);
  EXPECT_FALSE(unsettled->check->passed);
  EXPECT_FALSE(diverged->check->passed) << diverged->check->text;
}

TEST(MotorControl, WhatIsNoResultIsRefused) {
  const WorkloadGroup group(kControl);
  auto results = ResultsOf(group, 1, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::memcpy(results[0].data() + 8, &nan, sizeof nan);
  EXPECT_EQ(group.Merge(results).error().message, "worker load.0: its outcome holds what is no number");
  EXPECT_EQ(group.Merge({{}}).error().message, "worker load.0: no outcome");
}

TEST(MotorControl, RefusesASpreadThatNoMotorHas) {
  EXPECT_EQ(WorkloadGroup(kControl, {{"spread", "0.6"}}).Refusal(), "spread is 0.6; no such motor passes inspection");
}

TEST(MotorControl, IsNoWorkloadOfCorerigs) {
  for (const WorkloadType& workload : AllWorkloads()) EXPECT_NE(workload.info.name, kControl.info.name);
}

}  // namespace
}  // namespace corerig
