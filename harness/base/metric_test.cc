#include "harness/base/metric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/base/text.h"

namespace corerig {
namespace {

using Names = std::vector<std::string>;

// A part as a run would have it: "worker.NAME.I" becomes "worker.price.0".
std::string PartOf(std::string_view part_kind) {
  std::string part;
  for (const auto component : Split(part_kind, '.')) {
    if (!part.empty()) part += ".";
    part += component == "NAME" ? "price" : component == "I" || component == "N" ? "0" : component;
  }
  return part;
}

std::vector<std::string_view> PartKinds() {
  std::vector<std::string_view> parts;
  for (const auto& kind : MetricKinds()) {
    if (std::find(parts.begin(), parts.end(), kind.part) == parts.end()) parts.push_back(kind.part);
  }
  return parts;
}

Names AllNames() {
  Names names;
  for (const auto part : PartKinds()) {
    for (auto& name : MetricNames(part, PartOf(part))) names.push_back(std::move(name));
  }
  return names;
}

TEST(MetricKinds, PartsComeOneAfterTheOther) {
  EXPECT_EQ(PartKinds(), (std::vector<std::string_view>{"stream.NAME", "loop.NAME", "worker.NAME.all", "worker.NAME.I",
                                                        "core.N", "memory", "rig"}));
  EXPECT_TRUE(std::is_sorted(MetricKinds().begin(), MetricKinds().end(),
                             [order = PartKinds()](const MetricKind& a, const MetricKind& b) {
                               return std::find(order.begin(), order.end(), a.part) <
                                      std::find(order.begin(), order.end(), b.part);
                             }))
      << "the rows of one part stand together";
}

TEST(MetricKinds, EachHasAUnitAndAMeaningInOneSentence) {
  const std::set<std::string_view> units = {"ns", "bytes", "share", "count", "per_s", "per_cycle", "bytes_per_s", "Hz"};
  for (const auto& kind : MetricKinds()) {
    SCOPED_TRACE(StrCat(kind.part, ".", kind.figure));
    EXPECT_TRUE(units.contains(kind.unit)) << kind.unit;
    EXPECT_TRUE(kind.meaning.ends_with('.')) << kind.meaning;
    EXPECT_EQ(kind.meaning.find(". "), std::string_view::npos) << kind.meaning;
  }
}

TEST(MetricNames, GivesFiguresInOrderEachWithItsStatistics) {
  Names loop;
  for (const char* figure :
       {"wakeups",      "busy",          "cpu",          "switches.voluntary", "switches.involuntary",
        "migrations",   "runqueue.p50",  "runqueue.p90", "runqueue.p99",       "runqueue.p999",
        "runqueue.max", "runqueue.mean", "runqueue.min", "runqueue.count",     "wake.p50",
        "wake.p90",     "wake.p99",      "wake.p999",    "wake.max",           "wake.mean",
        "wake.min",     "wake.count",    "preempted",    "faults.minor",       "faults.major",
        "cycles",       "instructions",  "ipc",          "cache_misses",       "branch_misses"}) {
    loop.push_back(StrCat("loop.flight.", figure));
  }
  EXPECT_EQ(MetricNames("loop.NAME", "loop.flight"), loop);
  EXPECT_EQ(MetricNames("memory", "memory"),
            (Names{"memory.total.pss.max", "memory.total.pss.mean", "memory.shared.max", "memory.shared.mean"}));
  EXPECT_EQ(MetricNames("rig", "rig"), (Names{"rig.cpu", "rig.trace.lost", "rig.pss.max", "rig.pss.mean"}));
}

TEST(MetricNames, OfAStreamAreItsCountsAndSixDistributions) {
  Names expected;
  for (const char* figure : {"rate", "sent", "received", "lost", "duplicated", "reordered", "corrupt", "unread",
                             "ambiguous", "truth_lost", "faults.injected", "faults.detected", "faults.undetected",
                             "false_alarms", "gaps", "overruns", "backlog", "blocked", "bytes_per_s"}) {
    expected.push_back(StrCat("stream.imu.", figure));
  }
  for (const char* figure : {"latency", "lateness", "transport", "queue", "service", "reaction"}) {
    for (const char* statistic : {"p50", "p90", "p99", "p999", "max", "mean", "min", "count"}) {
      expected.push_back(StrCat("stream.imu.", figure, ".", statistic));
    }
  }
  EXPECT_EQ(MetricNames("stream.NAME", "stream.imu"), expected);
}

TEST(MetricNames, OfAWorker) {
  const std::string part = "worker.price.0.";
  Names expected;
  for (const char* figure : {"rate",
                             "cpu",
                             "switches.voluntary",
                             "switches.involuntary",
                             "migrations",
                             "runqueue.p50",
                             "runqueue.p90",
                             "runqueue.p99",
                             "runqueue.p999",
                             "runqueue.max",
                             "runqueue.mean",
                             "runqueue.min",
                             "runqueue.count",
                             "slice.p50",
                             "slice.p90",
                             "slice.p99",
                             "slice.p999",
                             "slice.max",
                             "slice.mean",
                             "slice.min",
                             "slice.count",
                             "preempted",
                             "cycles",
                             "instructions",
                             "ipc",
                             "cache_misses",
                             "branch_misses",
                             "faults.minor",
                             "faults.major",
                             "faults.cow",
                             "rss.max",
                             "rss.mean",
                             "pss.max",
                             "pss.mean",
                             "uss.max",
                             "uss.mean",
                             "uss.growth",
                             "shared.max",
                             "shared.mean",
                             "swap.max",
                             "swap.mean",
                             "pagetables.max",
                             "pagetables.mean",
                             "cgroup.peak",
                             "start",
                             "stop"}) {
    expected.push_back(part + figure);
  }
  EXPECT_EQ(MetricNames("worker.NAME.I", "worker.price.0"), expected);
}

TEST(MetricNames, OfNoPartAreNone) { EXPECT_EQ(MetricNames("sensor.NAME", "sensor.imu"), Names{}); }

TEST(FindMetricKind, FindsEveryNameOfTheTableAndNoneTwice) {
  const Names names = AllNames();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const auto& name : names) {
    const MetricKind* kind = FindMetricKind(name);
    ASSERT_NE(kind, nullptr) << name;
    EXPECT_TRUE(name.starts_with(StrCat(PartOf(kind->part), ".", kind->figure)))
        << name << " found as " << kind->figure;
  }
}

TEST(FindMetricKind, TakesAnyNameAPartMayHave) {
  for (const char* name :
       {"stream.rate.rate", "stream.p99.latency.p99", "stream.7.lost", "worker.a-b.17.uss.max", "core.127.idle"}) {
    EXPECT_NE(FindMetricKind(name), nullptr) << name;
  }
}

TEST(FindMetricKind, FindsNothingElse) {
  for (const char* name : {"",
                           ".",
                           "stream",
                           "stream.imu",
                           "stream.imu.",
                           "stream.imu.latency",
                           "stream.imu.latency.",
                           "stream.imu.latency.p95",
                           "stream.imu.latency.p99.max",
                           "stream.imu.rate.",
                           "stream.imu.rate.mean",
                           "stream..rate",
                           "stream.rate",
                           "stream.imu.jitter.p99",
                           "Stream.imu.rate",
                           "worker.price.rate",
                           "worker.price.0.1.rate",
                           "worker.price.0.switches",
                           "worker.price.0.pss.growth",
                           "core.0",
                           "core.0.frequency.max",
                           "memory.total",
                           "memory.total.pss",
                           "memory.0.shared.max",
                           "rig.trace.lost.max",
                           "rig.pss.growth",
                           " rig.cpu",
                           "rig.cpu "}) {
    EXPECT_EQ(FindMetricKind(name), nullptr) << '"' << name << '"';
    EXPECT_EQ(UnitOf(name), "") << '"' << name << '"';
  }
}

TEST(UnitOf, IsTheFiguresButForCountAndGrowth) {
  EXPECT_EQ(UnitOf("stream.imu.latency.p99"), "ns");
  EXPECT_EQ(UnitOf("stream.imu.latency.count"), "count");
  EXPECT_EQ(UnitOf("stream.imu.bytes_per_s"), "bytes_per_s");
  EXPECT_EQ(UnitOf("loop.flight.runqueue.mean"), "ns");
  EXPECT_EQ(UnitOf("loop.flight.runqueue.count"), "count");
  EXPECT_EQ(UnitOf("worker.price.0.uss.max"), "bytes");
  EXPECT_EQ(UnitOf("worker.price.0.uss.growth"), "bytes_per_min");
  EXPECT_EQ(UnitOf("worker.price.0.rate"), "per_s");
  EXPECT_EQ(UnitOf("core.0.steal"), "share");
  for (const auto& name : AllNames()) EXPECT_FALSE(UnitOf(name).empty()) << name;
}

TEST(PercentileOf, IsThatOfTheStatistic) {
  EXPECT_EQ(PercentileOf("stream.imu.latency.p50"), 0.5);
  EXPECT_EQ(PercentileOf("stream.imu.latency.p90"), 0.9);
  EXPECT_EQ(PercentileOf("stream.imu.latency.p99"), 0.99);
  EXPECT_EQ(PercentileOf("x.p999"), 0.999);
  for (const char* name :
       {"stream.imu.latency.max", "stream.imu.latency.p95", "stream.p99.rate", "p99", "", "x.p9999"}) {
    EXPECT_EQ(PercentileOf(name), std::nullopt) << '"' << name << '"';
  }
}

TEST(PercentileOf, KnowsEveryPercentileOfTheTable) {
  for (const auto& name : AllNames()) {
    const bool percentile = name[name.rfind('.') + 1] == 'p' && name.back() >= '0' && name.back() <= '9';
    EXPECT_EQ(PercentileOf(name).has_value(), percentile) << name;
  }
}

TEST(MatchesPattern, AStarIsExactlyOneComponent) {
  EXPECT_TRUE(MatchesPattern("worker.price.*.uss.max", "worker.price.0.uss.max"));
  EXPECT_TRUE(MatchesPattern("worker.*.*.uss.max", "worker.price.12.uss.max"));
  EXPECT_TRUE(MatchesPattern("*.*", "rig.cpu"));
  EXPECT_TRUE(MatchesPattern("rig.cpu", "rig.cpu"));
  EXPECT_FALSE(MatchesPattern("worker.*.uss.max", "worker.price.0.uss.max")) << "not two components";
  EXPECT_FALSE(MatchesPattern("stream.*.imu.rate", "stream.imu.rate")) << "nor none";
  EXPECT_FALSE(MatchesPattern("stream.*", "stream.imu.rate"));
  EXPECT_FALSE(MatchesPattern("stream.im*.rate", "stream.imu.rate")) << "nor part of one";
  EXPECT_FALSE(MatchesPattern("stream.imu.rate", "stream.gnss.rate"));
  EXPECT_FALSE(MatchesPattern("stream.imu", "stream.imu.rate"));
}

}  // namespace
}  // namespace corerig
