#include "harness/run/disturbance.h"

#include <cmath>
#include <set>

#include "harness/base/metric.h"
#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

std::set<int> MeasuredCores(const Plan& plan) {
  std::set<int> cores;
  if (plan.source) cores.insert(plan.source->core.value);
  for (const auto& loop : plan.loops) cores.insert(loop.core.value);
  for (const auto& group : plan.workers) {
    for (const CpuId core : group.cores) cores.insert(core.value);
    for (const CpuId core : group.floats_over) cores.insert(core.value);
  }
  return cores;
}

std::string TopTasks(const TraceCoreRecord& core) {
  constexpr std::size_t kMost = 3;
  std::vector<std::string> tasks;
  for (const auto& each : core.foreign_tasks) {
    if (tasks.size() == kMost) break;
    tasks.push_back(StrCat(each.task, " ", FormatDuration(static_cast<double>(each.time.count()))));
  }
  return tasks.empty() ? "" : StrCat(" (", Join(tasks, ", "), ")");
}

std::string FormatHertz(double hertz) {
  return hertz >= 1e9 ? StrCat(std::round(hertz / 1e7) / 100, " GHz") : StrCat(std::round(hertz / 1e6), " MHz");
}

// The cores of the threads whose doing a metric tells.
std::set<int> CoresOf(const Plan& plan, std::string_view metric) {
  const auto parts = Split(metric, '.');
  std::set<int> cores;
  if (parts.size() < 3) return cores;
  const auto add_loop = [&](std::string_view name) {
    for (const auto& loop : plan.loops) {
      if (loop.name == name) cores.insert(loop.core.value);
    }
  };
  if (parts[0] == "loop") add_loop(parts[1]);
  if (parts[0] == "stream") {
    for (const auto& stream : plan.streams) {
      if (stream.name != parts[1]) continue;
      add_loop(stream.loop);
      if (plan.source && stream.channel != ChannelKind::kTimer) cores.insert(plan.source->core.value);
      // Any of the commands may be the one that receives it.
      for (const auto& group : plan.workers) {
        if (!stream.endpoint || !group.command) continue;
        for (const CpuId core : group.cores) cores.insert(core.value);
      }
    }
  }
  if (parts[0] == "worker") {
    for (const auto& group : plan.workers) {
      const auto index = ParseNumber<std::size_t>(parts[2]);
      if (group.name != parts[1] || !index || *index >= group.cores.size()) continue;
      for (const CpuId core : group.CoresOf(static_cast<int>(*index))) cores.insert(core.value);
    }
  }
  if (parts[0] == "core") {
    if (const auto cpu = ParseNumber<int>(parts[1])) cores.insert(*cpu);
  }
  return cores;
}

