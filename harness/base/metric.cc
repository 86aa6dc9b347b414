#include "harness/base/metric.h"

#include <utility>

#include "harness/base/text.h"

namespace corerig {
namespace {

constexpr std::string_view kStream = "stream.NAME", kLoop = "loop.NAME", kWorker = "worker.NAME.I",
                           kGroup = "worker.NAME.all", kCore = "core.N", kMemory = "memory", kRig = "rig";
constexpr std::string_view kDistribution = "p50 p90 p99 p999 max mean min count", kSampled = "max mean",
                           kOneNumber = "";

constexpr MetricKind kKinds[] = {
    {kStream, "rate", "per_s", kOneNumber,
     "Samples received, each counted once, per second of the window; of a lossless stream those received in the "
     "window, "
     "or taken by its endpoint, whenever they were due."},
    {kStream, "sent", "count", kOneNumber,
     "Samples due in the window that the source came to send, those that an injected fault kept back and refused "
     "frames included."},
    {kStream, "received", "count", kOneNumber, "Good samples the handler received, second copies included."},
    {kStream, "lost", "count", kOneNumber, "Samples that did not arrive, or only in a corrupt frame."},
    {kStream, "duplicated", "count", kOneNumber, "Good samples that had been received before."},
    {kStream, "reordered", "count", kOneNumber, "Good samples that arrived after a later one."},
    {kStream, "corrupt", "count", kOneNumber, "Frames that failed the receiver's check; their samples count as lost."},
    {kStream, "unread", "count", kOneNumber, "Samples still in the channel when the drain ended."},
    {kStream, "ambiguous", "count", kOneNumber, "Samples that fit no single frame of the truth; they are not guessed."},
    {kStream, "truth_lost", "count", kOneNumber, "Samples whose truth was overwritten before it was matched."},
    {kStream, "faults.injected", "count", kOneNumber, "Samples that an injected fault hit."},
    {kStream, "faults.detected", "count", kOneNumber, "Of these, samples for which a rule of the receiver's fired."},
    {kStream, "faults.undetected", "count", kOneNumber, "Of these, samples for which none did."},
    {kStream, "false_alarms", "count", kOneNumber,
     "Samples that the receiver took for stuck or wrong though no injected fault had touched them."},
    {kStream, "gaps", "count", kOneNumber,
     "Due times at which the sensor itself delivered nothing; not sent, not lost."},
    {kStream, "overruns", "count", kOneNumber,
     "Samples of which the channel, or the external receiver, did not take the whole frame; counted as sent."},
    {kStream, "backlog", "count", kOneNumber,
     "Samples due in the window that a lossless stream could not send until the drain's end, as its receiver made no "
     "room for them; neither sent nor lost."},
    {kStream, "blocked", "share", kOneNumber,
     "Share of the window in which a due frame of a lossless stream waited for its receiver to make room."},
    {kStream, "bytes_per_s", "bytes_per_s", kOneNumber, "Bytes the source put on the wire per second of the window."},
    {kStream, "latency", "ns", kDistribution,
     "Time from when a sample was due, or was released by an injected delay, until it was consumed; one that never was "
     "counts as infinite."},
    {kStream, "lateness", "ns", kDistribution,
     "Time from when a sample was due, or was released by an injected delay, until its send call."},
    {kStream, "transport", "ns", kDistribution,
     "Time from the send call until the kernel stamped the frame received (kernel - sent)."},
    {kStream, "queue", "ns", kDistribution,
     "Time from the kernel's receive stamp, or from the send call if there is none, until the handler began on the "
     "sample (begin - kernel)."},
    {kStream, "service", "ns", kDistribution, "Time the handler took to decode and consume a sample (done - begin)."},
    {kStream, "reaction", "ns", kDistribution,
     "Time from when a sample was due until an external receiver's answer came; one that never did counts as "
     "infinite."},

    {kLoop, "wakeups", "count", kOneNumber, "Times the loop came back from waiting in the kernel."},
    {kLoop, "busy", "share", kOneNumber,
     "Share of the window in callbacks, by the wall; the kernel's part of waiting and waking is in cpu alone."},
    {kLoop, "cpu", "share", kOneNumber, "Share of the window its thread ran on a CPU."},
    {kLoop, "switches.voluntary", "count", kOneNumber, "Times its thread gave up the CPU to wait."},
    {kLoop, "switches.involuntary", "count", kOneNumber, "Times its thread was preempted."},
    {kLoop, "migrations", "count", kOneNumber, "Times its thread moved to another CPU."},
    {kLoop, "runqueue", "ns", kDistribution, "Time its thread was ready to run, woken or preempted, until it ran."},
    {kLoop, "wake", "ns", kDistribution, "Time from its thread being woken until it ran."},
    {kLoop, "preempted", "share", kOneNumber, "Share of the window it was ready to run after others had preempted it."},
    {kLoop, "faults.minor", "count", kOneNumber, "Page faults of its thread served from memory."},
    {kLoop, "faults.major", "count", kOneNumber, "Page faults of its thread that had to read from storage."},
    {kLoop, "cycles", "count", kOneNumber, "CPU cycles its thread ran for."},
    {kLoop, "instructions", "count", kOneNumber, "Instructions its thread executed."},
    {kLoop, "ipc", "per_cycle", kOneNumber, "Instructions per cycle."},
    {kLoop, "cache_misses", "count", kOneNumber,
     "Its thread's misses of the last-level cache, as the CPU counts them."},
    {kLoop, "branch_misses", "count", kOneNumber, "Branches of its thread that the CPU had predicted wrongly."},

    {kGroup, "rss", "bytes", kSampled, "Memory that a group of threads has mapped and present in their process."},
    {kGroup, "pss", "bytes", kSampled, "Likewise, each shared page divided by the processes that map it."},
    {kGroup, "uss", "bytes", "max mean growth",
     "Memory that their process alone has present, and its trend per minute."},
    {kGroup, "shared", "bytes", kSampled, "Memory their process has present that other processes map as well."},
    {kGroup, "swap", "bytes", kSampled, "Memory of their process that is swapped out."},
    {kGroup, "pagetables", "bytes", kSampled, "Page tables that the kernel keeps for their process."},
    {kGroup, "faults.cow", "count", kOneNumber,
     "Pages their process shared that were copied because it wrote to them."},

    {kWorker, "rate", "per_s", kOneNumber,
     "Units of work done per second of the window, or of its part up to the last one."},
    {kWorker, "cpu", "share", kOneNumber, "Share of the window, or of its part up to its end, it ran on a CPU."},
    {kWorker, "switches.voluntary", "count", kOneNumber, "Times it gave up the CPU to wait."},
    {kWorker, "switches.involuntary", "count", kOneNumber, "Times it was preempted."},
    {kWorker, "migrations", "count", kOneNumber, "Times it moved to another CPU."},
    {kWorker, "runqueue", "ns", kDistribution, "Time it was ready to run, woken or preempted, until it ran."},
    {kWorker, "slice", "ns", kDistribution, "Time it ran from being given the CPU until it left it."},
    {kWorker, "preempted", "share", kOneNumber,
     "Share of the window it was ready to run after others had preempted it."},
    {kWorker, "cycles", "count", kOneNumber, "CPU cycles it ran for, with all it started."},
    {kWorker, "instructions", "count", kOneNumber, "Instructions it executed, with all it started."},
    {kWorker, "ipc", "per_cycle", kOneNumber, "Instructions per cycle."},
    {kWorker, "cache_misses", "count", kOneNumber, "Misses of the last-level cache, as the CPU counts them."},
    {kWorker, "branch_misses", "count", kOneNumber, "Branches that the CPU had predicted wrongly."},
    {kWorker, "faults.minor", "count", kOneNumber, "Page faults served from memory."},
    {kWorker, "faults.major", "count", kOneNumber, "Page faults that had to read from storage."},
    {kWorker, "faults.cow", "count", kOneNumber, "Pages it shared that were copied because it wrote to them."},
    {kWorker, "rss", "bytes", kSampled, "Memory it has mapped and present, shared pages counted in full."},
    {kWorker, "pss", "bytes", kSampled,
     "Memory it has present, each shared page divided by the processes that map it."},
    {kWorker, "uss", "bytes", "max mean growth", "Memory that it alone has present, and its trend per minute."},
    {kWorker, "shared", "bytes", kSampled, "Memory it has present that other processes map as well."},
    {kWorker, "swap", "bytes", kSampled, "Memory of it that is swapped out."},
    {kWorker, "pagetables", "bytes", kSampled, "Page tables that the kernel keeps for it."},
    {kWorker, "cgroup.peak", "bytes", kOneNumber,
     "The most its control group had from its start on: page cache, page tables and the kernel's own memory for it "
     "included."},
    {kWorker, "start", "ns", kOneNumber, "Time from the common start to the first instruction of its work."},
    {kWorker, "stop", "ns", kOneNumber, "Time from the order to stop to the last instruction of its work."},

    {kCore, "worker", "share", kOneNumber, "Share of the window the core ran workers."},
    {kCore, "loop", "share", kOneNumber, "Share of the window the core ran event loops."},
    {kCore, "source", "share", kOneNumber, "Share of the window the core ran the source."},
    {kCore, "rig", "share", kOneNumber, "Share of the window the core ran the rig itself."},
    {kCore, "foreign", "share", kOneNumber, "Share of the window the core ran tasks that are not of the run."},
    {kCore, "irq", "share", kOneNumber, "Share of the window the core served interrupts."},
    {kCore, "idle", "share", kOneNumber, "Share of the window the core had nothing to run."},
    {kCore, "steal", "share", kOneNumber, "Share of the window the hypervisor gave the core to others."},

    {kCore, "switches", "count", kOneNumber, "Times the core went from one task, or from idle, to another."},
    {kCore, "runqueue", "ns", kDistribution, "Time that tasks were ready to run until they ran here."},
    {kCore, "migrations_in", "count", kOneNumber, "Times a task was moved to the core from another."},
    {kCore, "frequency", "Hz", kOneNumber, "Mean frequency of the core, over the time the trace knows it."},

    {kMemory, "total.pss", "bytes", kSampled, "Memory of all processes of the run, rig included, shared pages once."},
    {kMemory, "shared", "bytes", kSampled, "Memory that more than one process maps, counted once (PSS - USS)."},

    {kRig, "cpu", "share", kOneNumber, "Share of one core that the supervisor and the keeper took."},
    {kRig, "trace.lost", "count", kOneNumber, "Events of the scheduling trace that were lost, in the whole run."},
    {kRig, "pss", "bytes", kSampled, "Memory of the supervisor, shared pages divided by the processes that map them."},
};

// The first component, taken off `rest`.
std::string_view TakeComponent(std::string_view& rest) {
  const auto dot = rest.find('.');
  const std::string_view component = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return component;
}

bool IsPlaceholder(std::string_view component) {
  return !component.empty() && component.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
}

// Takes the components of `pattern` off `rest`, if they match.
bool TakePrefix(std::string_view pattern, std::string_view& rest) {
  while (!pattern.empty()) {
    const std::string_view wanted = TakeComponent(pattern), found = TakeComponent(rest);
    if (found.empty() || (!IsPlaceholder(wanted) && found != wanted)) return false;
  }
  return true;
}

// The kind of a full metric name, and its statistic ("" for a figure that is one number).
struct Found {
  const MetricKind* kind = nullptr;
  std::string_view statistic;
};

Found Find(std::string_view metric) {
  if (metric.ends_with('.')) return {};  // an empty component at the end, which would pass for no statistic
  for (const auto& kind : kKinds) {
    std::string_view rest = metric;
    if (!TakePrefix(kind.part, rest) || !TakePrefix(kind.figure, rest)) continue;
    // An empty rest is also one statistic, "", as the table has it for one number.
    for (const auto statistic : Split(kind.statistics, ' ')) {
      if (rest == statistic) return {&kind, statistic};
    }
  }
  return {};
}

}  // namespace

std::span<const MetricKind> MetricKinds() { return kKinds; }

std::vector<std::string> MetricNames(std::string_view part_kind, std::string_view part) {
  std::vector<std::string> names;
  for (const auto& kind : kKinds) {
    if (kind.part != part_kind) continue;
    for (const auto statistic : Split(kind.statistics, ' ')) {
      names.push_back(StrCat(part, ".", kind.figure, statistic.empty() ? "" : ".", statistic));
    }
  }
  return names;
}

const MetricKind* FindMetricKind(std::string_view metric) { return Find(metric).kind; }

std::string_view UnitOf(std::string_view metric) {
  const Found found = Find(metric);
  if (found.kind == nullptr) return {};
  if (found.statistic == "count") return "count";
  if (found.statistic == "growth") return "bytes_per_min";
  return found.kind->unit;
}

std::optional<double> PercentileOf(std::string_view metric) {
  constexpr std::pair<std::string_view, double> kPercentiles[] = {
      {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
  const auto dot = metric.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  for (const auto& [statistic, share] : kPercentiles) {
    if (metric.substr(dot + 1) == statistic) return share;
  }
  return std::nullopt;
}

bool MatchesPattern(std::string_view pattern, std::string_view metric) {
  const auto wanted = Split(pattern, '.'), found = Split(metric, '.');
  if (wanted.size() != found.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] != "*" && wanted[i] != found[i]) return false;
  }
  return true;
}

}  // namespace corerig
