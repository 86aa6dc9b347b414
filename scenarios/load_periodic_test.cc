#include "scenarios/load_periodic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/os/clock.h"
#include "scenarios/workload_group.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

const WorkloadType kPeriodic = LoadPeriodic();

// Its jobs take some 10 us.
WorkloadGroup Light(std::vector<Parameter> more = {}, int workers = 1) {
  more.push_back({"work", "5000"});
  return WorkloadGroup(kPeriodic, more, workers);
}

Answer AnswerOf(const WorkloadGroup& group, const Workload& workload) {
  const auto answer = group.Merge({group.ResultOf(workload)});
  if (!answer) {
    ADD_FAILURE() << answer.error().message;
    return {};
  }
  return *answer;
}

TEST(LoadPeriodic, JobsAreDueAPeriodApartFromTheFirst) {
  const WorkloadGroup group = Light();
  const auto worker = group.Make();
  const Nanos begin = MonotonicNow();
  for (std::uint64_t job = 0; job < 30; ++job) (*worker)->RunUnit(job);
  // The last one ended after it was due; and drift would add up.
  EXPECT_GE(MonotonicNow() - begin, 29ms);
  const Answer answer = AnswerOf(group, **worker);
  EXPECT_EQ(answer.units, 30u);
  EXPECT_EQ(FigureOf(answer, "jobs"), 30);
  EXPECT_EQ(FigureOf(answer, "iterations_per_job"), 5000);
  EXPECT_TRUE(std::isnan(FigureOf(answer, "iterations_per_us"))) << "work was given, nothing is calibrated";
  EXPECT_GT(FigureOf(answer, "cpu_per_job"), 1000);
  EXPECT_LE(FigureOf(answer, "response_p50"), FigureOf(answer, "response_p99"));
  EXPECT_LE(FigureOf(answer, "response_p99"), FigureOf(answer, "response_max"));
  EXPECT_EQ(FigureOf(answer, "slack_min"), 1e6 - FigureOf(answer, "response_max"));
  EXPECT_TRUE(answer.check->passed);
}

TEST(LoadPeriodic, WhatHeldAWorkerBackCostsLatencyAndNoJob) {
  const WorkloadGroup group = Light();
  const auto worker = group.Make();
  (*worker)->RunUnit(0);
  SleepUntil(MonotonicNow() + 20ms);  // stands for another task on the core
  for (std::uint64_t job = 1; job < 20; ++job) (*worker)->RunUnit(job);
  const Answer answer = AnswerOf(group, **worker);
  EXPECT_EQ(FigureOf(answer, "jobs"), 20);
  EXPECT_GE(FigureOf(answer, "response_max"), 19e6);
  EXPECT_GE(FigureOf(answer, "missed"), 17);
  EXPECT_GE(FigureOf(answer, "overruns"), 17);
  EXPECT_EQ(FigureOf(answer, "missed_share"), FigureOf(answer, "missed") / 20);
  EXPECT_LT(FigureOf(answer, "slack_min"), 0);
}

TEST(LoadPeriodic, ARelativeTimerBeginsAnewAfterALateJob) {
  const WorkloadGroup group = Light({{"timer", "relative"}});
  const auto worker = group.Make();
  (*worker)->RunUnit(0);
  SleepUntil(MonotonicNow() + 20ms);
  const Nanos late = MonotonicNow();
  for (std::uint64_t job = 1; job < 7; ++job) (*worker)->RunUnit(job);
  EXPECT_GE(MonotonicNow() - late, 5ms) << "the jobs after it waited for their periods";
  EXPECT_GE(FigureOf(AnswerOf(group, **worker), "overruns"), 1);
}

TEST(LoadPeriodic, RunIsCpuTimeOfThisCore) {
  const WorkloadGroup group(kPeriodic, {{"run", "500us"}});
  const auto worker = group.Make();
  for (std::uint64_t job = 0; job < 20; ++job) (*worker)->RunUnit(job);
  const Answer answer = AnswerOf(group, **worker);
  EXPECT_NEAR(FigureOf(answer, "iterations_per_job"), 500 * FigureOf(answer, "iterations_per_us"), 1);
  // Neighbours on the core's other thread make it longer, and so does a host that takes the core away; if they were
  // there while it was calibrated, and are gone, it is shorter.
  EXPECT_GT(FigureOf(answer, "cpu_per_job"), 0.5 * 500e3);
  EXPECT_LT(FigureOf(answer, "cpu_per_job"), 8 * 500e3);
}

TEST(LoadPeriodic, AWorkerThatIsToldToStopDoesNotSleepOut) {
  const WorkloadGroup group = Light({{"period", "1h"}});
  bool stop = false;
  const auto worker = group.Make(0, {.told_to_stop = [&] { return stop; }});
  (*worker)->RunUnit(0);
  EXPECT_FALSE((*worker)->CutShort());
  stop = true;
  (*worker)->RunUnit(1);  // would last an hour
  EXPECT_TRUE((*worker)->CutShort());
  EXPECT_EQ(FigureOf(AnswerOf(group, **worker), "jobs"), 1) << "the job that was not done does not count";
}