// By the part and the figure of a metric kind; what is not here stands for kNone.
struct Row {
  std::string_view part, figure;
  Effect effect;
};
constexpr Row kEffects[] = {
    {"stream.NAME", "rate", Effect::kLowers},
    {"stream.NAME", "bytes_per_s", Effect::kLowers},
    {"stream.NAME", "sent", Effect::kLowers},
    {"stream.NAME", "received", Effect::kLowers},
    {"stream.NAME", "lost", Effect::kRaises},
    {"stream.NAME", "unread", Effect::kRaises},
    {"stream.NAME", "truth_lost", Effect::kRaises},
    {"stream.NAME", "overruns", Effect::kRaises},
    {"stream.NAME", "backlog", Effect::kRaises},
    {"stream.NAME", "blocked", Effect::kEither},
    {"stream.NAME", "latency", Effect::kRaises},
    {"stream.NAME", "lateness", Effect::kRaises},
    {"stream.NAME", "transport", Effect::kRaises},
    {"stream.NAME", "queue", Effect::kRaises},
    {"stream.NAME", "service", Effect::kRaises},
    {"stream.NAME", "reaction", Effect::kRaises},
    {"loop.NAME", "wakeups", Effect::kLowers},
    {"loop.NAME", "busy", Effect::kEither},
    {"loop.NAME", "cpu", Effect::kEither},
    {"loop.NAME", "switches.voluntary", Effect::kLowers},
    {"loop.NAME", "switches.involuntary", Effect::kRaises},
    {"loop.NAME", "runqueue", Effect::kRaises},
    {"loop.NAME", "wake", Effect::kRaises},
    {"loop.NAME", "preempted", Effect::kRaises},
    {"worker.NAME.I", "rate", Effect::kLowers},
    {"worker.NAME.I", "cpu", Effect::kLowers},
    {"worker.NAME.I", "switches.voluntary", Effect::kEither},
    {"worker.NAME.I", "switches.involuntary", Effect::kRaises},
    {"worker.NAME.I", "runqueue", Effect::kRaises},
    {"worker.NAME.I", "slice", Effect::kLowers},
    {"worker.NAME.I", "preempted", Effect::kRaises},
    {"worker.NAME.I", "start", Effect::kRaises},
    {"worker.NAME.I", "stop", Effect::kRaises},
    {"core.N", "worker", Effect::kLowers},
    {"core.N", "loop", Effect::kEither},
    {"core.N", "source", Effect::kEither},
    {"core.N", "idle", Effect::kLowers},
    {"core.N", "switches", Effect::kRaises},
    {"core.N", "runqueue", Effect::kRaises},
};

}  // namespace

std::vector<Disturbance> DisturbancesOf(const Plan& plan, const RunRecord& record) {
  std::vector<Disturbance> found;
  const DisturbancePlan& limits = plan.disturbance;
  const auto covered = static_cast<double>(record.trace.covered.count());
  const bool traced = record.trace.absent.empty() && !record.trace.gap && covered > 0;
  for (const int cpu : MeasuredCores(plan)) {
    for (const auto& core : record.trace.cores) {
      if (core.cpu != cpu || !traced) continue;
      if (const double share = static_cast<double>(core.foreign.count()) / covered; share > limits.max_foreign) {
        found.push_back({cpu, StrCat("foreign tasks took ", FormatShare(share), " of core ", cpu, TopTasks(core),
                                     ", more than max_foreign = ", FormatShare(limits.max_foreign))});
      }
      if (!core.frequency_min || !core.frequency_max || *core.frequency_max <= 0) continue;
      const double change = (*core.frequency_max - *core.frequency_min) / *core.frequency_max;
      if (change > limits.max_frequency_change) {
        found.push_back({cpu, StrCat("core ", cpu, " ran at ", FormatHertz(*core.frequency_min), " to ",
                                     FormatHertz(*core.frequency_max), ", a change of ", FormatShare(change),
                                     ", more than max_frequency_change = ", FormatShare(limits.max_frequency_change))});
      }
    }
    for (const auto& core : record.cores) {
      if (core.cpu != cpu || core.steal.value_or(0) <= limits.max_steal) continue;
      found.push_back({cpu, StrCat("the hypervisor took ", FormatShare(*core.steal), " of core ", cpu,
                                   ", more than max_steal = ", FormatShare(limits.max_steal))});
    }
  }
  return found;
}

std::vector<const Disturbance*> Concerning(const Plan& plan, const std::vector<Disturbance>& disturbances,
                                           std::string_view metric) {
  std::vector<const Disturbance*> concerning;
  const std::set<int> cores = CoresOf(plan, metric);
  for (const auto& each : disturbances) {
    if (cores.contains(each.core)) concerning.push_back(&each);
  }
  return concerning;
}

Effect EffectOn(std::string_view metric) {
  const MetricKind* const kind = FindMetricKind(metric);
  // A number of samples is no figure of theirs.
  if (kind == nullptr || metric.ends_with(".count")) return Effect::kNone;
  for (const Row& row : kEffects) {
    if (row.part == kind->part && row.figure == kind->figure) return row.effect;
  }
  return Effect::kNone;
}

}  // namespace corerig
