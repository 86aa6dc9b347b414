#include "harness/run/live.h"

#include <algorithm>

#include "harness/base/text.h"
#include "harness/os/clock.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

std::string_view PhaseAt(Nanos now, const Timeline& timeline) {
  if (timeline.start == Nanos(0) || now < timeline.start) return "starting";
  if (now < timeline.window_begin) return "warm-up";
  return now < timeline.window_end ? "measuring" : "draining";
}

std::string StateOf(const SupervisedChild& child) {
  if (child.end.as_planned) return "finished";
  if (child.end.kind == EndRecord::Kind::kExited) return StrCat("exited ", child.end.number);
  if (!child.running()) return Describe(child.end);
  return child.header().state.load(std::memory_order_relaxed) == ChildState::kStarting ? "starting" : "running";
}

}  // namespace

// Events per second since the last call for the same thing.
double LiveView::RateOf(const std::string& what, std::uint64_t count, Nanos now) {
  const auto [at, first] = earlier_.try_emplace(what, Earlier{count, now});
  const Earlier before = at->second;
  at->second = {count, now};
  if (first || now <= before.at || count < before.count) return 0;
  return static_cast<double>(count - before.count) * 1e9 / static_cast<double>((now - before.at).count());
}

LiveState LiveView::Look(Nanos now, const Timeline& timeline, const StreamSides& sides,
                         const std::vector<const SupervisedChild*>& workers, const std::vector<int>& keys,
                         const MemorySampler& memory, const std::vector<LiveTask>& tasks) {
  LiveState state;
  state.at = now;
  state.phase = PhaseAt(now, timeline);
  if (timeline.start > Nanos(0)) {
    state.elapsed = std::max(now - timeline.start, Nanos(0));
    state.total = timeline.drain_end - timeline.start;
  }

  if (sides.handler != nullptr) {
    const HandlerSlabLayout layout(plan_);
    for (std::size_t i = 0; i < plan_.streams.size(); ++i) {
      const auto& figures = *sides.handler->launched.slab.At<HandlerStream>(layout.streams[i]);
      LiveStream stream;
      stream.name = plan_.streams[i].name;
      stream.received = figures.received_in_all.Get();
      stream.rate = RateOf("stream " + stream.name, stream.received, now);
      if (stream.received > 0) stream.latency = Nanos(static_cast<std::int64_t>(figures.latest_latency_ns.Get()));
      stream.lost = figures.lost.Get();
      stream.corrupt = figures.corrupt.Get();
      if (sides.source != nullptr && plan_.streams[i].channel != ChannelKind::kTimer) {
        const std::uint64_t read = figures.bytes_in_all.Get();
        const auto& source = *sides.source->launched.slab.At<SourceStream>(SourceSlabLayout(plan_).streams[i].figures);
        stream.queued = source.bytes_in_all.Get() - std::min(source.bytes_in_all.Get(), read);
      }
      state.streams.push_back(std::move(stream));
    }
  }

  for (std::size_t i = 0; i < workers.size(); ++i) {
    const SupervisedChild& child = *workers[i];
    const WorkerPlan& group = plan_.workers[child.launched.group];
    const WorkerJob job = JobOf(group, child.launched.index, plan_.seed);
    LiveWorker worker;
    worker.name = StrCat(group.name, ".", child.launched.index);
    worker.core = child.launched.core.value;
    worker.state = StateOf(child);
    if (!group.command || child.launched.output) worker.units = child.progress().units;
    worker.units_planned = job.units ? job.UnitsOfWorker() : 0;
    worker.rate = RateOf("worker " + worker.name, worker.units.value_or(0), now);
    if (const auto reading = memory.Latest(keys[i])) worker.uss = reading->uss;
    state.workers.push_back(std::move(worker));
  }

  std::map<int, LiveCore> cores;
  for (const CpuId cpu : plan_.cores) cores[cpu.value].cpu = cpu.value;
  for (const auto& task : tasks) {
    const auto text = procfs_.Read(task.pid, StrCat("task/", task.tid, "/schedstat"));
    const auto schedstat = text ? ParseSchedStat(*text) : Result<SchedStat>(Forward(text));
    if (!schedstat) continue;
    const double share =
        RateOf(StrCat("task ", task.tid), static_cast<std::uint64_t>(schedstat->run.count()), MonotonicNow()) / 1e9;
    LiveCore& core = cores[task.cpu];
    switch (task.kind) {
      case LiveTask::Kind::kWorker:
        core.worker += share;
        break;
      case LiveTask::Kind::kLoop:
        core.loop += share;
        break;
      case LiveTask::Kind::kSource:
        core.source += share;
        break;
      case LiveTask::Kind::kRig:
        core.rig += share;
        break;
    }
  }
  for (auto& [cpu, core] : cores) state.cores.push_back(core);
  return state;
}

}  // namespace corerig
