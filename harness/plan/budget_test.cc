#include "harness/plan/budget.h"

#include <gtest/gtest.h>

#include <cmath>

namespace corerig {
namespace {

std::vector<std::string> Metrics() {
  Plan plan;
  plan.streams.resize(1);
  plan.streams[0].name = "imu";
  plan.loops.push_back({"flight", {0}, {}});
  plan.workers.resize(1);
  plan.workers[0].name = "price";
  plan.workers[0].cores = {{1}, {2}};
  plan.cores = {{0}, {1}, {2}};
  return MetricsOf(plan);
}

BudgetPlan Parsed(std::string_view text) {
  const auto budget = ParseBudget(text, Metrics());
  EXPECT_TRUE(budget) << text << ": " << budget.error().message;
  return budget.value_or(BudgetPlan());
}

std::string Refusal(std::string_view text) {
  const auto budget = ParseBudget(text, Metrics());
  EXPECT_FALSE(budget) << text << " was taken";
  return budget ? "" : budget.error().message;
}

TEST(Budget, HasThePartsOfItsText) {
  EXPECT_EQ(Parsed("stream.imu.latency.p99 < 500us"),
            (BudgetPlan{"stream.imu.latency.p99 < 500us", "stream.imu.latency.p99", Comparison::kLess, 500'000}));
}

TEST(Budget, BlanksAreFree) {
  const auto budget = Parsed("  stream.imu.lost==0 ");
  EXPECT_EQ(budget.metric, "stream.imu.lost");
  EXPECT_EQ(budget.comparison, Comparison::kEqual);
  EXPECT_EQ(budget.limit, 0);
}

TEST(Budget, EveryComparisonIsRead) {
  EXPECT_EQ(Parsed("stream.imu.lost < 1").comparison, Comparison::kLess);
  EXPECT_EQ(Parsed("stream.imu.lost <= 1").comparison, Comparison::kLessOrEqual);
  EXPECT_EQ(Parsed("stream.imu.lost > 1").comparison, Comparison::kGreater);
  EXPECT_EQ(Parsed("stream.imu.lost >= 1").comparison, Comparison::kGreaterOrEqual);
  EXPECT_EQ(Parsed("stream.imu.lost == 1").comparison, Comparison::kEqual);
}

TEST(Budget, TheLimitIsInTheUnitOfTheMetric) {
  const struct {
    const char* text;
    double limit;
  } cases[] = {{"stream.imu.latency.max < 1.5ms", 1'500'000},
               {"stream.imu.latency.count >= 1000", 1000},
               {"worker.price.0.uss.max < 24MiB", 24.0 * 1024 * 1024},
               {"worker.price.0.uss.growth < 1MB", 1'000'000},
               {"worker.price.0.uss.growth < 1MB/min", 1'000'000},
               {"stream.imu.bytes_per_s > 10kB", 10'000},
               {"stream.imu.bytes_per_s > 10kB/s", 10'000},
               {"stream.imu.rate > 1kHz", 1000},
               {"stream.imu.rate > 999.5", 999.5},
               {"worker.price.*.rate > 2", 2},
               {"loop.flight.cpu < 0.25", 0.25},
               {"loop.flight.cpu < 25%", 0.25},
               {"core.1.steal < 1%", 0.01},
               {"core.1.frequency > 1.5GHz", 1.5e9},
               {"core.*.frequency >= 800MHz", 8e8}};
  for (const auto& [text, limit] : cases) EXPECT_DOUBLE_EQ(Parsed(text).limit, limit) << text;
}

TEST(Budget, AWildcardStandsForOneComponent) {
  EXPECT_EQ(Parsed("worker.price.*.uss.max < 1MiB").metric, "worker.price.*.uss.max");
  EXPECT_EQ(Parsed("worker.*.*.uss.max < 1MiB").metric, "worker.*.*.uss.max");
  EXPECT_EQ(Parsed("core.*.idle > 1%").metric, "core.*.idle");
  // Of one unit, though several statistics.
  EXPECT_EQ(Parsed("worker.price.*.uss.mean < 1MiB").limit, 1024 * 1024);
}

TEST(Budget, UnlikeUnitsUnderOneWildcardAreRefused) {
  EXPECT_EQ(Refusal("stream.imu.latency.* < 1ms"),
            "\"stream.imu.latency.*\" stands for figures of unlike units (ns, count); name one figure");
}

TEST(Budget, WithoutAMetricThatMatchesItSaysWhatThereIs) {
  EXPECT_EQ(Refusal("stream.imu.latency.p98 < 1ms"),
            "there is no metric \"stream.imu.latency.p98\" in this scenario; did you mean \"stream.imu.latency.p90\"?");
  EXPECT_EQ(Refusal("worker.price.*.uss.mx < 1ms"),
            "there is no metric \"worker.price.*.uss.mx\" in this scenario; did you mean \"worker.price.*.uss.max\"?");
  EXPECT_EQ(Refusal("stream.imu.latency < 1ms"),
            "there is no metric \"stream.imu.latency\" in this scenario; "
            "after \"stream.imu.latency\" comes one of p50, p90, p99, p999, max, mean, min, count");
  EXPECT_EQ(Refusal("worker.price.7.memory.x < 1ms"),
            "there is no metric \"worker.price.7.memory.x\" in this scenario; "
            "after \"worker.price\" comes one of 0, 1");
  EXPECT_EQ(Refusal("worker.*.memory < 1ms"),
            "there is no metric \"worker.*.memory\" in this scenario; after \"worker.*\" comes one of 0, 1");
  EXPECT_EQ(Refusal("stream.gnss.latency.p99 < 1ms"),
            "there is no metric \"stream.gnss.latency.p99\" in this scenario; after \"stream\" comes one of imu");
  EXPECT_EQ(
      Refusal("latency < 1ms"),
      "there is no metric \"latency\" in this scenario; a metric begins with stream, loop, worker, core, memory, rig");
  EXPECT_EQ(Refusal("stream.imu.lost.highest < 1"),
            "there is no metric \"stream.imu.lost.highest\" in this scenario; write \"stream.imu.lost\"");
}

TEST(Budget, WhatIsNoComparisonIsRefused) {
  EXPECT_EQ(Refusal("stream.imu.lost"),
            "limit \"stream.imu.lost\" has no comparison; write one such as \"stream.imu.latency.p99 < 500us\"");
  EXPECT_EQ(Refusal("stream.imu.lost = 0"), "unknown comparison \"=\"; write one of < <= > >= ==");
  EXPECT_EQ(Refusal("stream.imu.lost != 0"), "unknown comparison \"!=\"; write one of < <= > >= ==");
  EXPECT_EQ(Refusal("stream.imu.lost =< 0"), "unknown comparison \"=<\"; write one of < <= > >= ==");
  EXPECT_EQ(Refusal("< 5"), "limit \"< 5\" names no metric; write one such as \"stream.imu.latency.p99 < 500us\"");
}

TEST(Budget, ALimitOfAnotherUnitIsRefused) {
  EXPECT_EQ(Refusal("stream.imu.latency.p99 < 500"), "duration \"500\" has no unit; write \"500s\"");
  EXPECT_EQ(Refusal("stream.imu.lost == 0.5"), "limit \"0.5\" is not a whole number; write one such as 0");
  EXPECT_EQ(Refusal("stream.imu.lost == -1"), "limit \"-1\" is not a whole number; write one such as 0");
  EXPECT_EQ(Refusal("loop.flight.cpu < 25"), "share \"25\" is above 1; write \"25%\" or \"0.25\"");
  EXPECT_EQ(Refusal("worker.price.0.uss.max < 24"), "size \"24\" has no unit; write \"24B\"");
  EXPECT_EQ(Refusal("worker.price.0.uss.max < 24MiB/s"),
            "size \"24MiB/s\" has an unknown unit \"MiB/s\"; the units are B kB KiB MB MiB GB GiB");
  EXPECT_EQ(Refusal("stream.imu.lost <"), "limit \"\" is not a whole number; write one such as 0");
  EXPECT_FALSE(Refusal("stream.imu.rate > nan").empty());
  EXPECT_FALSE(Refusal("stream.imu.rate > inf").empty());
}

}  // namespace
}  // namespace corerig
