#include "harness/run/collect.h"

#include <algorithm>
#include <cmath>

#include "harness/base/text.h"
#include "harness/loop/channel.h"
#include "harness/stream/schedule.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

// A task that ended early was observed for part of the window only; the rest of it the core was free of it.
double ShareOf(const SchedulingRecord& scheduling, Nanos window) {
  if (window <= Nanos(0)) return 0;
  return static_cast<double>(scheduling.run.count()) / static_cast<double>(window.count());
}

bool Finished(const SupervisedChild* child) {
  return child != nullptr && child->header().state.load(std::memory_order_acquire) == ChildState::kFinished;
}

void AddSourceSide(StreamRecord& record, const SourceStream& source) {
  record.sent = source.sent.Get();
  record.bytes = source.bytes.Get();
  record.overruns = source.overruns.Get();
  record.unheard = source.unheard.Get();
  record.late_sends = source.late.Get();
  record.gaps = source.gaps.Get();
  record.backlog = source.backlog.Get();
  record.blocked = Nanos(static_cast<std::int64_t>(std::min<std::uint64_t>(source.blocked_ns.Get(), INT64_MAX)));
}

FaultRecord CollectFault(const FaultPlan& plan, const InjectedFault* injected, const FoundFault* found, Nanos window) {
  FaultRecord record = {.kind = std::string(ToText(plan.kind))};
  if (plan.span) {
    const Nanos begin = std::min(plan.span->from, std::max(window, Nanos(0)));
    const Nanos rest = std::max(window, Nanos(0)) - begin;
    record.episode = {begin, begin + std::min(plan.span->length.value_or(rest), rest)};
  }
  if (injected != nullptr) record.injected = injected->samples.Get();
  if (found == nullptr) return record;
  record.detected = found->detected.Get();
  record.undetected = found->undetected.Get();
  record.undetectable = found->undetectable.Get();
  record.ambiguous = found->ambiguous.Get();
  const std::uint64_t first_due = injected != nullptr ? injected->first_due.Get() : 0;
  if (const std::uint64_t at = found->first_found.Get(); first_due > 0 && at >= first_due && at <= INT64_MAX) {
    record.found_after = Nanos(static_cast<std::int64_t>(at - first_due));
  }
  const auto done = static_cast<double>(found->done.Get());
  const double squares = found->value_error_squares.load(std::memory_order_relaxed);
  if (done > 0 && std::isfinite(squares) && squares >= 0) record.value_error_rms = std::sqrt(squares / done);
  return record;
}

void AddHandlerSide(StreamRecord& record, const HandlerStream& handler) {
  record.received = handler.received.Get();
  record.duplicated = handler.duplicated.Get();
  record.reordered = handler.reordered.Get();
  record.corrupt = handler.corrupt.Get();
  record.lost = handler.lost.Get();
  record.unread = handler.unread.Get();
  record.in_window = handler.done_in_window.Get();
  record.ambiguous = handler.ambiguous.Get();
  record.truth_lost = handler.truth_lost.Get();
  record.stamps_discarded = handler.stamps_discarded.Get();
  record.alarms = {.repeating = handler.false_repeating.Get(),
                   .implausible = handler.false_implausible.Get(),
                   .late = handler.late_arrivals.Get()};
  record.overflows = handler.overflows.Get();
  record.latency = handler.latency.Read();
  record.lateness = handler.lateness.Read();
  record.transport = handler.transport.Read();
  record.queue = handler.queue.Read();
  record.service = handler.service.Read();
  record.since_sent = handler.since_sent.Read();
  const auto done = static_cast<double>(handler.done.Get());
  const double squares = handler.value_error_squares.load(std::memory_order_relaxed);
  if (done > 0 && record.channel != "timer" && std::isfinite(squares) && squares >= 0) {
    record.value_error_rms = std::sqrt(squares / done);
  }
}

