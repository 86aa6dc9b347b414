#include "harness/run/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "harness/base/channel_kind.h"
#include "harness/base/text.h"
#include "harness/plan/parts.h"

namespace corerig {
namespace {

constexpr std::string_view kLateReading =
    "the supervisor came late to an end of the window: its readings do not cover it";
constexpr std::string_view kNoReading = "no reading of the process in the window";
constexpr std::string_view kEmptyWindow = "the run ended before its window began";
constexpr std::string_view kNoSwap = "the board has no swap", kNoPageTables = "no sample of its page tables";
constexpr std::string_view kNoSamples = "no sample was done in the window";

// Readings may miss the window by this much: more on a short one, where a moment is a larger share.
constexpr double kLateShare = 0.05, kLateSeconds = 0.03;

// Values and reasons by metric name, as they are found.
class Table {
 public:
  static constexpr std::string_view kNoMemory = "no memory sample of the process in the window";

  void Set(const std::string& name, double value, std::string_view origin) {
    if (std::isnan(value)) return Absent(name, kNoSamples);
    found_[name] = Metric{.name = name, .unit = "", .value = value, .origin = std::string(origin), .absent = ""};
  }
  void Absent(const std::string& name, std::string_view why) {
    found_[name] = Metric{.name = name, .unit = "", .value = std::nullopt, .origin = "", .absent = std::string(why)};
  }

  void MaxAndMean(const std::string& figure, const std::optional<MemorySummary::Figure>& value, std::string_view origin,
                  std::string_view why_absent = kNoMemory) {
    if (value) {
      Set(figure + ".max", value->max, origin);
      Set(figure + ".mean", value->mean, origin);
    } else {
      Absent(figure + ".max", why_absent);
      Absent(figure + ".mean", why_absent);
    }
  }
  Metric Take(const std::string& name) {
    auto at = found_.find(name);
    if (at == found_.end())
      return {.name = name, .unit = "", .value = {}, .origin = "", .absent = "not measured in this run"};
    return std::move(at->second);
  }

