// What one run leaves behind: the content of report.json, as values. Filled by harness/run, rendered by harness/report.
//
// Times are ns, sizes bytes, shares 0..1. Every field is described in docs/report.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/latency_histogram.h"
#include "harness/base/metric.h"
#include "harness/base/tally.h"
#include "harness/base/units.h"
#include "harness/base/warning.h"

namespace corerig {

enum class Verdict { kPass, kFail, kUndecided, kSkipped };
std::string_view ToText(Verdict verdict);  // "PASS" …
int ExitCode(Verdict verdict);             // 0 pass, 2 fail, 3 undecided, 4 skipped
int Severity(Verdict verdict);             // FAIL outranks UNDECIDED outranks SKIPPED outranks PASS

// One instant on three clocks.
struct Anchor {
  Nanos monotonic{0};
  Nanos realtime{0};
  Nanos boottime{0};
};

struct BoardRecord {
  std::string model;         // /proc/cpuinfo "model name", or the device tree's model
  std::string machine;       // "x86_64"
  std::string kernel;        // release and version of uname
  std::string command_line;  // the kernel's
  std::vector<int> cores;    // those this run may use
  std::uint64_t memory = 0;
  std::string clock_source;
  std::string governor;  // of the first core; "none" where there is no cpufreq
};

struct ConditionsRecord {
  std::vector<std::string> command;  // how corerig was called
  std::uint64_t seed = 0;
  std::string cpu_dma_latency;  // "0us" held, "system" left alone, or why it could not be held
  double load_average = 0;      // 1 min, before the start
};

struct WindowRecord {  // the measured part, CLOCK_MONOTONIC
  Nanos begin{0};
  Nanos end{0};
};

// How a child ended: one of these, with its number where it has one.
struct EndRecord {
  enum class Kind { kExited, kSignalled, kTimedOut, kKilledForMemory, kFailedToStart, kRunning };
  Kind kind = Kind::kRunning;
  int number = 0;      // exit status or signal
  std::string detail;  // "SIGSEGV", "still running after 22.0 s (stopped)", "exec ./x: No such file or directory"
  bool as_planned = false;
};
// "exited" "signalled" "timed_out" "killed_for_memory" "failed_to_start" "running"
std::string_view ToText(EndRecord::Kind kind);
std::string Describe(const EndRecord& end);  // for people: "exited 3", "killed by SIGSEGV", …

struct MemorySample {
  Nanos at{0};  // since the window's begin
  std::uint64_t rss = 0, pss = 0, uss = 0;
};

// Statistics over every memory sample of the window, also those that were thinned out of the series.
struct MemorySummary {
  struct Figure {
    double max = 0, mean = 0;
  };
  Figure rss, pss, uss;
  Figure shared = {};                      // resident and mapped by others too: RSS - USS
  std::optional<Figure> swap = {};         // swapped out; absent where the board has no swap
  std::optional<Figure> page_tables = {};  // the kernel's, for the process; absent where it does not tell
  std::optional<double> uss_growth = {};   // bytes per minute, Theil-Sen; absent if there are too few samples
};

// Whether a process's memory kept growing over the window, by the floor of its USS (measure/memory_trend.h).
struct MemoryTrend {
  enum class Verdict { kGrows, kSteady, kUndecided };
  Verdict verdict = Verdict::kUndecided;
  std::optional<double> slope, low, high;  // bytes per minute; the interval holds it in 99.9 of 100 cases
  std::string reason;                      // why it is undecided
};
std::string_view ToText(MemoryTrend::Verdict verdict);  // "grows" "steady" "undecided"

// A limit on a worker's memory, and how it was enforced.
struct MemoryLimitRecord {
  enum class By { kGroup, kSampling, kAddressSpace };
  Bytes limit;
  By by = By::kGroup;
};
std::string_view ToText(MemoryLimitRecord::By by);  // "cgroup" "sampling" "address-space"

// Scheduling of one thread or process over the window.
struct SchedulingRecord {
  Nanos run{0};
  Nanos wait{0};
  std::uint64_t timeslices = 0;  // times it was given a CPU
  std::uint64_t voluntary = 0, involuntary = 0;
  std::optional<std::uint64_t> migrations;
  std::uint64_t minor_faults = 0, major_faults = 0;  // page faults
  Nanos observed{0};                                 // the time these figures cover; 0: there was no reading
  bool lost = false;  // there was a first reading and, though the task ran on, no last one
};

// What perf events count about a thread, or about a process and what it started.
enum class CounterKind : std::uint8_t {
  kTaskClock,  // ns
  kContextSwitches,
  kMigrations,
  kMinorFaults,
  kMajorFaults,
  kCycles,
  kInstructions,
  kCacheReferences,
  kCacheMisses,
  kBranchMisses
};
std::string_view ToText(CounterKind kind);  // "task_clock" "context_switches" …

struct CounterRecord {
  CounterKind kind = CounterKind::kTaskClock;
  std::optional<double> value;
  double running = 1;      // share of the task's time for which it counted; `value` is scaled up to all of it
  bool user_only = false;  // what it did in the kernel is not in it
  std::string absent;      // why there is no value
};

struct CountersRecord {
  std::vector<CounterRecord> counts;  // one of each kind in their order, or none: nothing was counted

