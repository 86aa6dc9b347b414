#include "harness/run/disturbance.h"

#include <gtest/gtest.h>

#include "harness/base/metric.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Source on core 0, a loop with an IMU and a timer on core 1, two workers on cores 2 and 3; core 4 is not measured.
Plan SomePlan() {
  Plan plan;
  plan.source = SourcePlan{{0}, {}};
  plan.loops = {{.name = "flight", .core = {1}, .policy = {}}};
  StreamPlan imu, tick;
  imu.name = "imu";
  imu.loop = tick.loop = "flight";
  imu.channel = ChannelKind::kUdp;
  tick.name = "tick";
  plan.streams = {imu, tick};
  WorkerPlan price;
  price.name = "price";
  price.cores = {{2}, {3}};
  plan.workers = {price};
  plan.cores = {{0}, {1}, {2}, {3}, {4}};
  return plan;
}

// Ten seconds in which nobody disturbed.
RunRecord Quiet() {
  RunRecord record;
  record.trace.absent.clear();
  record.trace.covered = seconds(10);
  for (int cpu = 0; cpu < 5; ++cpu) {
    TraceCoreRecord core;
    core.cpu = cpu;
    record.trace.cores.push_back(core);
    record.cores.push_back({.cpu = cpu, .steal = 0.0});
  }
  return record;
}

std::string Only(const std::vector<Disturbance>& found, int core) {
  if (found.size() != 1) return "there are " + std::to_string(found.size());
  return found[0].core == core ? found[0].text : "of core " + std::to_string(found[0].core);
}

TEST(Disturbance, NobodyDisturbsAQuietRun) { EXPECT_TRUE(DisturbancesOf(SomePlan(), Quiet()).empty()); }

TEST(Disturbance, ForeignTasksBeyondTheirShareAreNamedWithTheirTime) {
  RunRecord record = Quiet();
  record.trace.cores[1].foreign = milliseconds(500);
  EXPECT_TRUE(DisturbancesOf(SomePlan(), record).empty()) << "5 % are allowed";
  record.trace.cores[1].foreign = milliseconds(6000);
  record.trace.cores[1].foreign_tasks = {
      {"hog", milliseconds(5900)}, {"kworker/1:0", milliseconds(90)}, {"sshd", milliseconds(9)}, {"x", Nanos(1)}};
  EXPECT_EQ(
      Only(DisturbancesOf(SomePlan(), record), 1),
      "foreign tasks took 60.0 % of core 1 (hog 5.90 s, kworker/1:0 90.0 ms, sshd 9.00 ms), more than max_foreign "
      "= 5.00 %");
  Plan plan = SomePlan();
  plan.disturbance.max_foreign = 0.6;
  EXPECT_TRUE(DisturbancesOf(plan, record).empty());
}

TEST(Disturbance, TheShareIsOfWhatTheTraceCovers) {
  RunRecord record = Quiet();
  record.trace.cores[1].foreign = milliseconds(450);
  record.trace.covered = seconds(5);
  EXPECT_EQ(DisturbancesOf(SomePlan(), record).size(), 1u);
}

TEST(Disturbance, ACoreWithoutAPartOfTheRunIsNotMeasured) {
  RunRecord record = Quiet();
  record.trace.cores[4].foreign = seconds(9);
  record.cores[4].steal = 0.5;
  EXPECT_TRUE(DisturbancesOf(SomePlan(), record).empty());
}

TEST(Disturbance, OfATraceWithGapsNothingIsSaid) {
  RunRecord record = Quiet();
  record.trace.cores[1].foreign = seconds(9);
  record.trace.gap = true;
  EXPECT_TRUE(DisturbancesOf(SomePlan(), record).empty());
  record.trace.gap = false;
  record.trace.absent = "tracefs is not there";
  EXPECT_TRUE(DisturbancesOf(SomePlan(), record).empty());
}

TEST(Disturbance, StealCountsWithoutATrace) {
  RunRecord record = Quiet();
  record.trace.absent = "tracefs is not there";
  record.cores[2].steal = 0.01;
  EXPECT_TRUE(DisturbancesOf(SomePlan(), record).empty());
  record.cores[2].steal = 0.25;
  EXPECT_EQ(Only(DisturbancesOf(SomePlan(), record), 2),
            "the hypervisor took 25.0 % of core 2, more than max_steal = 1.00 %");
}

