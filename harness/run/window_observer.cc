#include "harness/run/window_observer.h"

#include <unistd.h>

#include <algorithm>

#include "harness/measure/memory_probe.h"
#include "harness/os/clock.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

std::optional<SchedulingReading> ValueOf(Result<SchedulingReading> reading) {
  if (!reading) return std::nullopt;
  return *reading;
}

}  // namespace

WindowObserver::WindowObserver(const Plan& plan, const ProcFs& procfs, pid_t keeper)
    : plan_(plan),
      procfs_(procfs),
      self_(getpid()),
      keeper_(keeper),
      loops_(plan.loops.size()),
      loop_counters_(plan.loops.size()) {
  auto task_stats = TaskStats::Open();
  if (task_stats) {
    task_stats_ = std::move(*task_stats);
  } else {
    cow_absent_ = task_stats.error().message;
  }
}

std::optional<std::uint64_t> WindowObserver::ReadCow(pid_t pid) const {
  const auto faults = task_stats_ ? task_stats_->CopyOnWriteFaults(pid) : Result<std::uint64_t>(Fail(cow_absent_));
  return faults ? std::optional(*faults) : std::nullopt;
}

void WindowObserver::StartCounting(std::vector<SupervisedChild>& children, Counters::Which which) {
  const HandlerSlabLayout layout(plan_);
  for (auto& child : children) {
    if (!child.running()) continue;
    if (child.launched.role == Role::kWorker) {
      child.counters = WindowCounters{
          child.is_thread() ? Counters::OfThread(child.tid(), which) : Counters::OfProcess(procfs_, child.pid(), which),
          {},
          {}};
    }
    if (child.launched.role != Role::kHandler) continue;
    for (std::size_t i = 0; i < plan_.loops.size(); ++i) {
      const auto tid = static_cast<pid_t>(child.launched.slab.At<HandlerLoop>(layout.loops[i])->tid.Get());
      if (tid > 0) loop_counters_[i] = WindowCounters{Counters::OfThread(tid, which), {}, {}};
    }
  }
}

// Also of those that have ended: what they did in the window is theirs.
void WindowObserver::ReadCounters(std::vector<SupervisedChild>& children, CountersReading WindowCounters::*end) {
  for (auto& child : children) {
    if (child.counters) (*child.counters).*end = child.counters->counters.Read();
  }
  for (auto& loop : loop_counters_) {
    if (loop) (*loop).*end = loop->counters.Read();
  }
}

CountersRecord WindowObserver::CountersOfLoop(std::size_t index) const {
  return loop_counters_[index] ? loop_counters_[index]->Record() : CountersRecord();
}

void WindowObserver::Open(std::vector<SupervisedChild>& children, Nanos begin) {
  opened_ = true;
  opened_at_ = MonotonicNow();
  for (auto& child : children) {
    if (!child.running()) continue;
    const pid_t pid = child.pid();
    child.scheduling.before = ValueOf(child.ReadScheduling(procfs_));
    if (child.launched.role == Role::kWorker) child.progress_before = child.progress();
    if (child.is_thread()) continue;  // the rest is the process's
    child.cow_before = ReadCow(pid);
    // A board that refuses this has no rss_peak: a peak that holds the start-up as well would be a false one.
    child.rss_peak_counts = ResetPeak(procfs_, pid).has_value();
  }
  ReadLoops(children, &WindowReadings::before);
  ReadCounters(children, &WindowCounters::before);
  rig_peak_ = std::nullopt;
  const bool rig_counts = ResetPeak(procfs_, self_).has_value();
  if (rig_counts) rig_peak_ = 0;
  keeper_readings_.before = ValueOf(ReadProcess(procfs_, keeper_));
  supervisor_readings_.before = ValueOf(ReadProcess(procfs_, self_));
  steal_before_ = ReadSteal();
  const auto hold = [&](std::optional<SchedulingReading>& reading) {
    if (reading) reading->at = std::max(reading->at, begin);
  };
  for (auto& child : children) hold(child.scheduling.before);
  for (auto& loop : loops_) hold(loop.before);
  hold(keeper_readings_.before);
  hold(supervisor_readings_.before);
}