StreamRecord CollectStream(const Plan& plan, std::size_t index, const Rig& rig, const StreamSides& sides,
                           const Timeline& timeline) {
  const StreamPlan& stream = plan.streams[index];
  StreamRecord record;
  record.name = stream.name;
  record.sensor = stream.sensor;
  record.format = stream.format;
  record.channel = ToText(stream.channel);
  record.substitute = SubstituteFor(stream.channel);
  record.loop = stream.loop;
  record.lossless = stream.pace == Pace::kLossless;
  record.rate = stream.rate;
  if (const SensorType* sensor = FindSensor(rig, stream.sensor)) record.value_unit = sensor->value_unit;
  if (timeline.window_end > timeline.window_begin) {
    record.expected =
        Expected(plan, stream, timeline.window_begin - timeline.start, timeline.window_end - timeline.start).count;
  }

  const SourceStream* source = nullptr;
  if (sides.source != nullptr && stream.channel != ChannelKind::kTimer) {
    source = sides.source->launched.slab.At<SourceStream>(SourceSlabLayout(plan).streams[index].figures);
    AddSourceSide(record, *source);
  }
  if (stream.endpoint) {
    record.endpoint = ToText(*stream.endpoint);
    if (stream.answers) {
      const bool stamped = AreStamped(*stream.answers, *stream.endpoint, IsDatagram(stream.channel));
      record.answer_stamps = stamped ? "kernel" : "read";
    }
    if (source != nullptr) record.lateness = source->lateness.Read();
    if (source != nullptr) record.in_window = source->taken_in_window.Get();
    if (source != nullptr && stream.answers) {
      record.reaction = source->reaction.Read();
      record.unanswered = record.expected - std::min(record.expected, record.reaction.count());
      record.unasked = source->unasked.Get();
    }
  }
  const HandlerStream* handler = nullptr;
  if (sides.handler != nullptr && !stream.endpoint) {
    handler = sides.handler->launched.slab.At<HandlerStream>(HandlerSlabLayout(plan).streams[index]);
    AddHandlerSide(record, *handler);
  }
  // A timer stream has no sender: its ticks are due, and that is all.
  if (stream.channel == ChannelKind::kTimer) record.sent = record.expected;
  for (std::size_t i = 0; i < stream.faults.size() && i < kMostFaults; ++i) {
    record.faults.push_back(CollectFault(stream.faults[i], source == nullptr ? nullptr : &source->faults[i],
                                         handler == nullptr ? nullptr : &handler->faults[i],
                                         timeline.window_end - timeline.window_begin));
  }
  if (stream.endpoint) return record;
  // The handler settles its losses when the drain ends. One that did not come so far leaves them to us.
  if (!Finished(sides.handler)) record.lost = record.sent - std::min(record.sent, record.done() + record.unread);
  // Losses that were put in on purpose are no failure of the board, nor is what the sensor itself leaves out.
  const std::uint64_t accounted = record.done() + record.gaps + (handler != nullptr ? handler->lost_injected.Get() : 0);
  record.infinite = record.expected - std::min(record.expected, accounted);
  return record;
}

}  // namespace

StreamSides SidesOf(const std::vector<SupervisedChild>& children) {
  StreamSides sides;
  for (const auto& child : children) {
    if (child.launched.role == Role::kSource) sides.source = &child;
    if (child.launched.role == Role::kHandler) sides.handler = &child;
  }
  return sides;
}