TEST(Disturbance, AFrequencyThatChangedIsToldWithItsRange) {
  RunRecord record = Quiet();
  record.trace.cores[0].frequency_min = 1.62e9;
  record.trace.cores[0].frequency_max = 1.8e9;
  EXPECT_TRUE(DisturbancesOf(SomePlan(), record).empty()) << "10 % are allowed";
  record.trace.cores[0].frequency_min = 600e6;
  EXPECT_EQ(Only(DisturbancesOf(SomePlan(), record), 0),
            "core 0 ran at 600 MHz to 1.8 GHz, a change of 66.7 %, more than max_frequency_change = 10.0 %");
}

TEST(Disturbance, ConcernsTheFiguresOfItsCoreOnly) {
  const Plan plan = SomePlan();
  const std::vector<Disturbance> all = {{0, "0"}, {1, "1"}, {2, "2"}, {3, "3"}};
  const auto cores = [&](std::string_view metric) {
    std::string text;
    for (const auto* each : Concerning(plan, all, metric)) text += each->text;
    return text;
  };
  EXPECT_EQ(cores("stream.imu.latency.p99"), "01");
  EXPECT_EQ(cores("stream.tick.latency.p99"), "1") << "a timer has no source";
  EXPECT_EQ(cores("loop.flight.wake.p99"), "1");
  EXPECT_EQ(cores("worker.price.0.rate"), "2");
  EXPECT_EQ(cores("worker.price.1.cpu"), "3");
  EXPECT_EQ(cores("core.2.idle"), "2");
  EXPECT_EQ(cores("memory.total.pss.max"), "");
  EXPECT_EQ(cores("rig.cpu"), "");
}

TEST(Disturbance, MakesTheWorseOfEveryFigureWorse) {
  // Whoever is kept from a core does less of what it is there for, later, and in more pieces.
  for (const char* less : {"stream.imu.rate", "stream.imu.bytes_per_s", "stream.imu.sent", "stream.imu.received",
                           "loop.flight.wakeups", "loop.flight.switches.voluntary", "worker.price.0.rate",
                           "worker.price.0.cpu", "worker.price.0.slice.p50", "core.1.worker", "core.1.idle"}) {
    EXPECT_EQ(EffectOn(less), Effect::kLowers) << less;
  }
  for (const char* more :
       {"stream.imu.lost", "stream.imu.unread", "stream.imu.truth_lost", "stream.imu.latency.max",
        "stream.imu.lateness.p50", "stream.imu.transport.p50", "stream.imu.queue.p50", "stream.imu.service.p50",
        "loop.flight.switches.involuntary", "loop.flight.runqueue.p50", "loop.flight.wake.p50", "loop.flight.preempted",
        "worker.price.0.switches.involuntary", "worker.price.0.runqueue.p50", "worker.price.0.preempted",
        "worker.price.0.start", "worker.price.0.stop", "core.1.switches", "core.1.runqueue.p50"}) {
    EXPECT_EQ(EffectOn(more), Effect::kRaises) << more;
  }
  for (const char* either :
       {"loop.flight.busy", "loop.flight.cpu", "worker.price.0.switches.voluntary", "core.1.loop", "core.1.source"}) {
    EXPECT_EQ(EffectOn(either), Effect::kEither) << either;
  }
}

TEST(Disturbance, DrivesLatencyUpAndRatesDownAndMemoryNowhere) {
  EXPECT_EQ(EffectOn("stream.imu.latency.p99"), Effect::kRaises);
  EXPECT_EQ(EffectOn("stream.imu.lost"), Effect::kRaises);
  EXPECT_EQ(EffectOn("loop.flight.runqueue.max"), Effect::kRaises);
  EXPECT_EQ(EffectOn("worker.price.0.rate"), Effect::kLowers);
  EXPECT_EQ(EffectOn("worker.price.0.cpu"), Effect::kLowers);
  EXPECT_EQ(EffectOn("core.1.idle"), Effect::kLowers);
  EXPECT_EQ(EffectOn("loop.flight.cpu"), Effect::kEither);
  for (const char* metric : {"worker.price.0.uss.max", "stream.imu.corrupt", "core.1.foreign", "core.1.steal",
                             "rig.cpu", "stream.imu.latency.count"}) {
    ASSERT_NE(FindMetricKind(metric), nullptr) << metric;
    EXPECT_EQ(EffectOn(metric), Effect::kNone) << metric;
  }
}

}  // namespace
}  // namespace corerig