 private:
  std::map<std::string, Metric> found_;
};

// `infinite` counts samples that were never done: later than any of `seen`.
void AddDistribution(Table& table, const std::string& figure, const Distribution& seen, std::string_view why_empty,
                     std::string_view origin, std::uint64_t infinite = 0) {
  table.Set(figure + ".count", static_cast<double>(seen.count()), origin);
  const auto add = [&](const char* statistic, bool known, double value, std::string_view why_absent) {
    if (known) {
      table.Set(figure + statistic, value, origin);
    } else {
      table.Absent(figure + statistic, why_absent);
    }
  };
  const bool any_done = seen.count() > 0, any = any_done || infinite > 0;
  for (const auto& [statistic, p] : {std::pair{".p50", 0.5}, {".p90", 0.9}, {".p99", 0.99}, {".p999", 0.999}}) {
    add(statistic, any, seen.Percentile(p, infinite), why_empty);
  }
  add(".max", any, infinite > 0 ? INFINITY : static_cast<double>(seen.max()), why_empty);
  // Of the samples that were done: a mean with an infinite one in it would say nothing about the others.
  add(".mean", any_done, seen.mean(), any ? kNoSamples : why_empty);
  add(".min", any_done, static_cast<double>(seen.min()), any ? kNoSamples : why_empty);
}

void AbsentDistribution(Table& table, const std::string& figure, std::string_view why) {
  for (const char* statistic : {".p50", ".p90", ".p99", ".p999", ".max", ".mean", ".min", ".count"}) {
    table.Absent(figure + statistic, why);
  }
}

// Why nothing is known about a stream; empty if something is.
std::string_view WhyNoStream(const RunRecord& record, const StreamRecord& stream, double seconds) {
  const auto started = [](const std::optional<ProcessRecord>& process) {
    return process && process->end.kind != EndRecord::Kind::kFailedToStart;
  };
  if (seconds <= 0) return kEmptyWindow;
  if (stream.endpoint.empty() && !started(record.handler)) return "the handler did not start";
  if (stream.channel != "timer" && !started(record.source)) return "the source did not start";
  return {};
}

// Why a channel has no stage `transport`; empty if it has.
std::string_view WhyNoTransport(std::string_view channel) {
  const auto kind = ParseChannelKind(channel);
  if (kind && HasKernelStamps(*kind)) return {};
  if (kind == ChannelKind::kTimer) return "a timer stream has no sender";
  if (kind == ChannelKind::kShm) return "no kernel carries what is handed over in shared memory, and none stamps it";
  return "the kernel stamps no single frame of a stream of bytes";
}

void AddStream(Table& table, const StreamRecord& stream, double seconds, std::string_view unknown) {
  const std::string part = StrCat("stream.", stream.name, ".");
  if (!unknown.empty()) {
    for (const auto& name : MetricNames("stream.NAME", StrCat("stream.", stream.name))) table.Absent(name, unknown);
    return;
  }
  const auto count = [&](const char* figure, std::uint64_t value) {
    table.Set(part + figure, static_cast<double>(value), "slab");
  };
  count("sent", stream.sent);
  count("gaps", stream.gaps);
  std::uint64_t injected = 0;
  for (const auto& fault : stream.faults) injected += fault.injected;
  count("faults.injected", injected);
  table.Set(part + "bytes_per_s", static_cast<double>(stream.bytes) / seconds, "slab");
  const bool timer = stream.channel == "timer";
  const std::string_view no_sender = "a timer stream has no sender";
  if (timer) {
    table.Absent(part + "overruns", no_sender);
  } else {
    count("overruns", stream.overruns);
  }
  if (stream.lossless) {
    count("backlog", stream.backlog);
    table.Set(part + "blocked", static_cast<double>(stream.blocked.count()) / (seconds * 1e9), "slab");
  } else {
    for (const char* figure : {"backlog", "blocked"}) {
      table.Absent(part + figure, timer ? no_sender : "its frames wait for no room: pace is \"real-time\"");
    }
  }
  AddDistribution(table, part + "lateness", stream.lateness, timer ? no_sender : kNoSamples, "slab");
  if (stream.unanswered) {
    AddDistribution(table, part + "reaction", stream.reaction, kNoSamples, "slab", *stream.unanswered);
  } else {
    AbsentDistribution(table, part + "reaction",
                       stream.endpoint.empty() ? "a loop of corerig's receives it" : "no answers were asked for");
  }
  if (!stream.endpoint.empty()) {
    constexpr std::string_view kExternal = "the receiver is external";
    for (const char* figure : {"received", "lost", "duplicated", "reordered", "corrupt", "unread", "ambiguous",
                               "truth_lost", "faults.detected", "faults.undetected", "false_alarms"}) {
      table.Absent(part + figure, kExternal);
    }
    if (stream.lossless) {
      table.Set(part + "rate", static_cast<double>(stream.in_window) / seconds, "slab");
    } else {
      table.Absent(part + "rate", kExternal);
    }
    for (const char* figure : {"latency", "transport", "queue", "service"}) {
      AbsentDistribution(table, part + figure, kExternal);
    }
    return;
  }
  count("received", stream.received);
  count("lost", stream.lost);
  count("duplicated", stream.duplicated);
  count("reordered", stream.reordered);
  count("corrupt", stream.corrupt);
  count("unread", stream.unread);
  count("ambiguous", stream.ambiguous);
  count("truth_lost", stream.truth_lost);
  std::uint64_t detected = 0, undetected = 0;
  for (const auto& fault : stream.faults) {
    detected += fault.detected;
    undetected += fault.undetected;
  }
  count("faults.detected", detected);
  count("faults.undetected", undetected);
  count("false_alarms", stream.alarms.repeating + stream.alarms.implausible);
  const std::uint64_t done = stream.lossless ? stream.in_window : stream.done();
  table.Set(part + "rate", static_cast<double>(done) / seconds, "slab");
  AddDistribution(table, part + "latency", stream.latency, kNoSamples, "slab", stream.infinite);
  const std::string_view no_transport = WhyNoTransport(stream.channel);
  AddDistribution(table, part + "transport", stream.transport,
                  !no_transport.empty() ? no_transport : "the kernel's receive stamps were not usable", "slab");
  AddDistribution(table, part + "queue", stream.queue, kNoSamples, "slab");
  AddDistribution(table, part + "service", stream.service, kNoSamples, "slab");
}

// What the scheduling trace of a run says, and why it says nothing.
class TraceView {
 public:
  TraceView(const RunRecord& record, double seconds)
      : trace_(record.trace),
        switches_(record.switches),
        seconds_(seconds),
        nanos_(trace_.covered > Nanos(0) ? static_cast<double>(trace_.covered.count()) : seconds * 1e9) {
    if (seconds <= 0) {
      absent_ = kEmptyWindow;
    } else if (!trace_.absent.empty()) {
      absent_ = StrCat("there is no scheduling trace: ", trace_.absent);
    } else if (trace_.gap) {
      absent_ = WhyGap();
    }
  }
  const std::string& absent() const { return absent_; }
  // Why nothing is known of the tasks' switches but what /proc counts.
  std::string NoSwitches() const {
    if (seconds_ <= 0 || !trace_.absent.empty()) {
      const std::string why = switches_.gap ? StrCat(switches_.lost, " records were lost") : switches_.absent;
      return seconds_ <= 0 || why == trace_.absent ? absent_ : StrCat(absent_, "; no records of its switches: ", why);
    }
    return absent_;
  }
  double ShareOf(Nanos time) const { return static_cast<double>(time.count()) / nanos_; }