TEST(LoadPeriodic, AWorkerThatIsToldToStopInAJobLeavesIt) {
  const WorkloadGroup group(kPeriodic, {{"work", "1000000000000"}});  // half an hour
  int asked = 0;
  const auto worker = group.Make(0, {.told_to_stop = [&] { return ++asked == 2; }});
  (*worker)->RunUnit(0);
  EXPECT_TRUE((*worker)->CutShort());
  const auto answer = group.Merge({group.ResultOf(**worker)});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "worker load: no job was finished");
}

TEST(LoadPeriodic, MissedDeadlinesFailTheCheckBeyondTheirLimitOnly) {
  const auto check = [](std::string limit) {
    // Nothing takes no time at all: each of these jobs misses.
    const WorkloadGroup group = Light({{"deadline", "1ns"}, {"most_missed", limit}, {"period", "50us"}});
    const auto worker = group.Make();
    for (std::uint64_t job = 0; job < 4; ++job) (*worker)->RunUnit(job);
    return *AnswerOf(group, **worker).check;
  };
  EXPECT_FALSE(check("0").passed);
  EXPECT_FALSE(check("0.99").passed);
  EXPECT_TRUE(check("1").passed);
  EXPECT_EQ(check("0.5").text, "4 of 4 jobs missed their deadline of 1ns, 100 % (limit 50.0 %)");
  EXPECT_EQ(check("1").text, "all work came to what it must; 4 of 4 jobs missed their deadline of 1ns (no limit)");
}

TEST(LoadPeriodic, OneIterationThatIsNotDoneFailsTheCheck) {
  const WorkloadGroup group = Light({}, 2);
  const auto good = group.Make(0), bad = group.Make(1);
  (*good)->RunUnit(0);
  (*bad)->RunUnit(1);
  auto bytes = group.ResultOf(**bad);
  EXPECT_TRUE(group.Merge({group.ResultOf(**good), bytes})->check->passed);
  bytes[4 * 8] ^= std::byte{1};  // of the state
  const auto answer = group.Merge({group.ResultOf(**good), bytes});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_FALSE(answer->check->passed);
  EXPECT_EQ(answer->check->text,
            "the work of 1 worker (worker load.1) came to another result than it must: this core does not compute "
            "reliably");
}

TEST(LoadPeriodic, WorkersMergeAsIfTheyWereOne) {
  const WorkloadGroup group = Light({}, 3);
  std::vector<std::vector<std::byte>> results;
  double longest = 0, jobs = 0, missed = 0;
  for (int index = 0; index < 3; ++index) {
    const auto worker = group.Make(index);
    for (std::uint64_t job = 0; job < 5; ++job) (*worker)->RunUnit(job);
    results.push_back(group.ResultOf(**worker));
    const auto answer = kPeriodic.merge(WorkloadGroup(group).job(), std::vector<WorkerResult>{{index, results.back()}});
    ASSERT_TRUE(answer);
    longest = std::max(longest, FigureOf(*answer, "response_max"));
    jobs += FigureOf(*answer, "jobs");
    missed += FigureOf(*answer, "missed");
  }
  const auto answer = group.Merge(results);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(FigureOf(*answer, "response_max"), longest);
  EXPECT_EQ(FigureOf(*answer, "jobs"), jobs);
  EXPECT_EQ(FigureOf(*answer, "missed"), missed);
}

TEST(LoadPeriodic, AWorkerWithoutAJobHarmsNobody) {
  const WorkloadGroup group = Light({}, 2);
  const auto busy = group.Make(0), idle = group.Make(1);
  (*busy)->RunUnit(0);
  const auto answer = group.Merge({group.ResultOf(**busy), group.ResultOf(**idle)});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(FigureOf(*answer, "jobs"), 1);
  EXPECT_TRUE(answer->check->passed);
}

TEST(LoadPeriodic, RefusesWhatCannotBeDone) {
  const auto refusal = [](std::vector<Parameter> parameters) { return WorkloadGroup(kPeriodic, parameters).Refusal(); };
  EXPECT_EQ(refusal({}), "none");
  EXPECT_EQ(refusal({{"run", "1ms"}}), "none");
  EXPECT_EQ(refusal({{"run", "1001us"}}), "run 1001us is longer than period 1ms; no job would ever catch up");
  EXPECT_EQ(refusal({{"period", "10us"}}), "period is 10us; write one from \"50us\" to \"1h\"");
  EXPECT_EQ(refusal({{"run", "0s"}}), "run is zero, and so is work; write one such as \"200us\"");
  EXPECT_EQ(refusal({{"work", "-1"}}), "work is -1; write a number of iterations up to 1e12, or 0");
  EXPECT_EQ(refusal({{"timer", "late"}}), "timer is \"late\"; write \"absolute\" or \"relative\"");
}

TEST(LoadPeriodic, DamagedResultsAreRefusedOrMerged) {
  const WorkloadGroup group = Light();
  const auto worker = group.Make();
  for (std::uint64_t job = 0; job < 5; ++job) (*worker)->RunUnit(job);
  ExpectThatMergeEndures(group, group.ResultOf(**worker));
  const auto answer = group.Merge({});
  EXPECT_EQ(answer.error().message, "worker load: no worker left a result");
  EXPECT_EQ(group.Merge({group.ResultOf(**worker), group.ResultOf(**worker)}).error().message,
            "worker load.1: there are only 1 workers");
}

}  // namespace
}  // namespace corerig
