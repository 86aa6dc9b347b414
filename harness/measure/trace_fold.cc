#include "harness/measure/trace_fold.h"

#include <algorithm>

#include "harness/base/latency_histogram.h"

namespace corerig {
namespace {

// Different tasks that are told apart, per part and per core; what more there are counts together.
constexpr std::size_t kMostHolders = 256, kMostForeign = 256;
constexpr std::size_t kShown = 5;
// An end of the window that is not known.
constexpr std::int64_t kNever = INT64_MAX;
constexpr char kOthers[] = "(others)";

}  // namespace

struct TraceFold::PartFigures {
  Nanos run{0}, preempted{0};
  std::uint64_t voluntary = 0, involuntary = 0, migrations = 0;
  LatencyHistogram runqueue, wake, slice;
  std::unordered_map<std::int32_t, Held> held_by;
};

struct TraceFold::Core {
  int cpu = 0;
  // What it does now.
  std::int32_t running = -1;  // -1: not known
  int part = -1;
  Nanos since{0};                     // booked up to here
  Nanos idled{0};                     // what is booked as idle since it was switched to idle, in the window
  int interrupts = 0;                 // how deep it is in them
  Nanos interrupt_since{0};           // the outermost one, or since it was booked
  Nanos interrupted{0};               // ended interrupts since it was booked
  std::vector<std::int32_t> waiting;  // tasks of the run that are ready to run here
  // Of the window.
  Nanos by_role[4] = {};
  Nanos foreign{0}, irq{0}, idle{0};
  std::uint64_t switches = 0, migrations_in = 0, lost = 0;
  std::unique_ptr<LatencyHistogram> runqueue = std::make_unique<LatencyHistogram>();
  std::unordered_map<std::string, Nanos> foreign_tasks;
  std::int64_t kilohertz = 0;
  Nanos frequency_since{0}, frequency_time{0};
  double frequency_sum = 0;  // kHz ns
  std::int64_t lowest_kilohertz = 0, highest_kilohertz = 0;
};

TraceFold::TraceFold(std::vector<Part> parts, const std::vector<CpuId>& cores) : parts_(std::move(parts)) {
  for (const CpuId cpu : cores) {
    if (core_index_.size() <= static_cast<std::size_t>(cpu.value)) core_index_.resize(std::size_t(cpu.value) + 1, -1);
    core_index_[std::size_t(cpu.value)] = static_cast<int>(cores_.size());
    cores_.push_back(std::make_unique<Core>());
    cores_.back()->cpu = cpu.value;
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) figures_.push_back(std::make_unique<PartFigures>());
}

TraceFold::~TraceFold() = default;

void TraceFold::SetWindow(Nanos begin, Nanos end) {
  end_.store(end.count(), std::memory_order_relaxed);
  begin_.store(begin.count(), std::memory_order_release);
}

void TraceFold::OnEvents(std::span<const TraceEvent> events, const TraceNames& names, Nanos complete_until) {
  names_ = &names;
  for (const TraceEvent& event : events) OnEvent(event, names);
  AdvanceTo(complete_until);
  names_ = nullptr;
}

void TraceFold::AdvanceTo(Nanos at) {
  if (closed_) return;
  if (!opened_) {
    const std::int64_t begin = begin_.load(std::memory_order_acquire);
    if (begin == kNever || at.count() < begin) return;
    BookAll(Nanos(begin));
    ForgetFigures();
    opened_ = true;
    booked_ = Nanos(begin);
  }
  const std::int64_t end = end_.load(std::memory_order_relaxed);
  if (end == kNever || at.count() < end) {
    booked_ = std::max(booked_, at);
    return;
  }
  // What was booked beyond an end that was drawn nearer too late stays.
  booked_ = std::max(booked_, Nanos(end));
  BookAll(booked_);
  closed_ = true;
}

void TraceFold::BookAll(Nanos at) {
  for (auto& core : cores_) Book(*core, at);
}

// What was booked before the window belongs to nobody.
void TraceFold::ForgetFigures() {
  for (auto& figures : figures_) figures = std::make_unique<PartFigures>();
  for (auto& core : cores_) {
    for (Nanos& time : core->by_role) time = Nanos(0);
    core->foreign = core->irq = core->idle = core->idled = core->frequency_time = Nanos(0);
    core->frequency_sum = 0;
    core->lowest_kilohertz = core->highest_kilohertz = 0;
    core->switches = core->migrations_in = 0;
    core->runqueue = std::make_unique<LatencyHistogram>();
    core->foreign_tasks.clear();
  }
  gap_ = false;
}

TraceFold::Core* TraceFold::CoreOf(int cpu) {
  if (cpu < 0 || static_cast<std::size_t>(cpu) >= core_index_.size() || core_index_[std::size_t(cpu)] < 0) {
    return nullptr;
  }
  return cores_[static_cast<std::size_t>(core_index_[std::size_t(cpu)])].get();
}

TraceFold::PartFigures* TraceFold::FiguresOf(const Task& task) {
  return task.part < 0 ? nullptr : figures_[static_cast<std::size_t>(task.part)].get();
}

TraceFold::Task& TraceFold::TaskOf(std::int32_t tid, const TraceNames& names) {
  const auto [at, added] = tasks_.try_emplace(tid);
  if (added) {
    const std::int64_t part = names.PartNumber(tid);
    at->second.part = part < static_cast<std::int64_t>(parts_.size()) ? static_cast<int>(part) : -1;
  }
  return at->second;
}

void TraceFold::Book(Core& core, Nanos at) {
  const Nanos since = core.since;
  if (at <= since) return;  // an event that came late
  core.since = at;
  Nanos irq = core.interrupted;
  core.interrupted = Nanos(0);
  if (core.interrupts > 0) {
    irq += std::max(at - std::max(core.interrupt_since, since), Nanos(0));
    core.interrupt_since = std::max(core.interrupt_since, at);
  }
  if (core.kilohertz > 0) {
    const Nanos known = std::max(at - std::max(core.frequency_since, since), Nanos(0));
    core.frequency_time += known;
    core.frequency_sum += static_cast<double>(core.kilohertz) * static_cast<double>(known.count());
    if (core.lowest_kilohertz == 0 || core.kilohertz < core.lowest_kilohertz) core.lowest_kilohertz = core.kilohertz;
    core.highest_kilohertz = std::max(core.highest_kilohertz, core.kilohertz);
  }
  if (core.running < 0) return;
  irq = std::min(irq, at - since);
  const Nanos time = at - since - irq;
  core.irq += irq;
  if (core.running == 0) {
    core.idle += time;
    core.idled += time;
  } else if (core.part >= 0) {
    core.by_role[static_cast<int>(parts_[std::size_t(core.part)].role)] += time;
    figures_[std::size_t(core.part)]->run += time;
  } else {
    core.foreign += time;
    std::string name(names_ == nullptr ? "" : names_->Task(core.running));
    if (core.foreign_tasks.size() >= kMostForeign && !core.foreign_tasks.contains(name)) name = kOthers;
    core.foreign_tasks[name] += time;
  }
  for (const std::int32_t tid : core.waiting) {
    const auto waiting = tasks_.find(tid);
    if (waiting == tasks_.end() || tid == core.running) continue;
    PartFigures* const figures = FiguresOf(waiting->second);
    const Nanos held = at - std::max(since, waiting->second.since);
    if (figures == nullptr || held <= Nanos(0)) continue;
    const bool full = figures->held_by.size() >= kMostHolders && !figures->held_by.contains(core.running);
    Held& holder = figures->held_by[full ? -1 : core.running];
    holder.time += held;
    ++holder.times;
    if (holder.task.empty()) {
      holder.task = full ? kOthers : std::string(names_ == nullptr ? "" : names_->Task(core.running));
      holder.part = full ? -1 : core.part;
    }
  }
}

void TraceFold::OnEvent(const TraceEvent& event, const TraceNames& names) {
  AdvanceTo(event.at);
  if (closed_) return;
  Core* const core = CoreOf(event.cpu);
  switch (event.kind) {
    case TraceEvent::Kind::kSwitch:
      if (core != nullptr) OnSwitch(*core, event, names);
      return;
    case TraceEvent::Kind::kWaking:
      return OnReady(event.tid, Task::State::kWoken, -1, event.at, names);
    case TraceEvent::Kind::kWakeupNew:
      return OnReady(event.tid, Task::State::kWoken, static_cast<int>(event.value), event.at, names);
    case TraceEvent::Kind::kMigrate:
      return OnMigrate(event);
    case TraceEvent::Kind::kPart:
      TaskOf(event.tid, names).part = static_cast<int>(event.value);
      // It runs, as it wrote this.
      if (core != nullptr && core->running == event.tid) {
        Book(*core, event.at);
        core->part = static_cast<int>(event.value);
      }
      return;
    case TraceEvent::Kind::kFork: {
      // Its number may have been another's.
      tasks_.erase(event.tid);
      const auto parent = tasks_.find(event.other);
      const int part = parent == tasks_.end() ? static_cast<int>(names.PartNumber(event.other)) : parent->second.part;
      tasks_[event.tid].part = part;
      return;
    }
    case TraceEvent::Kind::kIrqEntry:
    case TraceEvent::Kind::kSoftirqEntry:
    case TraceEvent::Kind::kVectorEntry:
      if (core != nullptr) OnInterrupt(*core, event.at, true);
      return;
    case TraceEvent::Kind::kIrqExit:
    case TraceEvent::Kind::kSoftirqExit:
    case TraceEvent::Kind::kVectorExit:
      if (core != nullptr) OnInterrupt(*core, event.at, false);
      return;
    case TraceEvent::Kind::kFrequency:
      if (core == nullptr) return;
      Book(*core, event.at);
      core->kilohertz = event.value;
      core->frequency_since = event.at;
      return;
    case TraceEvent::Kind::kLost:
      gap_ = true;
      if (core != nullptr) OnLost(*core, event);
      return;
    case TraceEvent::Kind::kExec:
    case TraceEvent::Kind::kExit:
    case TraceEvent::Kind::kTimerExpire:
    case TraceEvent::Kind::kPageFault:
    case TraceEvent::Kind::kIdleEnter:
    case TraceEvent::Kind::kIdleExit:
      return;
  }
}

void TraceFold::StopWaiting(std::int32_t tid, const Task& task) {
  Core* const core = CoreOf(task.cpu);
  if (core != nullptr) std::erase(core->waiting, tid);
}

void TraceFold::OnSwitch(Core& core, const TraceEvent& event, const TraceNames& names) {
  Book(core, event.at);
  // A switch out of idle that was inferred after the fact: the task ran when the core was booked as idle.
  const Nanos begin(opened_ ? begin_.load(std::memory_order_relaxed) : INT64_MIN);
  const Nanos late = std::min(core.since - std::max(event.at, begin), core.idled);
  if (event.other == 0 && core.running == 0 && late > Nanos(0)) {
    core.idle -= late;
    const Task& task = TaskOf(event.tid, names);
    if (PartFigures* const figures = FiguresOf(task)) {
      core.by_role[static_cast<int>(parts_[std::size_t(task.part)].role)] += late;
      figures->run += late;
    } else {
      core.foreign += late;
    }
  }
  core.idled = Nanos(0);
  core.since = std::max(core.since, event.at);
  core.interrupts = 0;  // no switch happens inside of one
  ++core.switches;

  if (event.other != 0) {
    Task& left = TaskOf(event.other, names);
    PartFigures* const figures = FiguresOf(left);
    const bool preempted = event.state == TraceEvent::State::kPreempted;
    if (figures != nullptr) {
      ++(preempted ? figures->involuntary : figures->voluntary);
      if (left.state == Task::State::kRunning) figures->slice.Record(event.at - left.since);
    }
    left.state = preempted ? Task::State::kPreempted : Task::State::kSleeping;
    left.since = event.at;
    left.cpu = core.cpu;
    if (preempted && left.part >= 0) core.waiting.push_back(event.other);
    if (event.state == TraceEvent::State::kDead) tasks_.erase(event.other);
  }

  core.running = event.tid;
  core.part = -1;
  if (event.tid == 0) return;
  Task& next = TaskOf(event.tid, names);
  core.part = next.part;
  if (next.waiting()) {
    const Nanos delay = event.at - next.since;
    core.runqueue->Record(delay);
    if (PartFigures* const figures = FiguresOf(next)) {
      figures->runqueue.Record(delay);
      if (next.state == Task::State::kWoken) figures->wake.Record(delay);
      if (next.state == Task::State::kPreempted) {
        figures->preempted += std::max(event.at - std::max(next.since, begin), Nanos(0));
      }
    }
    if (next.part >= 0) StopWaiting(event.tid, next);
  }
  next.state = Task::State::kRunning;
  next.since = event.at;
  next.cpu = core.cpu;
}

void TraceFold::OnReady(std::int32_t tid, Task::State state, int cpu, Nanos at, const TraceNames& names) {
  Task& task = TaskOf(tid, names);
  // Woken before it had left its CPU, it goes on without a switch.
  if (task.waiting() || task.state == Task::State::kRunning) return;
  task.state = state;
  task.since = at;
  if (cpu >= 0) task.cpu = cpu;
  if (task.part < 0) return;
  if (Core* const core = CoreOf(task.cpu)) core->waiting.push_back(tid);
}

void TraceFold::OnMigrate(const TraceEvent& event) {
  const int to = static_cast<int>(event.value & 0xffffffff);
  if (Core* const core = CoreOf(to)) ++core->migrations_in;
  const auto at = tasks_.find(event.tid);
  if (at == tasks_.end()) return;
  Task& task = at->second;
  if (PartFigures* const figures = FiguresOf(task)) ++figures->migrations;
  if (task.part >= 0 && task.waiting()) {
    if (Core* const from = CoreOf(task.cpu)) Book(*from, event.at);
    StopWaiting(event.tid, task);
    if (Core* const core = CoreOf(to)) {
      Book(*core, event.at);
      core->waiting.push_back(event.tid);
    }
  }
  task.cpu = to;
}

void TraceFold::OnInterrupt(Core& core, Nanos at, bool entry) {
  if (entry) {
    if (core.interrupts++ == 0) core.interrupt_since = at;
    return;
  }
  // The exit of one whose entry was before the trace, or lost.
  if (core.interrupts == 0) return;
  if (--core.interrupts == 0) core.interrupted += std::max(at - core.interrupt_since, Nanos(0));
}

void TraceFold::OnLost(Core& core, const TraceEvent& event) {
  core.lost += static_cast<std::uint64_t>(event.value);
  core.running = -1;
  core.part = -1;
  core.since = std::max(core.since, event.at);
  core.interrupts = 0;
  core.interrupted = Nanos(0);
  core.waiting.clear();
  for (auto& [tid, task] : tasks_) {
    if (task.cpu == core.cpu) task.state = Task::State::kUnknown;
  }
}

TraceRecord TraceFold::Take() const {
  TraceRecord record;
  record.gap = gap_;
  if (opened_) record.covered = booked_ - Nanos(begin_.load(std::memory_order_relaxed));
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const PartFigures& figures = *figures_[i];
    TracePartRecord part = {.part = parts_[i].name,
                            .run = figures.run,
                            .voluntary = figures.voluntary,
                            .involuntary = figures.involuntary,
                            .migrations = figures.migrations,
                            .runqueue = figures.runqueue.Read(),
                            .wake = figures.wake.Read(),
                            .slice = figures.slice.Read(),
                            .preempted = figures.preempted};
    for (const auto& [tid, held] : figures.held_by) {
      part.held_by.push_back({.task = tid == 0 ? "idle" : held.task,
                              .part = held.part < 0 ? "" : parts_[std::size_t(held.part)].name,
                              .tid = tid,
                              .time = held.time,
                              .times = held.times});
    }
    std::sort(part.held_by.begin(), part.held_by.end(), [](const auto& a, const auto& b) { return a.time > b.time; });
    if (part.held_by.size() > kShown) part.held_by.resize(kShown);
    record.parts.push_back(std::move(part));
  }
  for (const auto& each : cores_) {
    const Core& from = *each;
    TraceCoreRecord core = {.cpu = from.cpu,
                            .worker = from.by_role[static_cast<int>(Role::kWorker)],
                            .loop = from.by_role[static_cast<int>(Role::kLoop)],
                            .source = from.by_role[static_cast<int>(Role::kSource)],
                            .rig = from.by_role[static_cast<int>(Role::kRig)],
                            .foreign = from.foreign,
                            .irq = from.irq,
                            .idle = from.idle,
                            .switches = from.switches,
                            .migrations_in = from.migrations_in,
                            .runqueue = from.runqueue->Read(),
                            .lost = from.lost};
    if (from.frequency_time > Nanos(0)) {
      core.frequency = from.frequency_sum * 1000 / static_cast<double>(from.frequency_time.count());
      core.frequency_min = static_cast<double>(from.lowest_kilohertz) * 1000;
      core.frequency_max = static_cast<double>(from.highest_kilohertz) * 1000;
    }
    for (const auto& [task, time] : from.foreign_tasks) core.foreign_tasks.push_back({task, time});
    std::sort(core.foreign_tasks.begin(), core.foreign_tasks.end(),
              [](const auto& a, const auto& b) { return a.time > b.time; });
    if (core.foreign_tasks.size() > kShown) core.foreign_tasks.resize(kShown);
    record.cores.push_back(std::move(core));
  }
  return record;
}

}  // namespace corerig