  const CounterRecord* Find(CounterKind kind) const {
    for (const auto& count : counts) {
      if (count.kind == kind) return &count;
    }
    return nullptr;
  }
};

// What the scheduling trace says of one part of the run over the window: all its threads, and what they forked.
struct TracePartRecord {
  std::string part;  // "worker price.0", "loop flight", "source", "rig"
  Nanos run{0};      // on a CPU, interrupts left out
  std::uint64_t voluntary = 0, involuntary = 0, migrations = 0;
  Distribution runqueue;  // from ready to run (woken, or preempted) until running
  Distribution wake;      // from being woken until running
  Distribution slice;     // from running until leaving the CPU
  Nanos preempted{0};     // ready to run after it was preempted
  // Who was running on its core while it was ready to run.
  struct Holder {
    std::string task;  // the command's name
    std::string part;  // empty: a foreign task
    int tid = 0;
    Nanos time{0};
    std::uint64_t times = 0;
  };
  std::vector<Holder> held_by = {};  // the longest first, a few
};

// Of one core over the window; the times add up to it.
struct TraceCoreRecord {
  int cpu = 0;
  Nanos worker{0}, loop{0}, source{0}, rig{0}, foreign{0}, irq{0}, idle{0};
  std::uint64_t switches = 0, migrations_in = 0;
  Distribution runqueue;                           // of every task that came to run here
  std::optional<double> frequency = std::nullopt;  // Hz, mean over the time it is known
  std::optional<double> frequency_min = std::nullopt, frequency_max = std::nullopt;
  std::uint64_t lost = 0;  // events, in the window or before
  struct Foreign {
    std::string task;
    Nanos time{0};
  };
  std::vector<Foreign> foreign_tasks = {};  // the longest first, a few
};

struct TraceRecord {
  std::string absent = "the run was not traced";  // why there is no trace; empty if there is one
  std::uint64_t events = 0;                       // of the whole run
  std::uint64_t lost = 0;
  std::uint64_t inferred = 0;   // switches out of idle that the kernel did not trace
  bool gap = false;             // events were lost in the window: no figure stands
  bool sees_interrupts = true;  // else their time is that of the tasks they interrupted
  Nanos covered{0};             // of the window: all, but of a run that stopped at a break, where the trace ends first
  std::vector<TracePartRecord> parts = {};
  std::vector<TraceCoreRecord> cores = {};
};

// What the kernel's own records of our tasks' switches say of them over the window, where there is no trace. Of a
// part's fields `runqueue`, `wake` and `held_by` stay empty: they are about what a task waited for.
struct SwitchesRecord {
  std::string absent = "not recorded";  // why there are none; empty if there are
  std::uint64_t records = 0;            // of the whole run
  std::uint64_t lost = 0;
  bool gap = false;            // records were lost before the window's end: no figure stands
  std::string too_small = {};  // what the buffers lack; empty if they hold what is expected in 2 s
  std::vector<TracePartRecord> parts = {};
};

// A child process of any role.
struct ProcessRecord {
  int pid = 0;
  EndRecord end;
  SchedulingRecord scheduling;
  std::optional<std::uint64_t> cow_faults;  // copies of shared pages that it wrote to
  std::string cow_absent;                   // why they are not known
  std::optional<std::uint64_t> rss_peak;    // VmHWM, reset when the window begins
  CountersRecord counters = {};             // of workers
  std::vector<MemorySample> memory;         // over the window, thinned
  std::optional<MemorySummary> memory_summary;
  MemoryTrend memory_trend;
};

// One of a stream's faults, as put in by the source and as found by the handler, in the window. Times are since its
// begin.
struct FaultRecord {
  // Of a fault on a schedule.
  struct Episode {
    Nanos begin{0}, end{0};
  };

