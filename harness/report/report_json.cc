#include "harness/report/report_json.h"

#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

namespace corerig {
namespace {

using Json = nlohmann::ordered_json;

// What a field holds. An absent one is null; JSON has no infinity, and no NaN.
Json Value(double number) {
  if (std::isnan(number)) return nullptr;
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  return number;
}
Json Value(std::uint64_t number) { return number; }
Json Value(Nanos duration) { return duration.count(); }
template <typename T>
Json Value(const std::optional<T>& value) {
  return value ? Value(*value) : Json(nullptr);
}

Json NameOrNull(const std::string& name) { return name.empty() ? Json(nullptr) : Json(name); }

Json Core(int core) { return core < 0 ? Json(nullptr) : Json(core); }

Json FromEnd(const EndRecord& end) {
  const bool has_number = end.kind == EndRecord::Kind::kExited || end.kind == EndRecord::Kind::kSignalled;
  return {{"kind", ToText(end.kind)},
          {"number", has_number ? Json(end.number) : Json(nullptr)},
          {"detail", end.detail},
          {"as_planned", end.as_planned}};
}

Json FromScheduling(const SchedulingRecord& scheduling) {
  if (scheduling.observed <= Nanos(0)) return nullptr;
  return {{"run", Value(scheduling.run)},          {"wait", Value(scheduling.wait)},
          {"timeslices", scheduling.timeslices},   {"voluntary", scheduling.voluntary},
          {"involuntary", scheduling.involuntary}, {"migrations", Value(scheduling.migrations)},
          {"observed", Value(scheduling.observed)}};
}

Json FromCounters(const CountersRecord& counters) {
  if (counters.counts.empty()) return nullptr;
  Json out = Json::object();
  for (const auto& count : counters.counts) {
    out[std::string(ToText(count.kind))] = {{"value", Value(count.value)},
                                            {"running", Value(count.running)},
                                            {"user_only", count.user_only},
                                            {"absent", count.absent.empty() ? Json(nullptr) : Json(count.absent)}};
  }
  return out;
}

Json FromMemoryFigure(const MemorySummary::Figure& figure) {
  return {{"max", Value(figure.max)}, {"mean", Value(figure.mean)}};
}

Json FromMemoryFigure(const std::optional<MemorySummary::Figure>& figure) {
  return figure ? FromMemoryFigure(*figure) : Json(nullptr);
}

Json FromMemorySummary(const std::optional<MemorySummary>& summary) {
  if (!summary) return nullptr;
  return {{"rss", FromMemoryFigure(summary->rss)},   {"pss", FromMemoryFigure(summary->pss)},
          {"uss", FromMemoryFigure(summary->uss)},   {"shared", FromMemoryFigure(summary->shared)},
          {"swap", FromMemoryFigure(summary->swap)}, {"page_tables", FromMemoryFigure(summary->page_tables)},
          {"uss_growth", Value(summary->uss_growth)}};
}

Json FromMemoryTrend(const MemoryTrend& trend) {
  return {{"verdict", ToText(trend.verdict)},
          {"slope", Value(trend.slope)},
          {"low", Value(trend.low)},
          {"high", Value(trend.high)},
          {"reason", trend.reason}};
}

Json FromMemoryLimit(const std::optional<MemoryLimitRecord>& limit) {
  if (!limit) return nullptr;
  return {{"limit", limit->limit.count},
          {"by", ToText(limit->by)},
          {"approximate", limit->by == MemoryLimitRecord::By::kSampling}};
}

// The fields that a process of any role has, added to those of its role.
void AddProcess(Json& out, const ProcessRecord& process) {
  out["pid"] = process.pid;
  out["end"] = FromEnd(process.end);
  out["scheduling"] = FromScheduling(process.scheduling);
  // Read together with the scheduling figures: without a reading, 0 would be an invention.
  out["faults"] = process.scheduling.observed > Nanos(0) ? Json{{"minor", process.scheduling.minor_faults},
                                                                {"major", process.scheduling.major_faults},
                                                                {"cow", Value(process.cow_faults)}}
                                                         : Json(nullptr);
  out["rss_peak"] = Value(process.rss_peak);
  out["memory_summary"] = FromMemorySummary(process.memory_summary);
  out["memory_trend"] = FromMemoryTrend(process.memory_trend);
  out["memory"] = Json::array();
  for (const auto& sample : process.memory) {
    out["memory"].push_back({{"at", Value(sample.at)}, {"rss", sample.rss}, {"pss", sample.pss}, {"uss", sample.uss}});
  }
}

Json FromSource(const RunRecord& record) {
  if (!record.source) return nullptr;
  Json out = {{"core", Core(record.source_core)}, {"policy", record.source_policy}};
  AddProcess(out, *record.source);
  return out;
}

Json FromHandler(const RunRecord& record) {
  if (!record.handler) return nullptr;
  Json out = Json::object();
  AddProcess(out, *record.handler);
  return out;
}

Json FromRig(const RunRecord& record) {
  Json out = {{"core", Core(record.rig_core)}};
  AddProcess(out, record.rig);
  return out;
}

// `infinite` samples more are longer than any recorded. Agrees with the metrics of the same name.
Json FromDistribution(const Distribution& seen, std::uint64_t infinite) {
  const bool any = seen.count() > 0;
  Json max = any ? Json(seen.max()) : Json(nullptr);
  if (infinite > 0) max = Value(INFINITY);
  Json buckets = Json::array();
  for (const auto& bucket : seen.buckets()) buckets.push_back({bucket.lower, bucket.upper, bucket.count});
  return {{"count", seen.count()},
          {"min", any ? Json(seen.min()) : Json(nullptr)},
          {"max", std::move(max)},
          {"mean", any ? Value(seen.mean()) : Json(nullptr)},
          {"p50", Value(seen.Percentile(0.5, infinite))},
          {"p90", Value(seen.Percentile(0.9, infinite))},
          {"p99", Value(seen.Percentile(0.99, infinite))},
          {"p999", Value(seen.Percentile(0.999, infinite))},
          {"buckets", std::move(buckets)}};
}

Json FromTracePart(const TracePartRecord& part) {
  Json held_by = Json::array();
  for (const auto& holder : part.held_by) {
    held_by.push_back({{"task", holder.task},
                       {"part", holder.part},
                       {"tid", holder.tid},
                       {"time", Value(holder.time)},
                       {"times", holder.times}});
  }
  return {{"part", part.part},
          {"run", Value(part.run)},
          {"voluntary", part.voluntary},
          {"involuntary", part.involuntary},
          {"migrations", part.migrations},
          {"preempted", Value(part.preempted)},
          {"runqueue", FromDistribution(part.runqueue, 0)},
          {"wake", FromDistribution(part.wake, 0)},
          {"slice", FromDistribution(part.slice, 0)},
          {"held_by", std::move(held_by)}};
}

Json FromTraceCore(const TraceCoreRecord& core) {
  Json foreign = Json::array();
  for (const auto& each : core.foreign_tasks) foreign.push_back({{"task", each.task}, {"time", Value(each.time)}});
  return {{"cpu", core.cpu},
          {"worker", Value(core.worker)},
          {"loop", Value(core.loop)},
          {"source", Value(core.source)},
          {"rig", Value(core.rig)},
          {"foreign", Value(core.foreign)},
          {"irq", Value(core.irq)},
          {"idle", Value(core.idle)},
          {"switches", core.switches},
          {"migrations_in", core.migrations_in},
          {"frequency", Value(core.frequency)},
          {"frequency_min", Value(core.frequency_min)},
          {"frequency_max", Value(core.frequency_max)},
          {"lost", core.lost},
          {"runqueue", FromDistribution(core.runqueue, 0)},
          {"foreign_tasks", std::move(foreign)}};
}

Json FromTrace(const TraceRecord& trace) {
  Json out = {{"absent", trace.absent.empty() ? Json(nullptr) : Json(trace.absent)},
              {"events", trace.events},
              {"lost", trace.lost},
              {"inferred", trace.inferred},
              {"gap", trace.gap},
              {"sees_interrupts", trace.sees_interrupts},
              {"covered", Value(trace.covered)},
              {"parts", Json::array()},
              {"cores", Json::array()}};
  for (const auto& part : trace.parts) out["parts"].push_back(FromTracePart(part));
  for (const auto& core : trace.cores) out["cores"].push_back(FromTraceCore(core));
  return out;
}

Json FromSwitches(const SwitchesRecord& switches) {
  Json parts = Json::array();
  for (const auto& part : switches.parts) {
    parts.push_back({{"part", part.part},
                     {"run", Value(part.run)},
                     {"voluntary", part.voluntary},
                     {"involuntary", part.involuntary},
                     {"migrations", part.migrations},
                     {"preempted", Value(part.preempted)},
                     {"slice", FromDistribution(part.slice, 0)}});
  }
  return {{"absent", switches.absent.empty() ? Json(nullptr) : Json(switches.absent)},
          {"records", switches.records},
          {"lost", switches.lost},
          {"gap", switches.gap},
          {"parts", std::move(parts)}};
}

Json FromStream(const StreamRecord& stream) {
  // What a program that is not ours received is not known.
  const auto received = [&stream](std::uint64_t number) {
    return stream.endpoint.empty() ? Json(number) : Json(nullptr);
  };
  Json faults = Json::array();
  for (const auto& fault : stream.faults) {
    const auto& episode = fault.episode;
    faults.push_back({{"kind", fault.kind},
                      {"begin", episode ? Value(episode->begin) : Json(nullptr)},
                      {"end", episode ? Value(episode->end) : Json(nullptr)},
                      {"injected", fault.injected},
                      {"detected", received(fault.detected)},
                      {"undetected", received(fault.undetected)},
                      {"undetectable", received(fault.undetectable)},
                      {"ambiguous", received(fault.ambiguous)},
                      {"found_after", Value(fault.found_after)},
                      {"value_error_rms", Value(fault.value_error_rms)}});
  }
  return {{"name", stream.name},
          {"sensor", stream.sensor},
          {"format", stream.format},
          {"channel", stream.channel},
          {"substitute", stream.substitute},
          {"loop", NameOrNull(stream.loop)},
          {"endpoint", NameOrNull(stream.endpoint)},
          {"rate", Value(stream.rate.hertz())},
          {"expected", stream.expected},
          {"sent", stream.sent},
          {"received", received(stream.received)},
          {"lost", received(stream.lost)},
          {"duplicated", received(stream.duplicated)},
          {"reordered", received(stream.reordered)},
          {"corrupt", received(stream.corrupt)},
          {"unread", received(stream.unread)},
          {"ambiguous", received(stream.ambiguous)},
          {"truth_lost", received(stream.truth_lost)},
          {"overruns", stream.overruns},
          {"unheard", stream.unheard},
          {"pace", stream.lossless ? "lossless" : "real-time"},
          {"backlog", stream.lossless ? Json(stream.backlog) : Json(nullptr)},
          {"blocked", stream.lossless ? Value(stream.blocked) : Json(nullptr)},
          {"in_window", stream.lossless ? Json(stream.in_window) : Json(nullptr)},
          {"overflows", received(stream.overflows)},
          {"bytes", stream.bytes},
          {"infinite", received(stream.infinite)},
          {"late_sends", stream.late_sends},
          {"gaps", stream.gaps},
          {"stamps_discarded", received(stream.stamps_discarded)},
          {"latency", FromDistribution(stream.latency, stream.infinite)},
          {"lateness", FromDistribution(stream.lateness, 0)},
          {"transport", FromDistribution(stream.transport, 0)},
          {"queue", FromDistribution(stream.queue, 0)},
          {"service", FromDistribution(stream.service, 0)},
          {"reaction", FromDistribution(stream.reaction, stream.unanswered.value_or(0))},
          {"answer_stamps", NameOrNull(stream.answer_stamps)},
          {"unanswered", Value(stream.unanswered)},
          {"unasked", Value(stream.unasked)},
          {"since_sent", FromDistribution(stream.since_sent, stream.infinite_since_sent())},
          {"value_error_rms", Value(stream.value_error_rms)},
          {"value_unit", stream.value_unit},
          {"faults", std::move(faults)},
          {"alarms",
           {{"repeating", received(stream.alarms.repeating)},
            {"implausible", received(stream.alarms.implausible)},
            {"late", received(stream.alarms.late)}}}};
}

Json FromLoop(const LoopRecord& loop) {
  return {{"name", loop.name},
          {"tid", loop.tid},
          {"core", Core(loop.core)},
          {"policy", loop.policy},
          {"wakeups", Value(loop.wakeups)},
          {"busy", Value(loop.busy)},
          {"scheduling", FromScheduling(loop.scheduling)},
          {"faults", loop.scheduling.observed > Nanos(0)
                         ? Json{{"minor", loop.scheduling.minor_faults}, {"major", loop.scheduling.major_faults}}
                         : Json(nullptr)},
          {"counters", FromCounters(loop.counters)}};
}

Json FromWorker(const WorkerRecord& worker) {
  Json out = {{"name", worker.name},
              {"index", worker.index},
              {"workload", worker.workload},
              {"as", worker.as},
              {"core", Core(worker.core)},
              {"policy", worker.policy},
              {"units", Value(worker.units)},
              {"units_planned", worker.units_planned},
              {"rate", Value(worker.rate)},
              {"start", Value(worker.start)},
              {"stop", Value(worker.stop)},
              {"has_result", worker.has_result},
              {"memory_limit", FromMemoryLimit(worker.memory_limit)},
              {"stdout", NameOrNull(worker.stdout_file)},
              {"stderr", NameOrNull(worker.stderr_file)},
              {"processes", Value(worker.processes)},
              {"counters", FromCounters(worker.process.counters)}};
  AddProcess(out, worker.process);
  return out;
}

Json FromGroup(const GroupRecord& group) {
  Json out = {{"name", group.name}};
  AddProcess(out, group.process);
  return out;
}

Json FromCore(const CoreRecord& core) {
  return {{"cpu", core.cpu},          {"worker", Value(core.worker)},
          {"loop", Value(core.loop)}, {"source", Value(core.source)},
          {"rig", Value(core.rig)},   {"steal", Value(core.steal)}};
}

Json FromMetrics(const std::vector<Metric>& metrics) {
  Json out = Json::object();
  for (const auto& metric : metrics) {
    out[metric.name] = metric.value
                           ? Json{{"value", Value(*metric.value)}, {"unit", metric.unit}, {"origin", metric.origin}}
                           : Json{{"absent", metric.absent}, {"unit", metric.unit}};
  }
  return out;
}

Json FromResult(const ResultRecord& result) {
  Json figures = Json::array();
  for (const auto& figure : result.figures) {
    figures.push_back({{"name", figure.name}, {"value", Value(figure.value)}, {"unit", figure.unit}});
  }
  return {
      {"workload", result.workload},
      {"workers", result.workers},
      {"workers_planned", result.workers_planned},
      {"units", result.units},
      {"figures", std::move(figures)},
      {"check", result.check ? Json{{"passed", result.check->passed}, {"text", result.check->text}} : Json(nullptr)},
      {"absent", result.absent.empty() ? Json(nullptr) : Json(result.absent)}};
}

Json FromSpike(const SpikeRecord& spike) {
  Json causes = Json::array();
  for (const auto& cause : spike.causes) {
    const bool of_task = cause.tid != 0;
    causes.push_back({{"kind", ToText(cause.kind)},
                      {"duration", Value(cause.duration)},
                      {"core", Core(cause.core)},
                      {"task", of_task ? Json(cause.task) : Json(nullptr)},
                      {"tid", of_task ? Json(cause.tid) : Json(nullptr)},
                      {"role", of_task ? Json(cause.role) : Json(nullptr)},
                      {"text", cause.text}});
  }
  return {{"part", spike.part},    {"loop", spike.loop},          {"sample", Value(spike.sample)},
          {"at", Value(spike.at)}, {"delay", Value(spike.delay)}, {"causes", std::move(causes)},
          {"text", spike.text}};
}

Json FromBreak(const std::optional<BreakRecord>& at) {
  if (!at) return nullptr;
  return {{"stream", at->stream},      {"sample", at->sample},
          {"at", Value(at->due)},      {"delay", Value(at->done - at->due)},
          {"limit", Value(at->limit)}, {"trace_stopped", Value(at->trace_stopped)},
          {"text", Describe(*at)}};
}

Json FromBudget(const BudgetRecord& budget) {
  return {{"limit", budget.limit},
          {"metric", budget.metric},
          {"value", budget.value},
          {"result", ToText(budget.result)},
          {"reason", budget.reason}};
}

Json FromBoard(const BoardRecord& board) {
  return {{"model", board.model},
          {"machine", board.machine},
          {"kernel", board.kernel},
          {"command_line", board.command_line},
          {"cores", board.cores},
          {"memory", board.memory},
          {"clock_source", board.clock_source},
          {"governor", board.governor}};
}

Json FromScenario(const RunRecord& record) {
  Json out = {{"file", record.scenario_file}, {"name", record.scenario_name}, {"about", record.scenario_about}};
  const Json read = Json::parse(record.scenario_json, nullptr, /*allow_exceptions=*/false);
  if (read.is_object()) out.update(read);
  return out;
}

Json FromRecord(const RunRecord& record) {
  Json out;
  out["schema"] = RunRecord::kSchema;
  out["corerig"] = {{"version", record.version}, {"build", record.build}};
  out["scenario"] = FromScenario(record);
  out["board"] = FromBoard(record.board);
  out["conditions"] = {{"command", record.conditions.command},
                       {"seed", record.conditions.seed},
                       {"cpu_dma_latency", record.conditions.cpu_dma_latency},
                       {"load_average", Value(record.conditions.load_average)}};
  out["started"] = {{"monotonic", Value(record.started.monotonic)},
                    {"realtime", Value(record.started.realtime)},
                    {"boottime", Value(record.started.boottime)}};
  out["duration"] = Value(record.duration);
  out["window"] = {{"begin", Value(record.window.begin)}, {"end", Value(record.window.end)}};
  out["complete"] = record.complete;
  out["verdict"] = {{"result", ToText(record.verdict)}, {"reasons", record.reasons}};
  const auto list = [&out](const char* key, const auto& items, auto from) {
    out[key] = Json::array();
    for (const auto& item : items) out[key].push_back(from(item));
  };
  list("budgets", record.budgets, FromBudget);
  out["break"] = FromBreak(record.at_break);
  out["metrics"] = FromMetrics(record.metrics);
  out["source"] = FromSource(record);
  out["handler"] = FromHandler(record);
  list("streams", record.streams, FromStream);
  list("loops", record.loops, FromLoop);
  list("workers", record.workers, FromWorker);
  list("groups", record.groups, FromGroup);
  list("cores", record.cores, FromCore);
  out["trace"] = FromTrace(record.trace);
  out["switches"] = FromSwitches(record.switches);
  out["memory"] = {{"total_pss", FromMemoryFigure(record.total_pss)}, {"shared", FromMemoryFigure(record.shared)}};
  out["results"] = Json::object();
  for (const auto& result : record.results) out["results"][result.group] = FromResult(result);
  list("spikes", record.spikes, FromSpike);
  list("warnings", record.warnings, [](const Warning& warning) {
    return Json{{"id", ToText(warning.id)}, {"text", warning.text}, {"remedy", RemedyFor(warning.id)}};
  });
  out["rig"] = FromRig(record);
  return out;
}

// Text of the record may come from the kernel or a user's program: bytes that are not UTF-8 become U+FFFD.
std::string Scalar(const Json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

bool IsFlat(const Json& value) {
  for (const auto& item : value) {
    if (item.is_structured() && !item.empty()) return false;
  }
  return true;
}

// The items of a list or an object, each after `before`, with `between` them.
template <typename PrintValue>
void PrintItems(const Json& value, std::string_view before, std::string_view between, std::string& out,
                PrintValue print_value) {
  bool first = true;
  for (const auto& item : value.items()) {
    if (!first) out += between;
    first = false;
    out += before;
    if (value.is_object()) out.append(Scalar(item.key())).append(": ");
    print_value(item.value());
  }
}

// Indented by two spaces, but what holds no further lists or objects and is short stays on one line: a metric, a
// bucket and a memory sample are one line each, so that reports can be read, grepped and diffed.
void Print(const Json& value, std::size_t indent, std::string& out) {
  constexpr std::size_t kShort = 110;
  if (!value.is_structured() || value.empty()) {
    out += Scalar(value);
    return;
  }
  const char open = value.is_object() ? '{' : '[';
  const char close = value.is_object() ? '}' : ']';
  if (IsFlat(value)) {
    std::string line(1, open);
    PrintItems(value, "", ", ", line, [&](const Json& item) { line += Scalar(item); });
    line += close;
    if (line.size() <= kShort) {
      out += line;
      return;
    }
  }
  out += open;
  PrintItems(value, "\n" + std::string(indent + 2, ' '), ",", out,
             [&](const Json& item) { Print(item, indent + 2, out); });
  out.append("\n").append(indent, ' ') += close;
}

}  // namespace

std::string ReportToJson(const RunRecord& record) {
  std::string out;
  Print(FromRecord(record), 0, out);
  return out += '\n';
}

}  // namespace corerig