void WindowObserver::Cancel(std::vector<SupervisedChild>& children) {
  opened_ = false;
  for (auto& child : children) {
    child.scheduling.before.reset();
    child.progress_before.reset();
    child.cow_before.reset();
    child.rss_peak_counts = false;
    if (child.counters) child.counters->before = {};
  }
  loops_.assign(loops_.size(), {});
  for (auto& loop : loop_counters_) {
    if (loop) loop->before = {};
  }
  rig_peak_.reset();
  keeper_readings_ = supervisor_readings_ = {};
  steal_before_.clear();
}

void WindowObserver::Close(std::vector<SupervisedChild>& children) {
  closed_ = true;
  closed_at_ = MonotonicNow();
  steal_after_ = ReadSteal();
  supervisor_readings_.after = ValueOf(ReadProcess(procfs_, self_));
  keeper_readings_.after = ValueOf(ReadProcess(procfs_, keeper_));
  ReadCounters(children, &WindowCounters::after);
  ReadLoops(children, &WindowReadings::after);
  for (auto& child : children) {
    if (!child.running() || child.ended_at) continue;
    const pid_t pid = child.pid();
    child.scheduling.after = ValueOf(child.ReadScheduling(procfs_));
    if (child.launched.role == Role::kWorker) child.progress_after = child.progress();
    if (child.is_thread()) continue;
    child.cow_after = ReadCow(pid);
    // Peaks of several processes were not at one time: their sum is nobody's.
    const bool alone = !child.tree || child.tree->most() <= 1;
    if (child.rss_peak_counts && alone) child.rss_peak = ReadPeak(procfs_, pid);
  }
  if (rig_peak_) rig_peak_ = ReadPeak(procfs_, self_);
}

void WindowObserver::ReadEnded(SupervisedChild& child) const {
  // Of the handler's threads, whose sum its figures are, only the leader's are left.
  if (!open() || child.launched.role == Role::kHandler || child.launched.role == Role::kGroup) return;
  child.scheduling.after = ValueOf(child.ReadScheduling(procfs_));
  // The last lines of a command may still be in the pipe.
  if (child.launched.role == Role::kWorker && !child.launched.output) child.progress_after = child.progress();
}

void WindowObserver::ReadLoops(const std::vector<SupervisedChild>& children,
                               std::optional<SchedulingReading> WindowReadings::*end) {
  for (const auto& child : children) {
    if (child.launched.role != Role::kHandler || !child.running()) continue;
    const HandlerSlabLayout layout(plan_);
    for (std::size_t i = 0; i < plan_.loops.size(); ++i) {
      const auto tid = static_cast<pid_t>(child.launched.slab.At<HandlerLoop>(layout.loops[i])->tid.Get());
      if (tid > 0) loops_[i].*end = ValueOf(ReadThread(procfs_, child.launched.process->pid, tid));
    }
  }
}

WindowObserver::StealSeconds WindowObserver::ReadSteal() const {
  StealSeconds seconds;
  const auto text = ReadFile(procfs_.root() + "/stat");
  if (!text) return seconds;
  const auto steal = ParseSteal(*text, sysconf(_SC_CLK_TCK));
  if (!steal) return seconds;
  for (const auto& [cpu, value] : *steal) seconds[cpu.value] = value;
  return seconds;
}

void WindowObserver::AddRig(ProcessRecord& rig) const {
  rig.scheduling = RigScheduling();
  rig.rss_peak = rig_peak_;
}

SchedulingRecord WindowObserver::RigScheduling() const {
  SchedulingRecord sum = supervisor_readings_.Scheduling();
  const SchedulingRecord keeper = keeper_readings_.Scheduling();
  sum.run += keeper.run;
  sum.wait += keeper.wait;
  sum.timeslices += keeper.timeslices;
  sum.voluntary += keeper.voluntary;
  sum.involuntary += keeper.involuntary;
  sum.minor_faults += keeper.minor_faults;
  sum.major_faults += keeper.major_faults;
  if (sum.migrations && keeper.migrations) *sum.migrations += *keeper.migrations;
  return sum;
}

std::optional<double> WindowObserver::StealOf(int cpu) const {
  const auto before = steal_before_.find(cpu), after = steal_after_.find(cpu);
  if (before == steal_before_.end() || after == steal_after_.end() || closed_at_ <= opened_at_) return std::nullopt;
  const double window = static_cast<double>((closed_at_ - opened_at_).count()) / 1e9;
  return std::max(0.0, after->second - before->second) / window;
}

}  // namespace corerig