  std::string kind = {};           // "drop" "stuck"
  std::uint64_t injected = 0;      // samples it hit
  std::uint64_t detected = 0;      // a rule of the receiver's fired for the sample
  std::uint64_t undetected = 0;    // none did; known only because the truth says so
  std::uint64_t undetectable = 0;  // of `undetected`: arrived, and nothing about it breaks a rule
  std::uint64_t ambiguous = 0;     // of `undetected`: a frame arrived that may be it, and no rule can tell
  std::optional<Episode> episode = {};
  std::optional<Nanos> found_after = {};       // from when its first sample was due until a rule first fired for one
  std::optional<double> value_error_rms = {};  // of its samples that arrived, as StreamRecord::value_error_rms
};

// Rules of the receiver's that fired for samples that no injected fault had touched. A late one did come late.
struct AlarmsRecord {
  std::uint64_t repeating = 0, implausible = 0, late = 0;
};

struct StreamRecord {
  std::string name, sensor, format, channel, loop;
  bool lossless = false;  // frames waited for room
  Nanos blocked{0};       // of the window: one waited for room
  // Of a lossless stream: samples that were done in the window, or taken by its endpoint, whenever they were due.
  std::uint64_t in_window = 0;
  std::string endpoint = {};  // of an external receiver: what it received is not known; "" where a loop receives
  Rate rate{};
  std::uint64_t expected = 0;  // due times in the window
  std::uint64_t sent = 0, received = 0, lost = 0, duplicated = 0, reordered = 0, corrupt = 0, unread = 0, ambiguous = 0;
  std::uint64_t truth_lost = 0;
  std::string substitute = {};   // what stands in for the channel on this board, and why; else empty
  std::uint64_t overruns = 0;    // sends the channel refused because it was full; counted as sent, and lost
  std::uint64_t overflows = 0;   // messages that the receiving socket's full buffer lost, of which no sender was told
  std::uint64_t backlog = 0;     // of `expected`: not sent, as there was no room for them until the drain's end
  std::uint64_t unheard = 0;     // of `overruns`: there was no receiver
  std::uint64_t bytes = 0;       // put on the wire in the window
  std::uint64_t infinite = 0;    // due in the window, not done within the drain, not an injected loss
  std::uint64_t gaps = 0;        // of `expected`: the sensor itself delivered nothing; neither sent nor lost
  std::uint64_t late_sends = 0;  // sent more than one period late, not by an injected fault, nor for want of room
  std::uint64_t stamps_discarded = 0;  // kernel stamps not used, because CLOCK_REALTIME was stepped
  Distribution latency, lateness, transport, queue, service;
  Distribution reaction;           // answer - due, of an external receiver that answers
  std::string answer_stamps = {};  // "kernel": when the kernel had it; "read": when it was read; "" where there is none
  std::optional<std::uint64_t> unanswered = {};  // of the samples due in the window; absent if it is not to answer
  std::optional<std::uint64_t> unasked = {};     // answers that belong to no frame
  Distribution since_sent;  // done - sent, or latency less the source's own delay: had the source been on time
  std::uint64_t done() const { return received - std::min(received, duplicated); }
  // Of `infinite`: what was sent and not done. What was never sent says nothing about the receiving side.
  std::uint64_t infinite_since_sent() const { return infinite - std::min(infinite, unsent()); }
  // What the source itself did not come to send.
  std::uint64_t unsent() const { return expected - std::min(expected, sent + gaps + backlog); }

