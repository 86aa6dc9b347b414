// The synthetic loads in a whole run: what they take of a core and of memory, by the rig's own figures.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

constexpr double kMiB = 1 << 20;

std::string Worker(const std::string& name, const std::string& workload, int core, const std::string& more) {
  return "[worker." + name + "]\nworkload = \"" + workload + "\"\ncores = [" + std::to_string(core) + "]\n" + more +
         "\n";
}

std::string Head(const std::string& duration) {
  return "name = \"load\"\nwarmup = \"500ms\"\ndrain = \"500ms\"\ntrace = false\nduration = \"" + duration + "\"\n";
}

double FigureOf(const FinishedRun& run, const std::string& group, const std::string& name) {
  for (const auto& figure : run.report["results"][group]["figures"]) {
    if (figure["name"] == name) return figure["value"];
  }
  return NAN;
}

TEST(LoadRun, TwoHundredMicrosecondsOfEachMillisecondAreAFifthOfTheCore) {
  const FinishedRun run =
      RigRun(Head("2s") + Worker("task", "load/periodic", TestCores().back(), "run = \"200us\"\nperiod = \"1ms\""))
          .Wait();
  ASSERT_EQ(run.verdict(), "PASS") << run.out << run.err;
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
  const double share = run.Metric("worker.task.0.cpu"), rate = run.Metric("worker.task.0.rate");
  const double steal = run.Metric("core." + std::to_string(TestCores().back()) + ".steal");
  // Per job: among many other tasks it may not get its fifth. What the host takes away counts as CPU time.
  EXPECT_GT(share / rate * 1000, 0.18) << run.out;
  EXPECT_LT((share - (steal > 0 ? steal : 0)) / rate * 1000, 0.25) << run.out;
  EXPECT_GT(rate, 500) << run.out;
  EXPECT_LT(rate, 1300) << "it may have something to catch up with\n" << run.out;
  EXPECT_LT(FigureOf(run, "task", "jobs"), 2600) << "a job per millisecond of warm-up and window, and no more";
}

TEST(LoadRun, AWorkerThatWaitsForItsNextJobEndsWithTheWindow) {
  const FinishedRun run =
      RigRun(Head("500ms") + Worker("task", "load/periodic", TestCores().back(), "period = \"1h\"")).Wait();
  EXPECT_EQ(run.verdict(), "PASS") << run.out << run.err;
  EXPECT_EQ(FigureOf(run, "task", "jobs"), 1);
}

TEST(LoadRun, MissedDeadlinesBeyondTheLimitFailTheRun) {
  const FinishedRun run =
      RigRun(Head("500ms") + Worker("task", "load/periodic", TestCores().back(),
                                    "run = \"200us\"\nperiod = \"1ms\"\ndeadline = \"100us\"\nmost_missed = \"1%\""))
          .Wait();
  EXPECT_EQ(run.verdict(), "FAIL") << run.out << run.err;
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_NE(run.out.find("jobs missed their deadline of 100us"), std::string::npos) << run.out;
}

TEST(LoadRun, TheFootprintIsWhatTheWorkerHas) {
  const FinishedRun run =
      RigRun(Head("1500ms") + Worker("large", "load/memory", TestCores().back(), "footprint = \"64MiB\"") +
             Worker("small", "load/memory", TestCores().front(), "footprint = \"12KiB\""))
          .Wait();
  ASSERT_EQ(run.verdict(), "PASS") << run.out << run.err;
  const auto more = [&](const std::string& figure) {
    return (run.Metric("worker.large.0." + figure) - run.Metric("worker.small.0." + figure)) / kMiB;
  };
  EXPECT_NEAR(more("uss.max"), 64, 0.02 * 64) << run.out;
  EXPECT_NEAR(more("rss.max"), 64, 0.02 * 64) << run.out;
  EXPECT_GT(FigureOf(run, "small", "bytes_per_s"), 1e8);
}

TEST(LoadRun, WhatCannotBeDoneIsSaidBeforeAnythingStarts) {
  const FinishedRun run =
      RigRun(Head("1s") + Worker("task", "load/periodic", TestCores().back(), "run = \"2ms\"\nperiod = \"1ms\""))
          .Wait();
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_NE(run.err.find("run 2ms is longer than period 1ms; no job would ever catch up"), std::string::npos)
      << run.err;
}

}  // namespace
}  // namespace corerig
