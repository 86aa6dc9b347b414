#include "harness/report/sample_record.h"

#include <cmath>
#include <utility>

#include "harness/base/text.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

ProcessRecord Process(int pid) {
  ProcessRecord process;
  process.pid = pid;
  process.end = {EndRecord::Kind::kExited, 0, "", true};
  process.scheduling = {.run = 1500ms,
                        .wait = 20ms,
                        .timeslices = 20'010,
                        .voluntary = 20'000,
                        .involuntary = 10,
                        .migrations = 0,
                        .minor_faults = 12,
                        .major_faults = 1,
                        .observed = 20s};
  process.rss_peak = 9'000'000;
  process.memory = {{.at = 100ms, .rss = 8'500'000, .pss = 5'000'000, .uss = 4'000'000},
                    {.at = 10s, .rss = 8'900'000, .pss = 5'100'000, .uss = 4'100'000}};
  process.cow_faults = 7;
  process.memory_trend = {
      .verdict = MemoryTrend::Verdict::kSteady, .slope = 0, .low = -4096, .high = 8192, .reason = ""};
  process.memory_summary = MemorySummary{.rss = {8'900'000, 8'700'000},
                                         .pss = {5'100'000, 5'050'000},
                                         .uss = {4'100'000, 4'050'000},
                                         .shared = {4'800'000, 4'650'000},
                                         .swap = {},
                                         .page_tables = MemorySummary::Figure{81'920, 77'824},
                                         .uss_growth = 6e5};
  return process;
}

Distribution Samples(std::initializer_list<std::pair<std::int64_t, std::uint64_t>> samples) {
  Distribution out;
  for (const auto& [nanos, times] : samples) out.Add(nanos, times);
  return out;
}