  std::optional<double> value_error_rms;  // decoded value against the true one, in the sensor's unit
  std::string value_unit;
  std::vector<FaultRecord> faults;
  AlarmsRecord alarms = {};
};

struct LoopRecord {
  std::string name;
  int tid = 0;
  int core = 0;
  std::string policy;                    // as granted: "fifo:80", "other"
  std::optional<std::uint64_t> wakeups;  // absent if the loop did not come to the window's end
  std::optional<Nanos> busy;
  SchedulingRecord scheduling;
  CountersRecord counters = {};
};

struct WorkerRecord {
  std::string name;  // the group's
  int index = 0;
  std::string workload;
  std::string as = "spawn";  // "spawn" "fork" "thread"
  int core = 0;              // -1: it floats over several
  std::string policy;
  ProcessRecord process;
  std::optional<MemoryLimitRecord> memory_limit;
  std::optional<std::uint64_t> group_peak;  // the most its control group had, bytes
  std::string group_peak_absent;            // why that is not known
  std::optional<std::uint64_t> units;       // done in the whole run; absent if nobody counts them
  std::uint64_t units_planned = 0;          // 0: as many as the time allows
  std::optional<double> rate;               // units per second in the window
  std::optional<Nanos> start;               // first instruction of the workload, after the common instant
  std::optional<Nanos> stop;                // from the order to stop to the last instruction of the workload
  bool has_result = false;
  // Commands only.
  std::string stdout_file, stderr_file;    // names in the run's folder; empty: not kept
  std::optional<std::uint64_t> processes;  // the most seen alive at once: the command and what it started
};

// The process whose threads the workers of a group are.
struct GroupRecord {
  std::string name;
  ProcessRecord process;
};

struct CoreRecord {
  int cpu = 0;
  double worker = 0, loop = 0, source = 0, rig = 0;  // shares of the window
  std::string unmeasured = {};                       // why these are not all; empty if they are
  std::optional<double> steal = std::nullopt;
};

// One number of a workload's answer.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
};

struct CheckRecord {
  bool passed = false;
  std::string text;  // "10.4512 is 1.2 standard errors from Black-Scholes 10.4506 (limit 5)"
};

// The merged answer of one worker group.
struct ResultRecord {
  std::string group, workload;
  int workers = 0;  // whose results are in it
  int workers_planned = 0;
  std::uint64_t units = 0;  // merged
  std::vector<Figure> figures;
  std::optional<CheckRecord> check;
  std::optional<Tally> tally = {};  // what it was concluded from; absent: it cannot be merged with others
  std::string absent;               // why there is no answer
};

struct BudgetRecord {
  std::string limit;   // as written
  std::string metric;  // the worst match of a wildcard, or the first that is undecided
  std::string value;   // for people: "312 µs"
  Verdict result = Verdict::kUndecided;
  std::string reason;
};