  // nullptr without a trace that can be relied on.
  const TracePartRecord* Part(std::string_view name) const {
    for (const auto& part : trace_.parts) {
      if (absent_.empty() && part.part == name) return &part;
    }
    return nullptr;
  }
  // What the records of its own switches say, where there is no trace; nullptr without any that can be relied on.
  const TracePartRecord* Switches(std::string_view name) const {
    if (seconds_ <= 0 || trace_.absent.empty() || !switches_.absent.empty() || switches_.gap) return nullptr;
    for (const auto& part : switches_.parts) {
      if (part.part == name) return &part;
    }
    return nullptr;
  }
  const TraceCoreRecord* Core(int cpu) const {
    for (const auto& core : trace_.cores) {
      if (absent_.empty() && core.cpu == cpu) return &core;
    }
    return nullptr;
  }
  bool sees_interrupts() const { return trace_.sees_interrupts; }

 private:
  // "the scheduling trace has gaps: 812 events of core 1 were lost; …"
  std::string WhyGap() const {
    std::vector<std::string> lost;
    std::uint64_t known = 0;
    for (const auto& core : trace_.cores) {
      if (core.lost == 0) continue;
      lost.push_back(StrCat(core.lost, core.lost == 1 ? " event" : " events", " of core ", core.cpu));
      known += core.lost;
    }
    if (trace_.lost > known) lost.push_back(StrCat(trace_.lost - known, " of other cores"));
    return StrCat("the scheduling trace has gaps: ", Join(lost, ", "),
                  " were lost; leave the rig a core of its own, or lower the rates of streams and switches");
  }