StreamRecord Imu() {
  StreamRecord imu;
  imu.name = "imu";
  imu.sensor = "icm42688p";
  imu.format = "fifo";
  imu.channel = "seqpacket";
  imu.loop = "flight";
  imu.rate = Rate::Hertz(1000);
  imu.expected = 20'000;
  imu.sent = 20'000;
  imu.received = 19'890;
  imu.lost = 120;
  imu.duplicated = 11;
  imu.reordered = 7;
  imu.corrupt = 20;
  imu.unread = 1;
  imu.ambiguous = 2;
  imu.truth_lost = 3;
  imu.overruns = 4;
  imu.overflows = 1;
  imu.bytes = 320'000;
  imu.infinite = 5;
  imu.late_sends = 6;
  imu.gaps = 9;
  imu.stamps_discarded = 8;
  imu.latency = Samples({{18'000, 10'000}, {42'000, 9'800}, {612'000, 90}});
  imu.lateness = Samples({{3'000, 20'000}});
  imu.transport = Samples({{5'000, 19'000}});
  imu.queue = Samples({{8'000, 19'000}});
  imu.service = Samples({{900, 19'000}});
  imu.since_sent = Samples({{15'000, 10'000}, {39'000, 9'800}, {609'000, 90}});
  imu.value_error_rms = 0.0125;
  imu.value_unit = "m/s²";
  imu.faults = {{.kind = "drop", .injected = 100, .detected = 98, .undetected = 2},
                {.kind = "bit-flip",
                 .injected = 20,
                 .detected = 17,
                 .undetected = 3,
                 .undetectable = 2,
                 .ambiguous = 1,
                 .found_after = Nanos(41'000),
                 .value_error_rms = 3.5},
                {.kind = "stuck",
                 .injected = 500,
                 .detected = 500,
                 .episode = FaultRecord::Episode{Nanos(2'000'000'000), Nanos(2'500'000'000)},
                 .found_after = Nanos(14'020'000),
                 .value_error_rms = 0.25}};
  imu.alarms = {.repeating = 1, .implausible = 2, .late = 3};
  return imu;
}

// The loop's own timer: it has no sender, and nothing was decoded.
StreamRecord Tick() {
  StreamRecord tick;
  tick.name = "tick";
  tick.sensor = "tick";
  tick.channel = "timer";
  tick.loop = "flight";
  tick.rate = {100};
  tick.expected = tick.sent = tick.received = 2;
  tick.latency = tick.service = Samples({{12'000, 2}});
  return tick;
}

Tally PriceTally() {
  Tally tally = {.units = 1200, .vector_bits = 256, .sums = std::vector<ExactSum>(2)};
  for (const double term : {205'481'000.5, 1e-9}) tally.sums[0].Add(term);
  tally.sums[1].Add(5.5e9);
  return tally;
}

WorkerRecord Worker(int index) {
  WorkerRecord worker;
  worker.name = "price";
  worker.index = index;
  worker.workload = "montecarlo/option";
  worker.core = index + 2;
  worker.policy = "other";
  worker.process = Process(4003 + index);
  worker.units = 1200;
  worker.rate = 60;
  worker.start = 35us;
  worker.stop = 2ms;
  worker.has_result = true;
  worker.memory_limit = MemoryLimitRecord{.limit = {16 << 20}, .by = MemoryLimitRecord::By::kGroup};
  worker.group_peak = 5'242'880;
  return worker;
}

// The user's own program, whose lines nobody counts.
WorkerRecord Command() {
  WorkerRecord worker = Worker(0);
  worker.name = "camera";
  worker.workload = "exec";
  worker.core = 3;
  worker.process.pid = 4005;
  worker.process.end = {EndRecord::Kind::kSignalled, 15, "SIGTERM", true};
  worker.process.rss_peak.reset();
  worker.units.reset();
  worker.rate.reset();
  worker.has_result = false;
  worker.stdout_file = "worker.camera.0.stdout";
  worker.stderr_file = "worker.camera.0.stderr";
  worker.processes = 3;
  return worker;
}

void Crash(WorkerRecord& worker) {
  worker.process.end = {EndRecord::Kind::kSignalled, 11, "SIGSEGV", false};
  worker.process.rss_peak.reset();
  worker.process.memory.clear();
  worker.process.memory_summary.reset();
  worker.process.memory_trend = {.verdict = MemoryTrend::Verdict::kUndecided,
                                 .slope = {},
                                 .low = {},
                                 .high = {},
                                 .reason = "0 memory samples in the window; a trend needs 12"};
  worker.process.cow_faults.reset();
  worker.process.scheduling = {};
  worker.units = 7;
  worker.units_planned = 1200;
  worker.rate.reset();
  worker.start.reset();
  worker.stop.reset();
  worker.has_result = false;
}

Metric Present(std::string name, double value, std::string unit, std::string origin = "slab") {
  return {.name = std::move(name), .unit = std::move(unit), .value = value, .origin = std::move(origin), .absent = ""};
}

Metric Missing(std::string name, std::string unit, std::string why) {
  return {.name = std::move(name), .unit = std::move(unit), .value = {}, .origin = "", .absent = std::move(why)};
}

std::vector<Metric> Metrics() {
  return {
      Present("stream.imu.rate", 993.95, "per_s"),
      Present("stream.imu.received", 19'890, "count"),
      Present("stream.imu.lost", 120, "count"),
      Present("stream.imu.duplicated", 11, "count"),
      Present("stream.imu.reordered", 7, "count"),
      Present("stream.imu.corrupt", 20, "count"),
      Present("stream.imu.latency.p50", 18'048, "ns"),
      Present("stream.imu.latency.p99", 42'240, "ns"),
      Present("stream.imu.latency.max", INFINITY, "ns"),
      Present("stream.tick.rate", 0.1, "per_s"),
      Present("stream.tick.received", 2, "count"),
      Present("stream.tick.lost", 0, "count"),
      Present("stream.tick.duplicated", 0, "count"),
      Present("stream.tick.reordered", 0, "count"),
      Present("stream.tick.corrupt", 0, "count"),
      Present("stream.tick.latency.p50", 12'000, "ns"),
      Present("stream.tick.latency.p99", 12'000, "ns"),
      Present("stream.tick.latency.max", 12'000, "ns"),
      Missing("stream.tick.lateness.p50", "ns", "a timer stream has no sender"),
      Present("loop.flight.busy", 0.0411, "share"),
      Present("loop.flight.cpu", 0.0754, "share", "schedstat"),
      Present("loop.flight.runqueue.mean", 1'000, "ns", "schedstat"),
      Present("loop.flight.switches.voluntary", 20'000, "count", "procfs"),
      Present("loop.flight.switches.involuntary", 10, "count", "procfs"),
      Present("loop.flight.migrations", 0, "count", "procfs"),
      Present("loop.flight.faults.minor", 12, "count", "procfs"),
      Present("loop.flight.faults.major", 1, "count", "procfs"),
      Present("worker.price.0.rate", 60, "per_s"),
      Present("worker.price.0.cpu", 0.998, "share", "schedstat"),
      Present("worker.price.0.runqueue.mean", 12'300, "ns", "schedstat"),
      Present("worker.price.0.faults.minor", 12, "count", "procfs"),
      Present("worker.price.0.faults.major", 1, "count", "procfs"),
      Present("worker.price.0.uss.max", 4'100'000, "bytes", "smaps_rollup"),
      Missing("worker.price.1.rate", "per_s", "no unit of work ended in the window"),
      Missing("worker.price.1.uss.max", "bytes", "no memory sample of the process in the window"),
      Present("core.0.worker", 0, "share", "schedstat"),
      Present("core.0.loop", 0.0754, "share", "schedstat"),
      Present("core.0.source", 0.0312, "share", "schedstat"),
      Present("core.0.rig", 0.0021, "share", "schedstat"),
      Missing("core.0.idle", "share", "needs a scheduling trace, which this version does not record"),
      Present("core.0.steal", 0.0004, "share", "procfs"),
      Present("core.2.worker", 0.998, "share", "schedstat"),
      Present("core.2.loop", 0, "share", "schedstat"),
      Present("core.2.source", 0, "share", "schedstat"),
      Present("core.2.rig", 0, "share", "schedstat"),
      Missing("core.2.steal", "share", "no reading of /proc/stat at both ends of the window"),
      Present("memory.total.pss.max", 21'000'000, "bytes", "smaps_rollup"),
      Present("memory.total.pss.mean", 20'000'000, "bytes", "smaps_rollup"),
      Present("memory.shared.max", 3'000'000, "bytes", "smaps_rollup"),
      Present("rig.cpu", 0.0082, "share", "schedstat"),
      Present("rig.pss.max", 5'100'000, "bytes", "smaps_rollup"),
  };
}

// Where the kernel trusts us with what happens in user mode only, and the PMU has fewer counters than are wanted.
CountersRecord SampleCounters() {
  CountersRecord counters;
  for (const auto kind :
       {CounterKind::kTaskClock, CounterKind::kContextSwitches, CounterKind::kMigrations, CounterKind::kMinorFaults,
        CounterKind::kMajorFaults, CounterKind::kCycles, CounterKind::kInstructions, CounterKind::kCacheReferences,
        CounterKind::kCacheMisses, CounterKind::kBranchMisses}) {
    CounterRecord count = {.kind = kind, .value = 1.5e9, .running = 1, .user_only = true, .absent = ""};
    if (kind == CounterKind::kContextSwitches || kind == CounterKind::kMigrations) {
      count.value.reset();
      count.absent = "the kernel counts it for the privileged alone (Permission denied (EACCES))";
    } else if (kind >= CounterKind::kCacheReferences) {
      count.running = 0.625;
    }
    counters.counts.push_back(count);
  }
  return counters;
}

}  // namespace

RunRecord FullRecord() {
  RunRecord record;
  record.version = "0.1.0";
  record.build = "g++ 12.2.0, -O2";
  record.scenario_file = "scenarios/drone.toml";
  record.scenario_name = "drone";
  record.scenario_about = "Flight sensors on core 0 while cores 2 and 3 price options by Monte Carlo";
  record.scenario_json = R"({"name": "drone", "duration": "20s", "stream": {"imu": {"rate": "1kHz"}}})";
  record.board = {.model = "Raspberry Pi 5 Model B Rev 1.0",
                  .machine = "aarch64",
                  .kernel = "6.12.47-rt #1 SMP PREEMPT_RT",
                  .command_line = "console=ttyAMA10,115200 isolcpus=2,3",
                  .cores = {0, 2, 3},
                  .memory = 8'453'881'856,
                  .clock_source = "arch_sys_counter",
                  .governor = "performance"};
  record.conditions = {.command = {"corerig", "run", "scenarios/drone.toml"},
                       .seed = 18'446'744'073'709'551'615u,
                       .cpu_dma_latency = "0us",
                       .load_average = 0.25};
  record.started = {.monotonic = 1'000s, .realtime = 1'763'690'000'123'456'789ns, .boottime = 1'001s};
  record.duration = 20s;
  record.window = {.begin = 1'002s, .end = 1'022s};
  record.complete = true;
  record.verdict = Verdict::kFail;
  record.reasons = {"worker price.1 killed by SIGSEGV", "stream.imu.lost == 0: is 120",
                    "stream.*.transport.p99 < 1ms: stream.tick.transport.p99 absent: a timer stream has no sender"};
  record.budgets = {
      {"stream.imu.latency.p99 < 500us", "stream.imu.latency.p99", "42.2 µs", Verdict::kPass, ""},
      {"stream.imu.lost == 0", "stream.imu.lost", "120", Verdict::kFail, "is 120"},
      {"worker.price.*.uss.max < 24MiB", "worker.price.0.uss.max", "3.91 MiB", Verdict::kPass, ""},
      {"stream.*.transport.p99 < 1ms", "stream.tick.transport.p99", "", Verdict::kUndecided,
       "absent: a timer stream has no sender"},
  };
  record.at_break = BreakRecord{.stream = "imu",
                                .sample = 10432,
                                .due = 1'012s,
                                .done = 1'012s + 2'310us,
                                .limit = 2ms,
                                .trace_stopped = Nanos(36'000)};
  record.metrics = Metrics();
  record.source = Process(4001);
  record.source_core = 0;
  record.source_policy = "fifo:90";
  record.handler = Process(4002);
  // It leaks.
  record.workers = {Worker(0), Worker(1), Command()};
  record.groups = {{.name = "learn", .process = Process(4010)}};
  record.shard = {1, 4};
  record.merged = {{.file = "a/report.json",
                    .index = 0,
                    .count = 4,
                    .board = "AMD EPYC",
                    .machine = "x86_64",
                    .kernel = "6.18.0",
                    .verdict = Verdict::kPass}};
  record.workers[0].process.memory_trend = {
      .verdict = MemoryTrend::Verdict::kGrows, .slope = 6e5, .low = 5.5e5, .high = 7e5, .reason = ""};
  record.rig = Process(4000);
  record.rig.end = {EndRecord::Kind::kRunning, 0, "", true};
  record.rig_core = 0;
  record.streams = {Imu(), Tick()};
  record.loops = {{.name = "flight",
                   .tid = 4012,
                   .core = 0,
                   .policy = "fifo:80",
                   .wakeups = 20'002,
                   .busy = 822ms,
                   .scheduling = Process(0).scheduling}};
  Crash(record.workers[1]);
  record.cores = {{.cpu = 0, .worker = 0, .loop = 0.0754, .source = 0.0312, .rig = 0.0021, .steal = 0.0004},
                  {.cpu = 2, .worker = 0.998, .loop = 0, .source = 0, .rig = 0, .steal = {}}};
  Distribution delays;
  for (const int nanos : {900, 2'100, 2'300, 60'000}) delays.Add(nanos);
  record.loops[0].counters = SampleCounters();
  record.workers[0].process.counters = SampleCounters();
  record.switches = {.absent = "",
                     .records = 41'000,
                     .parts = {{.part = "loop flight",
                                .run = 1'500ms,
                                .voluntary = 20'000,
                                .involuntary = 12,
                                .migrations = 0,
                                .runqueue = {},
                                .wake = {},
                                .slice = delays,
                                .preempted = 3ms}}};
  record.trace = {.absent = "",
                  .events = 412'000,
                  .inferred = 0,
                  .covered = 20s,
                  .parts = {{.part = "loop flight",
                             .run = 1'500ms,
                             .voluntary = 20'000,
                             .involuntary = 12,
                             .migrations = 0,
                             .runqueue = delays,
                             .wake = delays,
                             .slice = delays,
                             .preempted = 3ms,
                             .held_by = {{"hog", "", 4711, 280ms, 3}, {"corerig", "source", 4001, 2ms, 9}}}},
                  .cores = {{.cpu = 0,
                             .worker = 0ns,
                             .loop = 1'508ms,
                             .source = 624ms,
                             .rig = 42ms,
                             .foreign = 300ms,
                             .irq = 90ms,
                             .idle = 17'436ms,
                             .switches = 61'000,
                             .migrations_in = 2,
                             .runqueue = delays,
                             .frequency = 1.8e9,
                             .frequency_min = 1.7e9,
                             .frequency_max = 1.8e9,
                             .lost = 0,
                             .foreign_tasks = {{"hog", 290ms}, {"kworker/0:1", 10ms}}}}};
  record.total_pss = MemorySummary::Figure{21'000'000, 20'000'000};
  record.shared = MemorySummary::Figure{3'000'000, 2'900'000};
  record.results = {{.group = "price",
                     .workload = "montecarlo/option",
                     .workers = 1,
                     .workers_planned = 2,
                     .units = 1200,
                     .figures = {{"price", 10.451234567, "EUR"}, {"price.standard_error", 0.00123, "EUR"}},
                     .check = CheckRecord{true, "10.4512 is 0.5 standard errors from Black-Scholes 10.4506 (limit 5)"},
                     .tally = PriceTally(),
                     .absent = ""},
                    {.group = "learn",
                     .workload = "train/sgd",
                     .workers = 0,
                     .workers_planned = 1,
                     .units = 0,
                     .figures = {},
                     .check = {},
                     .absent = "no worker left a result"}};
  const auto cause = [](SpikeCause::Kind kind, Nanos duration, std::string text) {
    SpikeCause out;
    out.kind = kind;
    out.duration = duration;
    out.core = 0;
    out.text = std::move(text);
    return out;
  };
  const std::string held = "it (fifo:80) was ready on core 0 but 'hog' (foreign, fifo:90, pid 4711) held the core for ";
  SpikeCause by_hog = cause(SpikeCause::Kind::kCoreHeld, 2'270us, held + "2.27 ms");
  by_hog.tid = 4711;
  by_hog.task = "hog";
  by_hog.role = "foreign";
  SpikeCause usual = cause(SpikeCause::Kind::kUsual, 40us, "40.0 µs is usual");
  usual.core = -1;
  record.spikes = {
      {.part = "stream.imu",
       .loop = "flight",
       .sample = 10'432,
       .at = 1'012s,
       .delay = 2'310us,
       .causes = {by_hog, usual},
       .text = "stream imu sample 10432 was 2.31 ms late: its loop (flight, fifo:80) was ready on core 0 but 'hog' "
               "(foreign, fifo:90, pid 4711) held the core for 2.27 ms; the rest, 40.0 µs, is usual"},
      // Of the same stall.
      {.part = "loop.flight",
       .loop = "flight",
       .sample = {},
       .at = 1'012s + 6us,
       .delay = 2'270us,
       .causes = {by_hog},
       .text = StrCat("loop flight was ready for 2.27 ms before it ran: ", held, "2.27 ms")},
      {.part = "stream.tick",
       .loop = "flight",
       .sample = 1,
       .at = 1'020s,
       .delay = 12us,
       .causes = {cause(SpikeCause::Kind::kTimerLate, 12us, "the timer interrupt came 12.0 µs late on core 0")},
       .text = "stream tick sample 1 was 12.0 µs late: the timer interrupt for its loop (flight, fifo:80) came 12.0 µs "
               "late on core 0 (idle exit)"}};
  record.warnings = {{WarningId::kSteal, "the hypervisor took 3.1 % of core 0"},
                     {WarningId::kGovernor, "core 0 runs under the governor \"ondemand\""}};
  return record;
}

RunRecord EarlyRecord() {
  RunRecord record;
  record.scenario_name = "drone";
  record.duration = 20s;
  record.verdict = Verdict::kUndecided;
  record.reasons = {"interrupted by SIGINT"};
  record.budgets = {
      {"stream.imu.lost == 0", "stream.imu.lost", "", Verdict::kUndecided, "interrupted by SIGINT"},
  };
  record.streams = {Imu()};
  record.streams[0].latency = {};
  record.streams[0].value_error_rms.reset();
  record.loops = {
      {.name = "flight", .tid = 0, .core = 0, .policy = "fifo:80", .wakeups = {}, .busy = {}, .scheduling = {}}};
  record.workers = {Worker(0)};
  Crash(record.workers[0]);
  record.cores = {{}};
  record.metrics = {Missing("stream.imu.rate", "per_s", "the window is empty"),
                    Missing("rig.cpu", "share", "no reading of the process in the window")};
  return record;
}

}  // namespace corerig