std::optional<BreakRecord> CollectBreak(const Plan& plan, const StreamSides& sides, const Timeline& timeline,
                                        bool traced) {
  if (sides.handler == nullptr || timeline.start == Nanos(0)) return std::nullopt;
  const auto moment = sides.handler->launched.slab.At<BreakLatch>(HandlerSlabLayout(plan).at_break)->Read();
  if (!moment || moment->stream >= plan.streams.size()) return std::nullopt;
  const StreamPlan& stream = plan.streams[moment->stream];
  const SampleStamps& sample = moment->sample;
  const std::uint64_t first =
      Expected(plan, stream, timeline.window_begin - timeline.start, timeline.window_end - timeline.start).first;
  const bool sound = stream.break_above && sample.due >= timeline.window_begin && sample.due < timeline.window_end &&
                     sample.done > sample.due && sample.latency() > *stream.break_above && sample.sequence >= first;
  if (!sound) return std::nullopt;
  BreakRecord record = {.stream = stream.name,
                        .sample = sample.sequence - first,
                        .due = sample.due,
                        .done = sample.done,
                        .limit = *stream.break_above};
  if (traced && moment->trace_stopped >= sample.done) record.trace_stopped = moment->trace_stopped - sample.done;
  return record;
}

std::vector<StreamRecord> CollectStreams(const Plan& plan, const Rig& rig, const StreamSides& sides,
                                         const Timeline& timeline) {
  std::vector<StreamRecord> records;
  for (std::size_t i = 0; i < plan.streams.size(); ++i) records.push_back(CollectStream(plan, i, rig, sides, timeline));
  return records;
}

std::vector<LoopRecord> CollectLoops(const Plan& plan, const SupervisedChild* handler,
                                     const std::vector<WindowReadings>& scheduling) {
  std::vector<LoopRecord> records;
  const HandlerSlabLayout layout(plan);
  for (std::size_t i = 0; i < plan.loops.size(); ++i) {
    const LoopPlan& loop = plan.loops[i];
    LoopRecord record;
    record.name = loop.name;
    record.core = loop.core.value;
    record.policy = ToText(loop.policy);
    if (handler != nullptr) {
      const HandlerLoop& figures = *handler->launched.slab.At<HandlerLoop>(layout.loops[i]);
      record.tid = static_cast<int>(figures.tid.Get());
      if (Finished(handler)) {
        record.wakeups = figures.wakeups.Get();
        record.busy = Nanos(static_cast<std::int64_t>(std::min<std::uint64_t>(figures.busy_ns.Get(), INT64_MAX)));
      }
    }
    if (i < scheduling.size()) record.scheduling = scheduling[i].Scheduling();
    records.push_back(std::move(record));
  }
  return records;
}

ProcessRecord CollectProcess(const SupervisedChild& child, const MemorySampler& memory, int key,
                             const std::string& cow_absent) {
  ProcessRecord record;
  record.pid = child.pid();
  record.end = child.end;
  record.scheduling = child.scheduling.Scheduling();
  if (child.cow_before && child.cow_after) {
    record.cow_faults = *child.cow_after - std::min(*child.cow_after, *child.cow_before);
  } else {
    record.cow_absent = cow_absent.empty() ? "it did not live through the window" : cow_absent;
  }
  if (child.counters) record.counters = child.counters->Record();
  record.rss_peak = child.rss_peak;
  record.memory = memory.Series(key);
  record.memory_summary = memory.Summary(key);
  record.memory_trend = memory.Trend(key);
  const SlabHeader& header = child.header();
  if (!record.memory_summary && child.scheduling.before && header.last_rss.Get() > 0) {
    // It ended between two samples: its own last reading is all there is.
    const auto figure = [](const Counter& counter) {
      return MemorySummary::Figure{static_cast<double>(counter.Get()), static_cast<double>(counter.Get())};
    };
    record.memory_summary = MemorySummary{.rss = figure(header.last_rss),
                                          .pss = figure(header.last_pss),
                                          .uss = figure(header.last_uss),
                                          .shared = {},
                                          .swap = {},
                                          .page_tables = {},
                                          .uss_growth = {}};
    // Every resident page is either.
    const double shared = std::max(0.0, record.memory_summary->rss.max - record.memory_summary->uss.max);
    record.memory_summary->shared = {shared, shared};
  }
  return record;
}

