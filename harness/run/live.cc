#include "harness/run/live.h"

#include <unistd.h>

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
  if (child.is_thread() && child.header().state.load(std::memory_order_acquire) == ChildState::kFinished) {
    return child.header().error.Read().empty() ? "finished" : "failed";
  }
  return child.header().state.load(std::memory_order_relaxed) == ChildState::kStarting ? "starting" : "running";
}

// A task whose use of a core is shown.
struct LiveTask {
  double LiveCore::*share;
  int cpu = 0;
  pid_t pid = 0;
  pid_t tid = 0;
};

std::vector<LiveTask> TasksOf(const Plan& plan, const std::vector<SupervisedChild>& children, pid_t keeper) {
  std::vector<LiveTask> tasks;
  for (const auto& child : children) {
    if (!child.running()) continue;
    const pid_t pid = child.pid();
    const int cpu = child.launched.core();
    if (child.tree) {
      for (const auto& member : child.tree->members()) {
        tasks.push_back({&LiveCore::worker, cpu, member.pid, member.pid});
      }
      continue;
    }
    if (child.launched.role == Role::kWorker) tasks.push_back({&LiveCore::worker, cpu, pid, child.tid()});
    if (child.launched.role == Role::kSource) tasks.push_back({&LiveCore::source, cpu, pid, pid});
    if (child.launched.role != Role::kHandler) continue;
    const HandlerSlabLayout layout(plan);
    for (std::size_t i = 0; i < plan.loops.size(); ++i) {
      const auto tid = static_cast<pid_t>(child.launched.slab.At<HandlerLoop>(layout.loops[i])->tid.Get());
      if (tid > 0) tasks.push_back({&LiveCore::loop, plan.loops[i].core.value, pid, tid});
    }
  }
  tasks.push_back({&LiveCore::rig, plan.rig_core.value, getpid(), getpid()});
  tasks.push_back({&LiveCore::rig, plan.rig_core.value, keeper, keeper});
  return tasks;
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

LiveState LiveView::Look(Nanos now, const Timeline& timeline, const std::vector<SupervisedChild>& children,
                         const MemorySampler& memory, pid_t keeper) {
  LiveState state;
  state.at = now;
  state.phase = PhaseAt(now, timeline);
  if (timeline.start > Nanos(0)) {
    state.elapsed = std::max(now - timeline.start, Nanos(0));
    state.total = timeline.drain_end - timeline.start;
  }
  state.streams = Streams(now, SidesOf(children));
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (children[i].launched.role != Role::kWorker) continue;
    state.workers.push_back(Worker(now, children[i]));
    // Threads share their memory: the process's is shown for each.
    const auto key = children[i].launched.host.value_or(i);
    if (const auto reading = memory.Latest(static_cast<int>(key))) state.workers.back().uss = reading->uss;
  }
  state.cores = Cores(children, keeper);
  return state;
}

std::vector<LiveStream> LiveView::Streams(Nanos now, const StreamSides& sides) {
  std::vector<LiveStream> streams;
  const HandlerSlabLayout layout(plan_);
  for (std::size_t i = 0; i < plan_.streams.size(); ++i) {
    if (plan_.streams[i].endpoint) {
      if (sides.source == nullptr) continue;
      // What the program took is all that is known.
      const auto& source = *sides.source->launched.slab.At<SourceStream>(SourceSlabLayout(plan_).streams[i].figures);
      LiveStream stream;
      stream.name = plan_.streams[i].name;
      stream.received = source.frames_in_all.Get();
      stream.rate = RateOf("stream " + stream.name, stream.received, now);
      streams.push_back(std::move(stream));
      continue;
    }
    if (sides.handler == nullptr) continue;
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
    streams.push_back(std::move(stream));
  }
  return streams;
}

LiveWorker LiveView::Worker(Nanos now, const SupervisedChild& child) {
  const WorkerPlan& group = plan_.workers[child.launched.group];
  const WorkerJob job = JobOf(group, child.launched.index, plan_.seed, plan_.shard);
  LiveWorker worker;
  worker.name = StrCat(group.name, ".", child.launched.index);
  worker.core = child.launched.core();
  worker.state = StateOf(child);
  if (!group.command || child.launched.output) worker.units = child.progress().units;
  worker.units_planned = job.units ? job.UnitsOfWorker() : 0;
  worker.rate = RateOf("worker " + worker.name, worker.units.value_or(0), now);
  const Nanos worked = now - Nanos(static_cast<std::int64_t>(child.header().begun_at.Get()));
  if (worker.state == "running" && worker.units.value_or(0) > 0 && worker.units_planned > *worker.units) {
    const double each = static_cast<double>(worked.count()) / static_cast<double>(*worker.units);
    const double left = each * static_cast<double>(worker.units_planned - *worker.units);
    constexpr double kYear = 365.25 * 86400e9;
    if (left < kYear) worker.left = Nanos(static_cast<std::int64_t>(left));
  }
  return worker;
}

// Of one that floats: all it did since the last look is shown where it ran last.
int LiveView::LastCpuOf(pid_t pid, pid_t tid) const {
  const auto text = procfs_.Read(pid, StrCat("task/", tid, "/stat"));
  const auto stat = text ? ParseStat(*text) : Result<ProcessStat>(Forward(text));
  return stat ? stat->processor : -1;
}

std::vector<LiveCore> LiveView::Cores(const std::vector<SupervisedChild>& children, pid_t keeper) {
  std::map<int, LiveCore> cores;
  for (const CpuId cpu : plan_.cores) cores[cpu.value].cpu = cpu.value;
  for (const auto& task : TasksOf(plan_, children, keeper)) {
    const auto text = procfs_.Read(task.pid, StrCat("task/", task.tid, "/schedstat"));
    const auto schedstat = text ? ParseSchedStat(*text) : Result<SchedStat>(Forward(text));
    if (!schedstat) continue;
    const auto run = static_cast<std::uint64_t>(schedstat->run.count());
    const double share = RateOf(StrCat("task ", task.tid), run, MonotonicNow()) / 1e9;
    const int cpu = task.cpu >= 0 ? task.cpu : LastCpuOf(task.pid, task.tid);
    if (cores.contains(cpu)) cores[cpu].*task.share += share;
  }
  std::vector<LiveCore> list;
  for (const auto& [cpu, core] : cores) list.push_back(core);
  return list;
}

}  // namespace corerig