// A part of a spike's delay.
struct SpikeCause {
  enum class Kind {
    kUsual,            // what a sample takes that nothing disturbs, and small change
    kTimerLate,        // the timer interrupt came late
    kIdleExit,         // woken, and its core was idle, but not yet running
    kCoreHeld,         // ready to run, but another task had the core
    kInterrupt,        // an interrupt, hard or soft, had the core
    kSourceBusy,       // the source was at work on earlier frames
    kNoRoom,           // a lossless stream's frame waited for its receiver to make room
    kEarlierCallback,  // the loop was in the callback of an earlier sample
    kCallback,         // the sample's own callback was long
    kBlocked,          // asleep until someone woke it
    kPageFault,
    kUnexplained,  // no event tells: host or firmware, mostly
    // Without a trace there are only the stamps:
    kLateness,
    kTransport,
    kQueue,
    kService,
  };
  Kind kind = Kind::kUnexplained;
  Nanos duration{0};
  int core = -1;  // -1: of no core
  int tid = 0;    // of the task that had the core; 0: none
  std::string task;
  std::string role;  // of that task: "worker price.0", "foreign"
  std::string text;
};
std::string_view ToText(SpikeCause::Kind kind);  // "core_held"

// One of the worst samples of a stream, or of the worst run-queue delays of a loop, and why.
struct SpikeRecord {
  std::string part;  // "stream.imu", "loop.flight"
  std::string loop;
  std::optional<std::uint64_t> sample;  // counted from the window's first; none for a loop
  Nanos at{0};                          // when it was due, CLOCK_MONOTONIC; for a loop when it was woken
  Nanos delay{0};
  std::vector<SpikeCause> causes;  // their durations add up to the delay
  std::string text;                // one sentence
};

// The sample that a run was stopped at, because it was later than its stream's `break`.
struct BreakRecord {
  std::string stream;
  std::uint64_t sample = 0;  // counted from the window's first
  Nanos due{0}, done{0};     // CLOCK_MONOTONIC
  Nanos limit{0};
  std::optional<Nanos> trace_stopped = {};  // after `done`; absent without a trace
};
std::string Describe(const BreakRecord& at);  // "stream imu sample 17 was 812 µs late, limit 500 µs (break)"

// A shard that a merged report was made of.
struct ShardRecord {
  std::string file;
  int index = 0, count = 1;
  std::string board, machine, kernel;
  Verdict verdict = Verdict::kUndecided;
};

struct RunRecord {
  static constexpr std::string_view kSchema = "corerig-report/1";
  std::string version, build;
  std::string scenario_file;
  std::string scenario_name, scenario_about;
  std::string scenario_json;  // as read, defaults filled in: one JSON object
  BoardRecord board;
  ConditionsRecord conditions;
  Anchor started;
  Nanos duration{0};  // planned length of the window
  // Of a run whose units of work were computed in parts, the part that this is: index and count.
  std::optional<std::pair<int, int>> shard = {};
  std::vector<ShardRecord> merged = {};  // of a report that was merged; such a one has answers and a verdict alone
  WindowRecord window;
  bool complete = false;  // false while the run goes on: what is there so far
  Verdict verdict = Verdict::kUndecided;
  std::vector<std::string> reasons;
  std::vector<BudgetRecord> budgets;
  std::optional<BreakRecord> at_break;
  std::vector<Metric> metrics;
  std::optional<ProcessRecord> source, handler;
  int source_core = -1;
  std::string source_policy;
  ProcessRecord rig;  // the supervisor; the keeper's CPU time is added
  int rig_core = -1;
  std::vector<StreamRecord> streams;
  std::vector<LoopRecord> loops;
  std::vector<WorkerRecord> workers;
  std::vector<GroupRecord> groups;  // of threads
  std::vector<CoreRecord> cores;
  std::optional<MemorySummary::Figure> total_pss;  // all processes of the run, rig included, per round of sampling
  std::optional<MemorySummary::Figure>
      shared;  // what more than one process maps, counted once: sum of PSS - sum of USS
  TraceRecord trace;
  SwitchesRecord switches;
  std::vector<ResultRecord> results;
  std::vector<SpikeRecord> spikes;  // largest delay first
  std::vector<Warning> warnings;
};

}  // namespace corerig