namespace {

void AddMemoryLimit(WorkerRecord& record, const WorkerPlan& group, const SupervisedChild& worker) {
  record.group_peak_absent = "no limit was set: memory = \"64MiB\" would give it a control group of its own";
  if (!group.memory) return;
  record.memory_limit = {.limit = *group.memory, .by = MemoryLimitRecord::By::kGroup};
  if (group.memory_counts_address_space) {
    record.memory_limit->by = MemoryLimitRecord::By::kAddressSpace;
    record.group_peak_absent = "the limit is on its address space, which needs no control group";
    return;
  }
  if (!worker.launched.memory_group) {
    record.memory_limit->by = MemoryLimitRecord::By::kSampling;
    record.group_peak_absent = "it has no control group of its own: see the warning";
    return;
  }
  const auto reading = worker.memory_group ? *worker.memory_group : worker.launched.memory_group->Read();
  record.group_peak = reading.peak;
  record.group_peak_absent = reading.peak ? "" : "the kernel has no memory.peak (Linux 5.19)";
}

}  // namespace

WorkerRecord CollectWorker(const Plan& plan, const SupervisedChild& worker, const MemorySampler& memory, int key,
                           const std::string& cow_absent, const Timeline& timeline) {
  const WorkerPlan& group = plan.workers[worker.launched.group];
  const WorkerJob job = JobOf(group, worker.launched.index, plan.seed, plan.shard);
  WorkerRecord record;
  record.name = group.name;
  record.index = worker.launched.index;
  record.workload = group.workload;
  record.as = ToText(group.as);
  record.core = worker.launched.core();
  record.policy = ToText(worker.launched.policy);
  record.process = CollectProcess(worker, memory, key, worker.is_thread() ? std::string(kOneAddressSpace) : cow_absent);
  AddMemoryLimit(record, group, worker);
  const bool counted = !group.command || worker.launched.output;
  if (counted) record.units = worker.progress().units;
  record.units_planned = job.units ? job.UnitsOfWorker() : 0;
  // A command that ended in the window did all it ever did by then.
  const bool seen_to_end = worker.progress_after || worker.ended_at;
  if (counted && worker.progress_before && seen_to_end) {
    // From the end of one unit to the end of another: whole units over exactly the time they took.
    const auto& from = *worker.progress_before;
    const Progress::Reading to = worker.progress_after.value_or(worker.progress());
    const Nanos begin = from.units == 0
                            ? std::max(timeline.start, Nanos(static_cast<std::int64_t>(worker.header().begun_at.Get())))
                            : from.at;
    if (to.units > from.units && to.at > begin) {
      const Nanos took = to.at - begin, unit = took / static_cast<std::int64_t>(to.units - from.units);
      // One that froze is measured to the end, not to its last sign of life; one that is done, to its last unit.
      const bool done = worker.header().ended_at.Get() != 0;
      const Nanos seen = worker.scheduling.after ? worker.scheduling.after->at : to.at;
      const Nanos span = !done && seen - to.at > 10 * unit ? seen - begin : took;
      record.rate = static_cast<double>(to.units - from.units) * 1e9 / static_cast<double>(span.count());
    }
  }
  const Nanos begun(static_cast<std::int64_t>(worker.header().begun_at.Get()));
  const Nanos ended(static_cast<std::int64_t>(worker.header().ended_at.Get()));
  const bool failed_to_start = worker.end.kind == EndRecord::Kind::kFailedToStart;
  if (timeline.start > Nanos(0) && begun >= timeline.start && !failed_to_start) record.start = begun - timeline.start;
  if (group.command) {
    if (worker.told_to_end && worker.ended_at) record.stop = *worker.ended_at - *worker.told_to_end;
    record.stdout_file = worker.launched.stdout_file;
    record.stderr_file = worker.launched.stderr_file;
    if (worker.tree) record.processes = worker.tree->most();
    return record;
  }
  if (!job.units && timeline.stop_ordered > Nanos(0) && ended >= timeline.stop_ordered) {
    record.stop = ended - timeline.stop_ordered;
  }
  record.has_result = worker.result().Read(worker.launched.result_capacity).has_value();
  return record;
}

