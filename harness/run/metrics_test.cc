#include "harness/run/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "harness/base/text.h"

namespace corerig {
namespace {

// One of everything: a stream, a loop, a worker, a core; a window of two seconds.
Plan SmallPlan() {
  Plan plan;
  plan.loops = {{.name = "flight", .core = CpuId{0}, .policy = {}}};
  StreamPlan stream;
  stream.name = "imu";
  stream.channel = ChannelKind::kSeqpacket;
  plan.streams = {stream};
  WorkerPlan worker;
  worker.name = "price";
  worker.cores = {CpuId{1}};
  plan.workers = {worker};
  plan.cores = {CpuId{0}};
  return plan;
}

SchedulingRecord Ran(std::int64_t run_ns) {
  SchedulingRecord scheduling;
  scheduling.run = Nanos(run_ns);
  scheduling.wait = Nanos(3000);
  scheduling.timeslices = 3;
  scheduling.voluntary = 2;
  scheduling.involuntary = 1;
  scheduling.observed = Nanos(2'000'000'000);
  return scheduling;
}

RunRecord SmallRecord() {
  RunRecord record;
  record.source.emplace().end = {.kind = EndRecord::Kind::kExited, .number = 0, .detail = "", .as_planned = true};
  record.window = {Nanos(1'000'000'000), Nanos(3'000'000'000)};
  record.handler.emplace().end = {.kind = EndRecord::Kind::kExited, .number = 0, .detail = "", .as_planned = true};
  StreamRecord stream;
  stream.name = "imu";
  stream.channel = "seqpacket";
  stream.sent = stream.expected = 100;
  stream.received = 98;
  stream.duplicated = 2;
  stream.lost = 4;
  stream.bytes = 1600;
  stream.latency.Add(50, 96);
  stream.infinite = 4;
  record.streams = {stream};
  LoopRecord loop;
  loop.name = "flight";
  loop.tid = 7;
  loop.wakeups = 96;
  loop.busy = Nanos(500'000'000);
  loop.scheduling = Ran(200'000'000);
  loop.scheduling.minor_faults = 4;
  loop.scheduling.major_faults = 3;
  record.loops = {loop};
  WorkerRecord worker;
  worker.name = "price";
  worker.rate = 12.5;
  worker.process.scheduling = Ran(1'900'000'000);
  worker.process.scheduling.minor_faults = 9;
  worker.process.rss_peak = 5000;
  worker.process.memory_summary =
      MemorySummary{.rss = {4000, 3000}, .pss = {3000, 2500}, .uss = {2000, 1500}, .uss_growth = 60};
  worker.process.memory_summary->shared = {2100, 2050};
  worker.process.memory_summary->page_tables = MemorySummary::Figure{80, 70};
  worker.process.cow_absent = "the count is off";
  worker.group_peak = 6000;
  worker.start = Nanos(1234);
  record.workers = {worker};
  record.cores = {{.cpu = 0, .worker = 0, .loop = 0.1, .source = 0.2, .rig = 0.01, .steal = 0.003}};
  record.rig.scheduling = Ran(20'000'000);
  record.total_pss = MemorySummary::Figure{9000, 8000};
  return record;
}

std::map<std::string, Metric> ByName(const RunRecord& record) {
  std::map<std::string, Metric> metrics;
  for (auto& metric : MetricsFrom(SmallPlan(), record)) metrics[metric.name] = metric;
  return metrics;
}

TEST(Metrics, HaveEveryNameOfThePlanInItsOrder) {
  const auto metrics = MetricsFrom(SmallPlan(), SmallRecord());
  const auto names = MetricsOf(SmallPlan());
  ASSERT_EQ(metrics.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(metrics[i].name, names[i]);
}

TEST(Metrics, EachHasEitherAValueWithOriginAndUnitOrAReason) {
  for (const auto& metric : MetricsFrom(SmallPlan(), SmallRecord())) {
    EXPECT_NE(metric.unit, "") << metric.name;
    EXPECT_EQ(metric.value.has_value(), metric.absent.empty()) << metric.name << ": " << metric.absent;
    EXPECT_EQ(metric.value.has_value(), !metric.origin.empty()) << metric.name;
    EXPECT_NE(metric.absent, "not measured in this run") << metric.name << " is never filled in";
  }
}

TEST(Metrics, OfMemoryThatTheBoardDoesNotTellAreAbsentWithTheReason) {
  RunRecord record = SmallRecord();
  record.workers[0].group_peak.reset();
  record.workers[0].group_peak_absent = "no limit was set";
  auto metrics = ByName(record);
  EXPECT_EQ(metrics["worker.price.0.swap.max"].absent, "the board has no swap");
  EXPECT_EQ(metrics["worker.price.0.swap.mean"].absent, "the board has no swap");
  EXPECT_EQ(metrics["worker.price.0.faults.cow"].absent, "the count is off");
  EXPECT_EQ(metrics["worker.price.0.cgroup.peak"].absent, "no limit was set");
  record.workers[0].process.memory_summary->swap = MemorySummary::Figure{4096, 1024};
  record.workers[0].process.memory_summary->page_tables.reset();
  record.workers[0].process.cow_faults = 17;
  metrics = ByName(record);
  EXPECT_EQ(metrics["worker.price.0.swap.max"].value, 4096);
  EXPECT_EQ(metrics["worker.price.0.faults.cow"].value, 17);
  EXPECT_EQ(metrics["worker.price.0.pagetables.max"].absent, "no sample of its page tables");
  record.workers[0].process.memory_summary.reset();
  EXPECT_EQ(ByName(record)["worker.price.0.swap.max"].absent, "no memory sample of the process in the window");
}

TEST(Metrics, ValuesAreThoseOfTheParts) {
  auto metrics = ByName(SmallRecord());
  const std::map<std::string, double> expected = {{"stream.imu.rate", 48},
                                                  {"stream.imu.sent", 100},
                                                  {"stream.imu.bytes_per_s", 800},
                                                  {"stream.imu.latency.p90", 50},
                                                  {"stream.imu.latency.p99", INFINITY},
                                                  {"stream.imu.latency.max", INFINITY},
                                                  {"stream.imu.latency.count", 96},
                                                  {"loop.flight.busy", 0.25},
                                                  {"loop.flight.cpu", 0.1},
                                                  {"loop.flight.faults.minor", 4},
                                                  {"loop.flight.faults.major", 3},
                                                  {"worker.price.0.faults.minor", 9},
                                                  {"worker.price.0.faults.major", 0},
                                                  {"worker.price.0.cpu", 0.95},
                                                  {"worker.price.0.rate", 12.5},
                                                  {"worker.price.0.runqueue.mean", 1000},
                                                  {"worker.price.0.rss.max", 5000},
                                                  {"worker.price.0.uss.max", 2000},
                                                  {"worker.price.0.uss.growth", 60},
                                                  {"worker.price.0.shared.max", 2100},
                                                  {"worker.price.0.shared.mean", 2050},
                                                  {"worker.price.0.pagetables.max", 80},
                                                  {"worker.price.0.pagetables.mean", 70},
                                                  {"worker.price.0.cgroup.peak", 6000},
                                                  {"worker.price.0.start", 1234},
                                                  {"core.0.source", 0.2},
                                                  {"core.0.steal", 0.003},
                                                  {"memory.total.pss.max", 9000},
                                                  {"rig.cpu", 0.01}};
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(metrics[name].value) << name << ": " << metrics[name].absent;
    EXPECT_DOUBLE_EQ(*metrics[name].value, value) << name;
  }
}

TEST(Metrics, WhatWasNotMeasuredIsAbsentAndNeverZero) {
  RunRecord record = SmallRecord();
  record.workers[0].process.scheduling = {};
  record.workers[0].process.memory_summary = {};
  record.workers[0].process.rss_peak = {};
  record.workers[0].rate = {};
  record.loops[0].wakeups = {};
  record.loops[0].scheduling = {};
  record.rig.scheduling = {};
  record.streams[0].latency = {};
  record.streams[0].infinite = 0;
  auto metrics = ByName(record);
  for (const std::string name :
       {"worker.price.0.cpu", "worker.price.0.faults.minor", "worker.price.0.uss.max", "worker.price.0.rss.max",
        "worker.price.0.rate", "worker.price.0.stop", "loop.flight.busy", "loop.flight.cpu", "rig.cpu", "core.0.loop",
        "stream.imu.latency.p50", "stream.imu.latency.max", "core.0.foreign", "core.0.irq", "core.0.idle"}) {
    EXPECT_FALSE(metrics[name].value) << name;
    EXPECT_NE(metrics[name].absent, "") << name;
  }
}

TEST(Metrics, OfAStreamWhoseSourceDidNotStartAreAbsent) {
  RunRecord record = SmallRecord();
  record.source->end = {.kind = EndRecord::Kind::kFailedToStart, .number = 0, .detail = "exec", .as_planned = false};
  auto metrics = ByName(record);
  EXPECT_FALSE(metrics["stream.imu.lost"].value) << "a stream that never was has lost nothing, but not passed either";
}

TEST(Metrics, OfAnExternalReceiverAreAbsentAndTheSourcesAreThere) {
  RunRecord record = SmallRecord();
  record.handler.reset();
  StreamRecord& stream = record.streams[0];
  stream.endpoint = "pty:/tmp/gps";
  stream.sent = 10;
  stream.overruns = 3;
  stream.bytes = 4000;
  stream.lateness = Distribution();
  stream.lateness.Add(1000, 10);
  stream.faults = {{.kind = "drop", .injected = 2}, {.kind = "bit-flip", .injected = 5}};
  std::map<std::string, Metric> metrics;
  for (auto& metric : MetricsFrom(SmallPlan(), record)) metrics[metric.name] = metric;
  EXPECT_EQ(metrics.at("stream.imu.sent").value, 10);
  EXPECT_EQ(metrics.at("stream.imu.overruns").value, 3);
  EXPECT_EQ(metrics.at("stream.imu.bytes_per_s").value, 2000);
  EXPECT_EQ(metrics.at("stream.imu.lateness.p50").value, 1000);
  EXPECT_EQ(metrics.at("stream.imu.faults.injected").value, 7);
  for (const char* name : {"rate", "received", "lost", "corrupt", "faults.detected", "faults.undetected",
                           "false_alarms", "latency.p50", "transport.count", "service.max"}) {
    const Metric& metric = metrics.at(StrCat("stream.imu.", name));
    EXPECT_FALSE(metric.value) << name;
    EXPECT_EQ(metric.absent, "the receiver is external") << name;
  }
}

TEST(Metrics, OfALosslessStreamSayWhatItsReceiverTook) {
  const auto metrics = [](const RunRecord& record) {
    std::map<std::string, Metric> all;
    for (auto& metric : MetricsFrom(SmallPlan(), record)) all[metric.name] = metric;
    return all;
  };
  RunRecord record = SmallRecord();
  EXPECT_EQ(metrics(record).at("stream.imu.rate").value, 48) << "96 done of those due in a window of two seconds";
  EXPECT_FALSE(metrics(record).at("stream.imu.backlog").value);
  EXPECT_EQ(metrics(record).at("stream.imu.blocked").absent, "its frames wait for no room: pace is \"real-time\"");
  StreamRecord& stream = record.streams[0];
  stream.lossless = true;
  stream.backlog = 17;
  stream.blocked = Nanos(500'000'000);
  stream.in_window = 80;
  EXPECT_EQ(metrics(record).at("stream.imu.rate").value, 40) << "80 done in the window";
  EXPECT_EQ(metrics(record).at("stream.imu.backlog").value, 17);
  EXPECT_EQ(metrics(record).at("stream.imu.blocked").value, 0.25);
  EXPECT_EQ(metrics(record).at("stream.imu.blocked").unit, "share");
  stream.endpoint = "unix:/tmp/x";
  EXPECT_EQ(metrics(record).at("stream.imu.rate").value, 40) << "taken by its endpoint";
}

TEST(Metrics, OfACoreAreAbsentIfOneOfItsTasksCouldNotBeRead) {
  RunRecord record = SmallRecord();
  record.cores[0].unmeasured = "no reading of one of its tasks at both ends of the window";
  auto metrics = ByName(record);
  EXPECT_FALSE(metrics["core.0.loop"].value);
}

TEST(Metrics, OfReadingsThatCoverASliverOfTheWindowAreAbsent) {
  RunRecord record = SmallRecord();
  record.rig.scheduling.observed = Nanos(500'000);
  auto metrics = ByName(record);
  for (const std::string name :
       {"worker.price.0.cpu", "worker.price.0.faults.minor", "loop.flight.cpu", "core.0.loop", "rig.cpu"}) {
    EXPECT_FALSE(metrics[name].value) << name;
  }
}

// A part as the records of its switches tell: three slices of 10, 20 and 30 ns, once preempted for half a second.
TracePartRecord Switched(const std::string& name) {
  TracePartRecord part = {.part = name, .runqueue = {}, .wake = {}, .slice = {}};
  part.voluntary = 2;
  part.involuntary = 1;
  part.migrations = 4;
  part.preempted = Nanos(500'000'000);
  for (const int slice : {10, 20, 30}) part.slice.Add(slice);
  return part;
}

TEST(Metrics, WithoutATraceComeFromTheRecordsOfSwitches) {
  RunRecord record = SmallRecord();
  record.trace.absent = "not root";
  record.switches.absent = "";
  record.switches.parts = {Switched("loop flight"), Switched("worker price.0")};
  auto metrics = ByName(record);
  for (const std::string part : {"loop.flight.", "worker.price.0."}) {
    EXPECT_EQ(metrics[part + "switches.voluntary"].value, 2) << part;
    EXPECT_EQ(metrics[part + "switches.involuntary"].value, 1) << part;
    EXPECT_EQ(metrics[part + "migrations"].value, 4) << part;
    EXPECT_EQ(metrics[part + "preempted"].value, 0.25) << part;
    EXPECT_EQ(metrics[part + "preempted"].origin, "perf") << part;
    EXPECT_EQ(metrics[part + "runqueue.p99"].absent,
              "records of its switches do not tell when it was woken; there is no scheduling trace: not root");
    EXPECT_EQ(metrics[part + "runqueue.mean"].origin, "schedstat") << part;
  }
  EXPECT_EQ(metrics["worker.price.0.slice.count"].value, 3);
  EXPECT_EQ(metrics["worker.price.0.slice.max"].value, 30);
  EXPECT_EQ(metrics["worker.price.0.slice.max"].origin, "perf");
  EXPECT_FALSE(metrics["loop.flight.wake.p50"].value);

  record.switches.gap = true;
  record.switches.lost = 12;
  metrics = ByName(record);
  EXPECT_EQ(metrics["worker.price.0.slice.max"].absent,
            "there is no scheduling trace: not root; no records of its switches: 12 records were lost");
  EXPECT_EQ(metrics["worker.price.0.switches.voluntary"].origin, "procfs");

  record.trace.absent = "";
  record.trace.parts = {Switched("worker price.0")};
  EXPECT_EQ(ByName(record)["worker.price.0.slice.max"].origin, "trace") << "the trace comes first";
}

TEST(Metrics, WithNeitherTraceNorRecordsSayWhyOnce) {
  RunRecord record = SmallRecord();
  record.trace.absent = record.switches.absent = "the scenario says trace = false";
  auto metrics = ByName(record);
  EXPECT_EQ(metrics["loop.flight.preempted"].absent, "there is no scheduling trace: the scenario says trace = false");
  record.switches.absent = "refused";
  EXPECT_EQ(ByName(record)["loop.flight.preempted"].absent,
            "there is no scheduling trace: the scenario says trace = false; no records of its switches: refused");
}

TEST(Metrics, OfCountersSayHowTheyWereCounted) {
  RunRecord record = SmallRecord();
  const auto counted = [](CounterKind kind, double value, double running, bool user_only) {
    return CounterRecord{.kind = kind, .value = value, .running = running, .user_only = user_only, .absent = ""};
  };
  record.workers[0].process.counters.counts = {counted(CounterKind::kCycles, 4000, 1, true),
                                               counted(CounterKind::kInstructions, 6000, 0.5, true),
                                               counted(CounterKind::kBranchMisses, 7, 1, false),
                                               {.kind = CounterKind::kCacheMisses, .value = {}, .absent = "no PMU"}};
  auto metrics = ByName(record);
  EXPECT_EQ(metrics["worker.price.0.cycles"].value, 4000);
  EXPECT_EQ(metrics["worker.price.0.cycles"].origin, "perf user only");
  EXPECT_EQ(metrics["worker.price.0.ipc"].value, 1.5);
  EXPECT_EQ(metrics["worker.price.0.ipc"].origin, "perf user only scaled");
  EXPECT_EQ(metrics["worker.price.0.branch_misses"].origin, "perf");
  EXPECT_EQ(metrics["worker.price.0.cache_misses"].absent, "no PMU");
  EXPECT_EQ(metrics["loop.flight.cycles"].absent, "no reading of the process in the window");
  record.workers[0].process.counters.counts[0].value = 0;
  EXPECT_EQ(ByName(record)["worker.price.0.ipc"].absent, "it did not run in the window");
  record.rig.scheduling.observed = Nanos(500'000);
  EXPECT_FALSE(ByName(record)["worker.price.0.cycles"].value) << "the readings do not cover the window";
}

// Two seconds of core 0 as the trace tells them: a quarter idle, the rest shared by all.
RunRecord TracedRecord() {
  RunRecord record = SmallRecord();
  record.trace.absent = "";
  record.trace.covered = Nanos(2'000'000'000);
  record.trace.parts = {Switched("worker price.0")};
  TraceCoreRecord core;
  core.cpu = 0;
  core.worker = Nanos(600'000'000);
  core.loop = Nanos(400'000'000);
  core.source = Nanos(200'000'000);
  core.rig = Nanos(100'000'000);
  core.foreign = Nanos(150'000'000);
  core.irq = Nanos(50'000'000);
  core.idle = Nanos(500'000'000);
  core.switches = 70;
  core.migrations_in = 5;
  core.frequency = 1.8e9;
  core.runqueue.Add(1000, 7);
  record.trace.cores = {core};
  return record;
}

double SumOfShares(std::map<std::string, Metric>& metrics) {
  double sum = 0;
  for (const char* share : {"worker", "loop", "source", "rig", "foreign", "irq", "idle", "steal"}) {
    sum += metrics[StrCat("core.0.", share)].value.value_or(NAN);
  }
  return sum;
}

TEST(Metrics, SharesOfATracedCoreAddUpToOneWithWhatTheHypervisorTook) {
  for (const double steal : {0.0, 0.003, 0.15, 0.6}) {
    RunRecord record = TracedRecord();
    record.cores[0].steal = steal;
    auto metrics = ByName(record);
    EXPECT_DOUBLE_EQ(SumOfShares(metrics), 1) << steal;
    EXPECT_EQ(metrics["core.0.steal"].value, steal);
    // It was taken from all work alike, and from idling not at all.
    EXPECT_DOUBLE_EQ(*metrics["core.0.idle"].value, 0.25) << steal;
    EXPECT_DOUBLE_EQ(*metrics["core.0.worker"].value, 0.3 * (0.75 - steal) / 0.75) << steal;
    EXPECT_DOUBLE_EQ(*metrics["core.0.loop"].value, 0.2 * (0.75 - steal) / 0.75) << steal;
    EXPECT_DOUBLE_EQ(*metrics["core.0.source"].value, 0.1 * (0.75 - steal) / 0.75) << steal;
    EXPECT_DOUBLE_EQ(*metrics["core.0.rig"].value, 0.05 * (0.75 - steal) / 0.75) << steal;
    EXPECT_DOUBLE_EQ(*metrics["core.0.foreign"].value, 0.075 * (0.75 - steal) / 0.75) << steal;
    EXPECT_DOUBLE_EQ(*metrics["core.0.irq"].value, 0.025 * (0.75 - steal) / 0.75) << steal;
    for (const char* share : {"worker", "loop", "source", "rig", "foreign", "irq", "idle"}) {
      EXPECT_EQ(metrics[StrCat("core.0.", share)].origin, "trace") << share;
    }
  }
  // More than the core was busy: the two clocks disagree, and no share becomes less than nothing.
  RunRecord record = TracedRecord();
  record.cores[0].steal = 0.9;
  EXPECT_DOUBLE_EQ(*ByName(record)["core.0.worker"].value, 0.3);
}

TEST(Metrics, OfATracedCoreAreTheTraces) {
  auto metrics = ByName(TracedRecord());
  EXPECT_EQ(metrics["core.0.switches"].value, 70);
  EXPECT_EQ(metrics["core.0.migrations_in"].value, 5);
  EXPECT_EQ(metrics["core.0.frequency"].value, 1.8e9);
  EXPECT_EQ(metrics["core.0.runqueue.count"].value, 7);
  EXPECT_EQ(metrics["core.0.runqueue.min"].value, 1000);
  RunRecord record = TracedRecord();
  TraceCoreRecord other = record.trace.cores[0];
  other.cpu = 1;
  other.switches = 9;
  record.trace.cores.insert(record.trace.cores.begin(), other);
  EXPECT_EQ(ByName(record)["core.0.switches"].value, 70) << "not those of core 1";
  record = TracedRecord();
  record.trace.cores[0].frequency.reset();
  record.trace.sees_interrupts = false;
  metrics = ByName(record);
  EXPECT_FALSE(metrics["core.0.frequency"].value);
  EXPECT_EQ(metrics["core.0.irq"].absent,
            "this kernel traces no interrupts; their time is in that of the tasks they interrupt");
  // Of a run that stopped at a break, the shares are those of the time that was traced.
  record = TracedRecord();
  record.trace.covered = Nanos(1'000'000'000);
  for (Nanos* time : {&record.trace.cores[0].worker, &record.trace.cores[0].loop, &record.trace.cores[0].source,
                      &record.trace.cores[0].rig, &record.trace.cores[0].foreign, &record.trace.cores[0].irq,
                      &record.trace.cores[0].idle}) {
    *time /= 2;
  }
  metrics = ByName(record);
  EXPECT_DOUBLE_EQ(SumOfShares(metrics), 1);
}

TEST(Metrics, OverAGapInTheTraceAreAbsentAndSayWhatWasLostWhere) {
  RunRecord record = TracedRecord();
  record.trace.gap = true;
  record.trace.lost = 820;
  record.trace.cores[0].lost = 812;
  TraceCoreRecord other = record.trace.cores[0];
  other.cpu = 1;
  other.lost = 1;
  record.trace.cores.push_back(other);
  auto metrics = ByName(record);
  const std::string why =
      "the scheduling trace has gaps: 812 events of core 0, 1 event of core 1, 7 of other cores were lost; leave the "
      "rig a core of its own, or lower the rates of streams and switches";
  for (const std::string name :
       {"core.0.foreign", "core.0.irq", "core.0.idle", "core.0.switches", "core.0.migrations_in", "core.0.frequency",
        "core.0.runqueue.p50", "core.0.runqueue.count", "worker.price.0.slice.p50", "worker.price.0.preempted",
        "worker.price.0.runqueue.p99", "loop.flight.wake.p99"}) {
    EXPECT_FALSE(metrics[name].value) << name;
    EXPECT_EQ(metrics[name].absent, why) << name;
  }
  // What /proc tells stands.
  EXPECT_EQ(metrics["core.0.source"].value, 0.2);
  EXPECT_EQ(metrics["core.0.source"].origin, "schedstat");
  EXPECT_EQ(metrics["worker.price.0.switches.voluntary"].origin, "procfs");
  EXPECT_EQ(metrics["rig.trace.lost"].value, 820);
}

TEST(Metrics, OfAnEmptyWindowAreAbsent) {
  RunRecord record = SmallRecord();
  record.window.end = record.window.begin;
  auto metrics = ByName(record);
  EXPECT_FALSE(metrics["stream.imu.rate"].value);
  EXPECT_FALSE(metrics["stream.imu.sent"].value);
}

TEST(Metrics, TransportIsAbsentWhereNoKernelStampsAndSaysWhy) {
  for (const auto& [channel, why] : {std::pair<std::string, std::string>{"shm", "shared memory"},
                                     {"pipe", "stream of bytes"},
                                     {"timer", "no sender"},
                                     {"seqpacket", "not usable"}}) {
    RunRecord record = SmallRecord();
    record.streams[0].channel = channel;
    const Metric metric = ByName(record).at("stream.imu.transport.p50");
    EXPECT_FALSE(metric.value) << channel;
    EXPECT_NE(metric.absent.find(why), std::string::npos) << channel << ": " << metric.absent;
  }
}

}  // namespace
}  // namespace corerig
