// What a run will do, as a pure value: a scenario file with its defaults filled in and placed on a board.
//
// Made by ReadScenario (scenario.h); handed to children as JSON (plan_json.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/channel_kind.h"
#include "harness/base/endpoint.h"
#include "harness/base/policy.h"
#include "harness/base/units.h"
#include "harness/plan/fault_plan.h"
#include "harness/plan/parameter.h"

namespace corerig {

struct SourcePlan {
  CpuId core;  // one core: the source is one thread
  Policy policy;
  bool operator==(const SourcePlan&) const = default;
};

struct LoopPlan {
  std::string name;
  CpuId core;
  Policy policy;
  bool operator==(const LoopPlan&) const = default;
};

// A sensor's own clock against the board's: it runs `ppb` parts in 10^9 fast, and showed `offset` when the run began.
struct ClockPlan {
  Nanos offset{0};
  std::int32_t ppb = 0;
  bool operator==(const ClockPlan&) const = default;
};

// What of a stream that plays a recording is known of it beside `pattern`, which has its frames.
struct RecordingPlan {
  Nanos cycle{0};                   // from its first frame to the first frame again
  std::uint32_t largest_frame = 0;  // bytes
  std::string about = {};           // for people: "1200 frames in 1.5s; skipped 3: not UDP"
  bool operator==(const RecordingPlan&) const = default;
};

// Who sets the pace of a stream.
enum class Pace {
  kRealTime,  // its schedule alone: a frame that is not taken when it is due is lost, as with a sensor
  kLossless,  // its receiver as well: frames wait, in order, until there is room for them
};
std::string_view ToText(Pace pace);  // "lossless"
std::optional<Pace> ParsePace(std::string_view text);

struct StreamPlan {
  std::string name;
  std::string sensor;
  std::string format;  // "" where the sensor has one wire format
  Rate rate;           // of samples
  ChannelKind channel = ChannelKind::kTimer;
  std::string loop;  // "" where the receiver is external
  std::vector<FaultPlan> faults;
  std::optional<Nanos> break_above = {};  // the first sample later than this ends the run
  std::uint32_t batch = 1;                // samples per frame: a part with a FIFO is read when so many are in it
  ClockPlan clock = {};
  // Where frames are not evenly spaced: when each of a cycle of so many is due after the cycle's begin, in order; the
  // cycle takes as long as the rate says, or `recording`.
  std::vector<Nanos> pattern = {};
  std::optional<RecordingPlan> recording = {};  // it plays one; the rate then is rounded
  std::vector<Parameter> parameters = {};       // every one the sensor declares, defaults filled in
  // The receiver is external, a program that listens there; `channel` then only says whether the frames are messages.
  std::optional<Endpoint> endpoint = {};
  std::optional<Answers> answers = {};  // where that program answers each frame
  Pace pace = Pace::kRealTime;
  bool operator==(const StreamPlan&) const = default;
};

// When a command ends: with the window, or when it does.
inline constexpr std::string_view kUntilWindow = "window", kUntilExit = "exit";

// The user's own program as a workload: executed as it is, never through a shell.
struct CommandPlan {
  struct Variable {
    std::string name = {}, value = {};
    bool operator==(const Variable&) const = default;
  };

  std::vector<std::string> argv = {};  // argv[0]: with a slash a path, seen from `workdir`; else looked for in PATH
  std::vector<Variable> env = {};      // on top of the environment that corerig was called with
  std::string workdir = {};            // "": where corerig was called
  std::string units_pattern = {};      // a line of its output that matches is a unit of work; "": units are not counted
  bool until_exit = false;  // it runs until it ends by itself; else it is told to end when the window is over
  bool operator==(const CommandPlan&) const = default;
};

// In which model of running the workers of a group run.
enum class RunAs {
  kSpawn,   // a process each, executed anew
  kFork,    // a process each, forked from one that has loaded what they share
  kThread,  // threads of one process
};
std::string_view ToText(RunAs as);  // "spawn"
std::optional<RunAs> ParseRunAs(std::string_view text);

// One [worker.NAME]: a group of workers.
struct WorkerPlan {
  std::string name;
  std::string workload;
  std::vector<CpuId> cores;  // worker i is pinned to cores[i], unless the group floats; one may be there several times
  Policy policy;
  std::optional<std::uint64_t> units;  // of the whole group; absent: for the duration
  std::optional<Nanos> time_limit;     // from the common start; absent: until a second after the drain
  bool may_fail = false;
  std::vector<Parameter> parameters = {};    // every one the workload declares, defaults filled in
  std::optional<Bytes> memory = {};          // what each worker may have
  bool memory_counts_address_space = false;  // against `memory`: as RLIMIT_AS counts; else pages in use
  std::optional<CommandPlan> command = {};   // of the workload "exec"
  RunAs as = RunAs::kSpawn;
  std::vector<CpuId> floats_over = {};  // each worker may run on any of them; empty: they are pinned

  // Where worker `index` may run.
  std::vector<CpuId> CoresOf(int index) const;
  bool operator==(const WorkerPlan&) const = default;
};

enum class Comparison { kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kEqual };
std::string_view ToText(Comparison comparison);  // "<="
std::optional<Comparison> ParseComparison(std::string_view text);

// "stream.imu.latency.p99 < 500us", with the limit in the metric's unit.
struct BudgetPlan {
  std::string text;    // as written
  std::string metric;  // may hold "*" components
  Comparison comparison = Comparison::kLess;
  double limit = 0;
  bool operator==(const BudgetPlan&) const = default;
};

// What others may do to a measured core, one with a worker, loop or source, before a violated limit tells more about
// them than about the board (run/disturbance.h). Shares of the window; of the highest frequency.
struct DisturbancePlan {
  double max_foreign = 0.05;
  double max_steal = 0.01;
  double max_frequency_change = 0.1;
  bool operator==(const DisturbancePlan&) const = default;
};

struct Plan {
  std::string name;
  std::string about;
  Nanos duration{0};
  Nanos warmup{0};
  Nanos drain{0};
  std::uint64_t seed = 0;
  std::vector<std::string> require;      // "fifo"
  std::optional<Nanos> cpu_dma_latency;  // held during the run; absent: "system", left alone
  bool trace = true;                     // record the kernel's scheduling trace, where the board lets us
  DisturbancePlan disturbance;
  std::optional<SourcePlan> source;  // present if a stream needs one
  std::vector<LoopPlan> loops;       // all lists in the order of the file
  std::vector<StreamPlan> streams;
  std::vector<WorkerPlan> workers;
  std::vector<BudgetPlan> budgets;
  CpuId rig_core;            // where supervisor and keeper stay
  std::vector<CpuId> cores;  // of the board, that this run may use
  bool operator==(const Plan&) const = default;
};

// Some stream has one: the run may end at a late sample.
bool HasBreak(const Plan& plan);

// A loop of the handler receives it through a channel.
bool HasReceiver(const StreamPlan& stream);

// Some stream waits for a loop of the handler: the source then looks how far that has come.
bool WaitsForHandler(const Plan& plan);

// Frames per second, by the sensor's own clock.
Rate FrameRate(const StreamPlan& stream);

// The most frames that are due within a time so long, [t, t + span), anywhere in the stream.
std::uint64_t MostFramesWithin(const StreamPlan& stream, Nanos span);

// What all streams together send per second.
double FramesPerSecond(const Plan& plan);

// The names of all metrics that a run of this plan reports, in the report's order.
std::vector<std::string> MetricsOf(const Plan& plan);

}  // namespace corerig