  const TraceRecord& trace_;
  const SwitchesRecord& switches_;
  const double seconds_, nanos_;
  std::string absent_;
};

// What the trace knows exactly, over what the readings of /proc said; without it what the records of switches know; or
// why it is not there. `second` is the part's other distribution: "wake" of a loop, "slice" of a worker.
void AddTraced(Table& table, const std::string& part, const TraceView& trace, const std::string& name,
               const char* second, Distribution TracePartRecord::*which) {
  constexpr std::string_view kNoSlice = "it did not come to run and sleep in the window";
  const TracePartRecord* const traced = trace.Part(name);
  const TracePartRecord* const seen = traced != nullptr ? traced : trace.Switches(name);
  const std::string_view origin = traced != nullptr ? "trace" : "perf";
  if (seen != nullptr) {
    table.Set(part + "switches.voluntary", static_cast<double>(seen->voluntary), origin);
    table.Set(part + "switches.involuntary", static_cast<double>(seen->involuntary), origin);
    table.Set(part + "migrations", static_cast<double>(seen->migrations), origin);
    table.Set(part + "preempted", trace.ShareOf(seen->preempted), origin);
  } else {
    table.Absent(part + "preempted", trace.NoSwitches());
  }
  if (traced != nullptr) {
    AddDistribution(table, part + "runqueue", traced->runqueue, "it did not come to run anew in the window", origin);
    return AddDistribution(table, part + second, traced->*which, kNoSlice, origin);
  }
  // Of its waits those that began with a preemption are known, and they are not all.
  const std::string unknown = seen == nullptr
                                  ? trace.NoSwitches()
                                  : StrCat("records of its switches do not tell when it was woken; ", trace.absent());
  for (const char* statistic : {".p50", ".p90", ".p99", ".p999", ".max", ".min"}) {
    table.Absent(StrCat(part, "runqueue", statistic), unknown);
  }
  if (seen != nullptr && which == &TracePartRecord::slice) {
    AddDistribution(table, part + second, seen->slice, kNoSlice, origin);
  } else {
    AbsentDistribution(table, part + second, unknown);
  }
}

std::string OriginOf(const CounterRecord& count) {
  return StrCat("perf", count.user_only ? " user only" : "", count.running < 1 ? " scaled" : "");
}

void AddCounters(Table& table, const std::string& part, const CountersRecord& counters, bool on_time) {
  const auto find = [&](CounterKind kind) { return on_time ? counters.Find(kind) : nullptr; };
  const auto add = [&](const char* figure, CounterKind kind) {
    const CounterRecord* const count = find(kind);
    if (count == nullptr) return table.Absent(part + figure, on_time ? kNoReading : kLateReading);
    if (!count->value) return table.Absent(part + figure, count->absent);
    table.Set(part + figure, *count->value, OriginOf(*count));
  };
  add("cycles", CounterKind::kCycles);
  add("instructions", CounterKind::kInstructions);
  add("cache_misses", CounterKind::kCacheMisses);
  add("branch_misses", CounterKind::kBranchMisses);
  const CounterRecord *const cycles = find(CounterKind::kCycles), *const instructions =
                                                                      find(CounterKind::kInstructions);
  if (cycles == nullptr || instructions == nullptr) {
    table.Absent(part + "ipc", on_time ? kNoReading : kLateReading);
  } else if (!cycles->value || !instructions->value) {
    table.Absent(part + "ipc", cycles->value ? instructions->absent : cycles->absent);
  } else if (*cycles->value <= 0) {
    table.Absent(part + "ipc", "it did not run in the window");
  } else {
    table.Set(part + "ipc", *instructions->value / *cycles->value,
              OriginOf(instructions->running < cycles->running ? *instructions : *cycles));
  }
}

void AddScheduling(Table& table, const std::string& part, const SchedulingRecord& scheduling, bool on_time) {
  if (scheduling.observed <= Nanos(0) || !on_time) {
    for (const char* figure : {"cpu", "switches.voluntary", "switches.involuntary", "migrations", "runqueue.mean",
                               "runqueue.count", "faults.minor", "faults.major"}) {
      table.Absent(part + figure, on_time ? kNoReading : kLateReading);
    }
    return;
  }
  const auto observed = static_cast<double>(scheduling.observed.count());
  table.Set(part + "cpu", static_cast<double>(scheduling.run.count()) / observed, "schedstat");
  table.Set(part + "switches.voluntary", static_cast<double>(scheduling.voluntary), "procfs");
  table.Set(part + "switches.involuntary", static_cast<double>(scheduling.involuntary), "procfs");
  if (scheduling.migrations) {
    table.Set(part + "migrations", static_cast<double>(*scheduling.migrations), "procfs");
  } else {
    table.Absent(part + "migrations", "the kernel has no /proc/PID/sched (CONFIG_SCHED_DEBUG)");
  }
  table.Set(part + "faults.minor", static_cast<double>(scheduling.minor_faults), "procfs");
  table.Set(part + "faults.major", static_cast<double>(scheduling.major_faults), "procfs");
  table.Set(part + "runqueue.count", static_cast<double>(scheduling.timeslices), "schedstat");
  if (scheduling.timeslices > 0) {
    table.Set(part + "runqueue.mean",
              static_cast<double>(scheduling.wait.count()) / static_cast<double>(scheduling.timeslices), "schedstat");
  } else {
    table.Absent(part + "runqueue.mean", "it was not given the CPU anew in the window");
  }
}

void AddLoop(Table& table, const LoopRecord& loop, double seconds, bool on_time, const TraceView& trace) {
  const std::string part = StrCat("loop.", loop.name, ".");
  if (loop.wakeups && loop.busy && seconds > 0) {
    table.Set(part + "wakeups", static_cast<double>(*loop.wakeups), "slab");
    table.Set(part + "busy", static_cast<double>(loop.busy->count()) / (seconds * 1e9), "slab");
  } else {
    table.Absent(part + "wakeups", "the loop did not come to the window's end");
    table.Absent(part + "busy", "the loop did not come to the window's end");
  }
  AddScheduling(table, part, loop.scheduling, on_time);
  AddTraced(table, part, trace, LoopPart(loop.name), "wake", &TracePartRecord::wake);
  AddCounters(table, part, loop.counters, on_time);
}

// Of a process; `no_memory` is why there are no samples, where there are none.
void AddMemory(Table& table, const std::string& part, const ProcessRecord& process, bool on_time,
               std::string_view no_memory) {
  if (process.cow_faults && on_time) {
    table.Set(part + "faults.cow", static_cast<double>(*process.cow_faults), "taskstats");
  } else {
    table.Absent(part + "faults.cow", process.cow_faults ? kLateReading : process.cow_absent);
  }
  const auto& memory = process.memory_summary;
  const auto figure = [&](MemorySummary::Figure MemorySummary::*which) {
    return memory ? std::optional((*memory).*which) : std::nullopt;
  };
  table.MaxAndMean(part + "rss", figure(&MemorySummary::rss), "smaps_rollup", no_memory);
  table.MaxAndMean(part + "pss", figure(&MemorySummary::pss), "smaps_rollup", no_memory);
  table.MaxAndMean(part + "uss", figure(&MemorySummary::uss), "smaps_rollup", no_memory);
  table.MaxAndMean(part + "shared", figure(&MemorySummary::shared), "smaps_rollup", no_memory);
  table.MaxAndMean(part + "swap", memory ? memory->swap : std::nullopt, "smaps_rollup", memory ? kNoSwap : no_memory);
  table.MaxAndMean(part + "pagetables", memory ? memory->page_tables : std::nullopt, "procfs",
                   memory ? kNoPageTables : no_memory);
  // The kernel keeps the true peak; a sampled one may have missed it.
  if (process.rss_peak) table.Set(part + "rss.max", static_cast<double>(*process.rss_peak), "procfs");
  if (memory && memory->uss_growth) {
    table.Set(part + "uss.growth", *memory->uss_growth, "smaps_rollup");
  } else {
    table.Absent(part + "uss.growth", memory ? "too few memory samples for a slope" : no_memory);
  }
}

void AddWorker(Table& table, const WorkerRecord& worker, bool is_command, bool on_time, const TraceView& trace) {
  const std::string part = StrCat("worker.", worker.name, ".", worker.index, ".");
  if (worker.rate) {
    table.Set(part + "rate", *worker.rate, is_command ? "stdout" : "slab");
  } else if (!worker.units) {
    table.Absent(part + "rate", "the scenario names no units_pattern to count lines of the command's output by");
  } else {
    table.Absent(part + "rate", "no unit of work ended in the window");
  }
  AddScheduling(table, part, worker.process.scheduling, on_time);
  AddTraced(table, part, trace, WorkerPart(worker.name, worker.index), "slice", &TracePartRecord::slice);
  AddCounters(table, part, worker.process.counters, on_time);
  const bool thread = worker.as == ToText(RunAs::kThread);
  AddMemory(table, part, worker.process, on_time, thread ? kOneAddressSpace : Table::kNoMemory);
  if (worker.group_peak) {
    table.Set(part + "cgroup.peak", static_cast<double>(*worker.group_peak), "cgroup");
  } else {
    table.Absent(part + "cgroup.peak", worker.group_peak_absent);
  }
  if (worker.start) {
    table.Set(part + "start", static_cast<double>(worker.start->count()), "slab");
  } else {
    table.Absent(part + "start", "the worker never started its work");
  }
  if (worker.stop) {
    table.Set(part + "stop", static_cast<double>(worker.stop->count()), is_command ? "supervisor" : "slab");
  } else {
    table.Absent(part + "stop", "the worker ended before it was told to stop, or never did");
  }
}

// Shares from the trace add up to 1 with steal. What the hypervisor took, it took from what the core was doing, of
// which the trace cannot tell: from all of it but idling alike.
void AddTracedCore(Table& table, const std::string& part, const TraceView& trace, const TraceCoreRecord& core,
                   double steal) {
  const double busy = trace.ShareOf(core.worker + core.loop + core.source + core.rig + core.foreign + core.irq);
  const double kept = busy > steal ? (busy - steal) / busy : 1;
  const auto share = [&](const char* figure, Nanos time) {
    table.Set(part + figure, trace.ShareOf(time) * kept, "trace");
  };
  share("worker", core.worker);
  share("loop", core.loop);
  share("source", core.source);
  share("rig", core.rig);
  share("foreign", core.foreign);
  if (trace.sees_interrupts()) {
    share("irq", core.irq);
  } else {
    table.Absent(part + "irq", "this kernel traces no interrupts; their time is in that of the tasks they interrupt");
  }
  table.Set(part + "idle", trace.ShareOf(core.idle), "trace");
  table.Set(part + "switches", static_cast<double>(core.switches), "trace");
  table.Set(part + "migrations_in", static_cast<double>(core.migrations_in), "trace");
  AddDistribution(table, part + "runqueue", core.runqueue, "no task came to run on the core", "trace");
  if (core.frequency) {
    table.Set(part + "frequency", *core.frequency, "trace");
  } else {
    table.Absent(part + "frequency", "the kernel traced no change of frequency");
  }
}

void AddCore(Table& table, const CoreRecord& core, bool measured, const TraceView& trace) {
  const std::string part = StrCat("core.", core.cpu, ".");
  const auto share = [&](const char* figure, double value) {
    if (!measured) {
      table.Absent(part + figure, kNoReading);
    } else if (!core.unmeasured.empty()) {
      table.Absent(part + figure, core.unmeasured);
    } else {
      table.Set(part + figure, value, "schedstat");
    }
  };
  share("worker", core.worker);
  share("loop", core.loop);
  share("source", core.source);
  share("rig", core.rig);
  if (const TraceCoreRecord* const traced = trace.Core(core.cpu)) {
    AddTracedCore(table, part, trace, *traced, core.steal.value_or(0));
  } else {
    for (const char* figure : {"foreign", "irq", "idle", "switches", "migrations_in", "frequency"}) {
      table.Absent(part + figure, trace.absent());
    }
    AbsentDistribution(table, part + "runqueue", trace.absent());
  }
  if (core.steal) {
    table.Set(part + "steal", *core.steal, "procfs");
  } else {
    table.Absent(part + "steal", "no reading of /proc/stat at both ends of the window");
  }
}

}  // namespace

std::vector<Metric> MetricsFrom(const Plan& plan, const RunRecord& record) {
  Table table;
  const double seconds = static_cast<double>((record.window.end - record.window.begin).count()) / 1e9;
  // The rig reads itself when it reads the others: what its readings cover, theirs do.
  const double covered = static_cast<double>(record.rig.scheduling.observed.count()) / 1e9;
  const bool on_time = std::abs(covered - seconds) <= std::max(kLateShare * seconds, kLateSeconds);
  const bool measured = covered > 0 && on_time;
  for (const auto& stream : record.streams) AddStream(table, stream, seconds, WhyNoStream(record, stream, seconds));
  const TraceView trace(record, seconds);
  for (const auto& loop : record.loops) AddLoop(table, loop, seconds, on_time, trace);
  for (const auto& worker : record.workers) {
    bool is_command = false;
    for (const auto& group : plan.workers) is_command = is_command || (group.name == worker.name && group.command);
    AddWorker(table, worker, is_command, on_time, trace);
  }
  for (const auto& group : record.groups) {
    AddMemory(table, StrCat("worker.", group.name, ".all."), group.process, on_time, Table::kNoMemory);
  }
  for (const auto& core : record.cores) AddCore(table, core, measured, trace);
  if (record.trace.absent.empty()) {
    table.Set("rig.trace.lost", static_cast<double>(record.trace.lost), "trace");
  } else {
    table.Absent("rig.trace.lost", StrCat("there is no scheduling trace: ", record.trace.absent));
  }
  table.MaxAndMean("memory.total.pss", record.total_pss, "smaps_rollup");
  table.MaxAndMean("memory.shared", record.shared, "smaps_rollup");
  if (measured) {
    table.Set("rig.cpu",
              static_cast<double>(record.rig.scheduling.run.count()) /
                  static_cast<double>(record.rig.scheduling.observed.count()),
              "schedstat");
  } else {
    table.Absent("rig.cpu", on_time ? kNoReading : kLateReading);
  }
  table.MaxAndMean("rig.pss", record.rig.memory_summary ? std::optional(record.rig.memory_summary->pss) : std::nullopt,
                   "smaps_rollup");

  std::vector<Metric> metrics;
  for (const auto& name : MetricsOf(plan)) {
    Metric metric = table.Take(name);
    metric.unit = UnitOf(name);
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace corerig