std::vector<ResultRecord> CollectResults(const Plan& plan, const Rig& rig,
                                         const std::vector<const SupervisedChild*>& workers) {
  std::vector<ResultRecord> records;
  for (std::size_t g = 0; g < plan.workers.size(); ++g) {
    const WorkerPlan& group = plan.workers[g];
    if (group.command) continue;  // what it computed is its own affair
    ResultRecord record;
    record.group = group.name;
    record.workload = group.workload;
    record.workers_planned = static_cast<int>(group.cores.size());
    std::vector<std::vector<std::byte>> bytes;
    std::vector<int> indices;
    for (const auto* worker : workers) {
      if (worker->launched.group != g) continue;
      auto result = worker->result().Read(worker->launched.result_capacity);
      if (!result) continue;
      bytes.push_back(std::move(*result));
      indices.push_back(worker->launched.index);
    }
    record.workers = static_cast<int>(bytes.size());
    if (bytes.empty()) {
      record.absent = "no worker left a result";
      records.push_back(std::move(record));
      continue;
    }
    std::vector<WorkerResult> results;
    for (std::size_t i = 0; i < bytes.size(); ++i) results.push_back({.index = indices[i], .bytes = bytes[i]});
    auto answer = FindWorkload(rig, group.workload)->merge(JobOf(group, 0, plan.seed, plan.shard), results);
    if (answer) {
      record.units = answer->units;
      record.figures = std::move(answer->figures);
      record.check = std::move(answer->check);
      record.tally = std::move(answer->tally);
    } else {
      record.absent = answer.error().message;
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<Warning> CollectWarnings(const std::vector<SupervisedChild>& children) {
  std::vector<Warning> warnings;
  for (const auto& child : children) {
    if (child.header().not_locked.Get() == 0) continue;
    warnings.push_back({WarningId::kMemoryNotLocked, StrCat(child.launched.name, ": cannot lock its memory")});
  }
  for (const auto& child : children) {
    const auto& output = child.launched.output;
    if (!output || output->lost() == 0) continue;
    warnings.push_back({WarningId::kOutputLost, StrCat(child.launched.name, ": ", output->lost(),
                                                       " bytes of its output were not kept: ", output->why_lost())});
  }
  return warnings;
}

std::vector<CoreRecord> CollectCores(const Plan& plan, const RunRecord& record) {
  // As long as the supervisor, which takes all readings, was there between its own two.
  const Nanos window = record.rig.scheduling.observed;
  std::vector<CoreRecord> cores;
  for (const CpuId cpu : plan.cores) {
    CoreRecord core{.cpu = cpu.value};
    const auto add = [&](double& share, const SchedulingRecord& scheduling) {
      share += ShareOf(scheduling, window);
      if (scheduling.lost) core.unmeasured = "no reading of one of its tasks at both ends of the window";
    };
    for (const auto& worker : record.workers) {
      if (worker.core == cpu.value) add(core.worker, worker.process.scheduling);
    }
    for (const auto& loop : record.loops) {
      if (loop.core == cpu.value) add(core.loop, loop.scheduling);
    }
    for (const auto& group : plan.workers) {
      if (std::find(group.floats_over.begin(), group.floats_over.end(), cpu) == group.floats_over.end()) continue;
      core.unmeasured = StrCat("worker ", group.name, " floats: how its time divides on cores only the trace tells");
    }
    if (record.source && record.source_core == cpu.value) add(core.source, record.source->scheduling);
    if (record.rig_core == cpu.value) add(core.rig, record.rig.scheduling);
    cores.push_back(core);
  }
  return cores;
}

}  // namespace corerig
