#include "harness/run/run.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/child/children.h"
#include "harness/measure/memory_sampler.h"
#include "harness/os/board.h"
#include "harness/os/clock.h"
#include "harness/os/process.h"
#include "harness/os/procfs.h"
#include "harness/os/scheduling.h"
#include "harness/plan/plan_json.h"
#include "harness/run/collect.h"
#include "harness/run/interrupts.h"
#include "harness/run/live.h"
#include "harness/run/metrics.h"
#include "harness/run/preflight.h"
#include "harness/run/resolution.h"
#include "harness/run/spikes.h"
#include "harness/run/switch_watch.h"
#include "harness/run/tracing.h"
#include "harness/run/verdict.h"
#include "harness/run/warnings.h"
#include "harness/run/window_observer.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long children may take to get ready; a board under load is slow, a hung one never comes.
constexpr Nanos kArmLimit = seconds(20);
constexpr Nanos kArmPoll = milliseconds(2);
// Between publishing the start and the start: everyone sets timers and sleeps.
constexpr Nanos kStartAhead = milliseconds(30);
constexpr Nanos kLiveInterval = milliseconds(250);
constexpr Nanos kMemoryInterval = milliseconds(250);
// While a command has ended and what it started has not.
constexpr Nanos kLeftoverPoll = milliseconds(2);
// What is left of a command is killed over and over; what cannot be (it hangs in the kernel) is left to the keeper.
constexpr Nanos kLeftoverLimit = milliseconds(500);
// Reading the figures of commands and their descendants takes at most 1/200 of a core.
constexpr int kTreePausePerCost = 200;
// What a child may take beyond the end of the drain.
constexpr Nanos kWorkerGrace = seconds(1);
constexpr Nanos kStreamGrace = seconds(2);
// After an interruption: a short drain, and then patience is over. The whole must take less than 2 s.
constexpr Nanos kInterruptedDrain = milliseconds(300);
constexpr Nanos kInterruptedGrace = milliseconds(1200);
// An interrupted window ends a moment later, so that source and handler have all heard of it by then.
constexpr Nanos kNotice = milliseconds(5);

// The sampler's numbers of processes that are not children; children have their index.
constexpr int kSupervisorKey = -1;
constexpr int kKeeperKey = -2;

std::string SecondsText(Nanos duration) {
  const auto tenths = duration.count() / 100'000'000;
  return StrCat(tenths / 10, ".", tenths % 10, " s");
}

// "64.0 MiB limit, peak 63.9 MiB (cgroup)"
std::string MemoryDetail(Bytes limit, const MemoryGroupReading& group) {
  std::string detail = StrCat(FormatSize(static_cast<double>(limit.count)), " limit");
  if (group.peak) detail += StrCat(", peak ", FormatSize(static_cast<double>(*group.peak)));
  // If it did not meet its own limit, that of another group or of the whole board was met.
  return detail + (group.limit_met ? " (cgroup)" : " (cgroup), which it did not meet: the board ran out of memory");
}

class Runner {
 public:
  Runner(const Plan& plan, const Rig& rig, const RunOptions& options, const Interrupts& interrupts, RunRecord& record,
         const MemoryGroups* memory_groups)
      : plan_(plan),
        rig_(rig),
        options_(options),
        interrupts_(interrupts),
        record_(record),
        memory_groups_(memory_groups),
        memory_([this](pid_t pid) { return ReadMemoryOf(pid); }, ThreadCpuTime, kMemoryInterval, HasSwap(procfs_)) {}

  Status Execute();

 private:
  Status Begin();
  Status OutrankWorkers();
  void CheckArmed();
  void PublishStart();
  void SetWindow();
  void ReadSwitches();
  void OpenWindow();
  void CloseWindow();
  void StepMemory();
  void KillAboveMemory(std::size_t index);
  void ShowLive();
  Result<std::optional<MemoryReading>> ReadMemoryOf(pid_t pid);
  void FollowTrees();
  void TellCommandsToEnd();
  static void SignalTree(SupervisedChild& child, int signal);
  void OnEnded(std::size_t index);
  void EndLeftovers(std::size_t index);
  void Reap(std::size_t index);
  void OnKeeperEnded();
  EndRecord EndOf(SupervisedChild& child, const EndRecord& seen) const;
  EndRecord EndOfCommand(const SupervisedChild& child, EndRecord end) const;
  void EndWhenAllEnded();
  void OnInterrupt();
  Status WatchForBreak();
  bool TakeBreak();
  void OnBreak();
  // Ends the run before its time; `how` is said of what has to be killed for it: "interrupted by SIGINT".
  void EndEarly(EarlyEnd end, std::string how);
  void KillAll(SupervisedChild::Killed why, const std::string& detail);
  void KillFor(SupervisedChild& child, SupervisedChild::Killed why, std::string detail);
  void KillAtLimit(std::size_t index);
  Nanos LimitOf(const SupervisedChild& child) const;
  StreamSides Sides() const;
  std::vector<const SupervisedChild*> Workers(std::vector<int>* keys = nullptr) const;
  std::vector<LiveTask> LiveTasks() const;
  void Fill(bool complete);
  void At(Nanos when, void (Runner::*what)());
  void Message(const std::string& line) const {
    if (options_.on_message) options_.on_message(line);
  }

  const Plan& plan_;
  const Rig& rig_;
  const RunOptions& options_;
  const Interrupts& interrupts_;
  RunRecord& record_;
  const MemoryGroups* memory_groups_;  // null: limits on memory are enforced by sampling
  ProcFs procfs_;
  Timeline timeline_;
  MemorySampler::Reader read_memory_ = MemorySampler::ReaderOf(procfs_);
  MemorySampler memory_;
  std::unique_ptr<SpikeRecorder> spike_recorder_;
  std::atomic<SpikeRecorder*> spike_sink_{nullptr};  // the recorder, for the thread that reads the trace
  std::optional<Tracing> tracing_;
  std::optional<SwitchWatch> switches_;
  std::optional<ControlMemory> control_;
  std::optional<Keeper> keeper_;
  std::vector<SupervisedChild> children_;  // after the keeper: their watches end before it
  std::optional<WindowObserver> window_;
  std::optional<LiveView> live_;
  Fd keeper_pidfd_;
  std::unique_ptr<EventLoop> loop_;
  Fd break_event_;
  std::unique_ptr<EventLoop::Watch> interrupt_watch_, keeper_watch_, break_watch_;
  Nanos launched_at_{0};
  Nanos next_trees_{0};
  std::optional<EarlyEnd> early_;
  std::string how_early_;
  bool over_ = false;
  bool keeper_ended_ = false;
  bool children_ended_ = false;  // since the record was last shown
};

Status Runner::Execute() {
  auto began = Begin();
  if (began) loop_->Run();
  over_ = true;
  // Watches first, then whatever still runs (nothing, unless something went wrong), then the loop.
  for (auto& child : children_) child.watch.reset();
  keeper_watch_.reset();
  interrupt_watch_.reset();
  break_watch_.reset();
  // Died it after the last child, no callback has told.
  pollfd keeper_end = {.fd = keeper_pidfd_.get(), .events = POLLIN, .revents = 0};
  if (keeper_pidfd_.valid() && poll(&keeper_end, 1, 0) > 0) keeper_ended_ = true;
  keeper_.reset();
  // All may have ended before its event was seen.
  if (began && break_event_.valid()) (void)TakeBreak();
  if (tracing_) tracing_->Stop();
  if (switches_) switches_->Stop();
  // What a keeper would have killed, had it lived, has become ours.
  if (keeper_ended_) EndDescendants();
  // Nobody is left who could write more.
  for (auto& child : children_) {
    if (child.launched.output) child.launched.output->Finish();
  }
  if (!began) return began;
  Fill(true);
  return {};
}

Status Runner::Begin() {
  auto loop = EventLoop::Create();
  if (!loop) return Forward(loop);
  loop_ = std::move(*loop);
  auto control = ControlMemory::Create();
  if (!control) return Forward(control);
  control_.emplace(std::move(*control));
  // Before anything is spawned: what forks is followed from its beginning.
  tracing_.emplace(plan_, [this](std::span<const TraceEvent> events, const TraceNames& names, Nanos complete_until) {
    if (auto* const recorder = spike_sink_.load(std::memory_order_acquire)) {
      recorder->OnEvents(events, names, complete_until);
    }
    if (options_.on_trace) options_.on_trace(events, names);
  });
  switches_.emplace(plan_, tracing_->absent());
  auto keeper = Keeper::Start(options_.program, plan_.rig_core);
  if (!keeper) return Forward(keeper);
  keeper_.emplace(std::move(*keeper));
  if (const TraceReader* trace = tracing_->reader()) {
    if (auto kept = keeper_->RemoveAtEnd(trace->traces_fd(), trace->name()); !kept) return kept;
  }
  auto keeper_pidfd = OpenPidfd(keeper_->pid());
  if (!keeper_pidfd) return Forward(keeper_pidfd);
  keeper_pidfd_ = std::move(*keeper_pidfd);
  if (HasBreak(plan_)) {
    break_event_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!break_event_.valid()) return Fail("cannot create an eventfd: ", ErrnoText(errno));
  }
  auto launched = Launch(plan_, rig_,
                         {.program = options_.program,
                          .folder = options_.folder,
                          .control = *control_,
                          .marker = tracing_->marker(),
                          .memory_groups = memory_groups_,
                          .break_event = break_event_.get(),
                          .trace_switch = tracing_->trace_switch()},
                         *keeper_);
  if (!launched) return Forward(launched);
  launched_at_ = MonotonicNow();
  if (auto placed = OutrankWorkers(); !placed) return placed;
  if (auto watched = WatchForBreak(); !watched) return watched;

  auto interrupt_watch = loop_->WatchReadable(interrupts_.fd(), [this] { OnInterrupt(); });
  if (!interrupt_watch) return Forward(interrupt_watch);
  interrupt_watch_ = std::move(*interrupt_watch);
  auto keeper_watch = loop_->WatchReadable(keeper_pidfd_.get(), [this] { OnKeeperEnded(); });
  if (!keeper_watch) return Forward(keeper_watch);
  keeper_watch_ = std::move(*keeper_watch);

  children_.resize(launched->size());
  for (std::size_t i = 0; i < children_.size(); ++i) {
    SupervisedChild& child = children_[i];
    child.launched = std::move((*launched)[i]);
    if (!child.launched.process) {
      child.end = {.kind = EndRecord::Kind::kFailedToStart, .number = 0, .detail = child.launched.failure};
      Message(StrCat(child.launched.name, " ", Describe(child.end)));
      continue;
    }
    auto watch = loop_->WatchReadable(child.launched.process->pidfd.get(), [this, i] { OnEnded(i); });
    if (!watch) return Forward(watch);
    child.watch = std::move(*watch);
    memory_.Add(static_cast<int>(i), child.launched.process->pid);
    if (child.launched.mark.empty()) continue;
    child.tree.emplace(procfs_, ProcessTree::Origin{.root = child.launched.process->pid,
                                                    .start_time = child.launched.process->start_time,
                                                    .reaper = keeper_->pid(),
                                                    .mark = child.launched.mark});
  }
  memory_.Add(kSupervisorKey, getpid());
  memory_.Add(kKeeperKey, keeper_->pid());
  window_.emplace(plan_, procfs_, keeper_->pid());
  live_.emplace(plan_, procfs_);
  At(MonotonicNow(), &Runner::CheckArmed);
  At(MonotonicNow(), &Runner::ShowLive);
  return {};
}

// A real-time worker on the rig's core would keep us from ever ending it: then we are more urgent than it.
Status Runner::OutrankWorkers() {
  int highest = 0;
  for (const auto& group : plan_.workers) {
    const bool here = std::find(group.cores.begin(), group.cores.end(), plan_.rig_core) != group.cores.end();
    if (here) highest = std::max(highest, group.policy.priority);
  }
  if (highest == 0) return {};
  const Policy policy = {Policy::Class::kFifo, std::min(highest + 1, 99)};
  if (auto set = SetPolicy(0, policy); !set) return set;
  return SetPolicy(keeper_->pid(), policy);
}

void Runner::At(Nanos when, void (Runner::*what)()) {
  // A timer that cannot be had leaves the run without an end: there is nothing sensible left to do but to end it now.
  auto set = loop_->At(when, [this, what] {
    if (!over_) (this->*what)();
  });
  if (!set) {
    Message(set.error().message);
    KillAll(SupervisedChild::Killed::kInterrupted, "killed because the supervisor could not set a timer");
  }
}

// No counting barrier: a child that died has its say in its end, and the others start without it.
void Runner::CheckArmed() {
  if (timeline_.start > Nanos(0) || early_) return;
  bool waiting = false;
  const Nanos now = MonotonicNow();
  for (auto& child : children_) {
    if (!child.running() || child.header().state.load(std::memory_order_acquire) != ChildState::kStarting) continue;
    waiting = true;
    if (now - launched_at_ > kArmLimit) {
      KillFor(child, SupervisedChild::Killed::kTimeLimit, StrCat("not ready after ", SecondsText(now - launched_at_)));
    }
  }
  if (waiting) return At(now + kArmPoll, &Runner::CheckArmed);
  PublishStart();
}

// The window as it is known now, to those who look at it from outside.
void Runner::SetWindow() {
  Nanos end = timeline_.window_end;
  const auto& at_break = record_.at_break;
  // What came after the trace's end is not in it.
  if (at_break && at_break->trace_stopped) end = std::min(end, at_break->done + *at_break->trace_stopped);
  tracing_->SetWindow(timeline_.window_begin, end);
  switches_->SetWindow(timeline_.window_begin, end);
}

void Runner::ReadSwitches() {
  switches_->Read();
  At(MonotonicNow() + SwitchWatch::kInterval, &Runner::ReadSwitches);
}

void Runner::PublishStart() {
  const bool traced = tracing_->absent().empty();
  window_->StartCounting(children_, !plan_.trace ? Counters::Which::kNone
                                    : traced     ? Counters::Which::kHardware
                                                 : Counters::Which::kAll);
  switches_->Follow(children_);
  if (switches_->active()) At(MonotonicNow(), &Runner::ReadSwitches);
  timeline_.start = MonotonicNow() + kStartAhead;
  timeline_.window_begin = timeline_.start + plan_.warmup;
  timeline_.window_end = timeline_.window_begin + plan_.duration;
  timeline_.drain_end = timeline_.window_end + plan_.drain;
  ControlPage& page = control_->page();
  page.window_begin.store(timeline_.window_begin.count(), std::memory_order_relaxed);
  page.window_end.store(timeline_.window_end.count(), std::memory_order_relaxed);
  page.drain_end.store(timeline_.drain_end.count(), std::memory_order_relaxed);
  SetWindow();
  if (tracing_->absent().empty()) {
    spike_recorder_ = MakeSpikeRecorder(plan_, Sides(), timeline_);
    spike_sink_.store(spike_recorder_.get(), std::memory_order_release);
  }
  control_->Publish(timeline_.start);

  At(timeline_.window_begin, &Runner::OpenWindow);
  At(timeline_.window_end, &Runner::CloseWindow);
  At(timeline_.start, &Runner::StepMemory);
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto set = loop_->At(LimitOf(children_[i]), [this, i] { KillAtLimit(i); });
    if (!set) KillAll(SupervisedChild::Killed::kInterrupted, set.error().message);
  }
  EndWhenAllEnded();
}

Nanos Runner::LimitOf(const SupervisedChild& child) const {
  if (child.launched.role != Role::kWorker) return timeline_.drain_end + kStreamGrace;
  const WorkerPlan& group = plan_.workers[child.launched.group];
  const auto& limit = group.time_limit;
  // Once told to end, a command has no longer than the others.
  if (limit && group.command && !group.command->until_exit) {
    return std::min(timeline_.start + *limit, timeline_.drain_end + kWorkerGrace);
  }
  return limit ? timeline_.start + *limit : timeline_.drain_end + kWorkerGrace;
}

void Runner::OpenWindow() {
  if (early_) return;
  window_->Open(children_);
  memory_.BeginWindow(timeline_.window_begin);
}

void Runner::CloseWindow() {
  if (!window_->open()) return;
  window_->Close(children_);
  const Nanos now = MonotonicNow();
  memory_.EndWindow(now);
  if (early_) return;  // which has ordered more than this
  timeline_.stop_ordered = now;
  control_->page().stop.store(kWindowOver, std::memory_order_relaxed);
  TellCommandsToEnd();
}

// Those that are to end with the window, with all they started; all of them when the run was interrupted.
void Runner::TellCommandsToEnd() {
  for (auto& child : children_) {
    if (!child.tree || !child.running() || child.ended_at) continue;
    if (plan_.workers[child.launched.group].command->until_exit && !early_) continue;
    const auto& members = child.tree->Look();
    // Ended already, only not yet seen: it did so by itself.
    if (members.empty() || members.front().pid != child.launched.process->pid || members.front().ended()) continue;
    child.told_to_end = MonotonicNow();
    SignalTree(child, SIGTERM);
  }
}

void Runner::SignalTree(SupervisedChild& child, int signal) {
  for (const auto& member : child.tree->Look()) {
    if (!member.ended()) SignalProcess(member.pid, member.stat.start_time, signal);
  }
}

Result<std::optional<MemoryReading>> Runner::ReadMemoryOf(pid_t pid) {
  for (auto& child : children_) {
    if (!child.tree || child.launched.process->pid != pid) continue;
    // Until just before its exec it is our program, whose memory is not the command's.
    if (child.header().state.load(std::memory_order_relaxed) != ChildState::kRunning) return std::nullopt;
    return child.tree->ReadMemory();
  }
  return read_memory_(pid);
}

// What ended descendants did is known from the last look at them.
void Runner::FollowTrees() {
  const Nanos now = MonotonicNow();
  if (now < next_trees_) return;
  const Nanos cost_before = ThreadCpuTime();
  for (auto& child : children_) {
    if (child.tree && child.running() && !child.ended_at) (void)child.tree->Read();
  }
  next_trees_ = now + kTreePausePerCost * (ThreadCpuTime() - cost_before);
}

void Runner::StepMemory() {
  const Nanos next = memory_.Step(MonotonicNow());
  for (std::size_t i = 0; i < children_.size(); ++i) KillAboveMemory(i);
  At(next, &Runner::StepMemory);
}

// Where no control group enforces a worker's limit, the sampler's latest look at it does.
void Runner::KillAboveMemory(std::size_t index) {
  SupervisedChild& child = children_[index];
  if (child.launched.role != Role::kWorker || child.launched.memory_group || !child.running()) return;
  const WorkerPlan& group = plan_.workers[child.launched.group];
  if (!group.memory || group.memory_counts_address_space || child.killed != SupervisedChild::Killed::kNo) return;
  const auto latest = memory_.Latest(static_cast<int>(index));
  if (!latest || latest->uss <= group.memory->count) return;
  KillFor(child, SupervisedChild::Killed::kMemory,
          StrCat(FormatSize(static_cast<double>(group.memory->count)), " limit, USS ",
                 FormatSize(static_cast<double>(latest->uss)), " (sampled, approximate)"));
}

void Runner::ShowLive() {
  FollowTrees();
  if (options_.on_live) {
    std::vector<int> keys;
    const auto workers = Workers(&keys);
    options_.on_live(live_->Look(MonotonicNow(), timeline_, Sides(), workers, keys, memory_, LiveTasks()));
  }
  if (std::exchange(children_ended_, false) && options_.on_record) {
    Fill(false);
    options_.on_record(record_);
  }
  At(MonotonicNow() + kLiveInterval, &Runner::ShowLive);
}

void Runner::OnEnded(std::size_t index) {
  SupervisedChild& child = children_[index];
  child.watch.reset();
  // A zombie still has its figures; reaping takes them away.
  window_->ReadEnded(child);
  memory_.Remove(static_cast<int>(index));
  if (child.launched.memory_group) child.memory_group = child.launched.memory_group->Read();
  child.ended_at = MonotonicNow();
  if (child.tree) return EndLeftovers(index);
  Reap(index);
}

// What a command started and left behind ends with it. Told to end together, it has as long as the command itself had.
void Runner::EndLeftovers(std::size_t index) {
  SupervisedChild& child = children_[index];
  const auto& members = child.tree->Look();
  const bool left = std::any_of(members.begin(), members.end(), [](const auto& member) { return !member.ended(); });
  const Nanos now = MonotonicNow();
  const Nanos patience = child.told_to_end && child.killed == SupervisedChild::Killed::kNo ? LimitOf(child) : Nanos(0);
  if (!left || over_ || now > std::max(*child.ended_at, patience) + kLeftoverLimit) return Reap(index);
  if (now >= patience) SignalTree(child, SIGKILL);
  auto set = loop_->At(now + kLeftoverPoll, [this, index] { EndLeftovers(index); });
  if (!set) Reap(index);
}

void Runner::Reap(std::size_t index) {
  SupervisedChild& child = children_[index];
  auto seen = keeper_->Reap(*child.launched.process);
  if (!seen) {
    // A keeper that is dead or does not answer: without it its children are ours, as the next subreaper.
    kill(keeper_->pid(), SIGKILL);
    pollfd keeper_end = {.fd = keeper_pidfd_.get(), .events = POLLIN, .revents = 0};
    poll(&keeper_end, 1, -1);
    seen = ReapChild(child.launched.process->pid);
  }
  child.end =
      EndOf(child,
            seen ? *seen : EndRecord{.kind = EndRecord::Kind::kSignalled, .number = 0, .detail = seen.error().message});
  // Not itself, as far as can be told, but one that it started.
  if (child.memory_group && child.memory_group->oom_kills.value_or(0) > 0 &&
      child.end.kind != EndRecord::Kind::kKilledForMemory) {
    child.end.detail += StrCat(child.end.detail.empty() ? "" : "; ", "with ", *child.memory_group->oom_kills,
                               " of its processes killed for memory: ",
                               MemoryDetail(*plan_.workers[child.launched.group].memory, *child.memory_group));
  }
  children_ended_ = true;
  if (!child.end.as_planned) Message(StrCat(child.launched.name, " ", Describe(child.end)));
  EndWhenAllEnded();
}

EndRecord Runner::EndOf(SupervisedChild& child, const EndRecord& seen) const {
  EndRecord end = seen;
  const std::string error = child.header().error.Read();
  // It comes from our own code, whose place the command did not take.
  if (child.tree && !error.empty()) {
    return {.kind = EndRecord::Kind::kFailedToStart, .number = 0, .detail = error, .as_planned = false};
  }
  // It may have ended by itself before our signal came.
  const bool by_us = end.kind == EndRecord::Kind::kSignalled && end.number == SIGKILL;
  if (by_us && child.killed == SupervisedChild::Killed::kTimeLimit) {
    end.kind = EndRecord::Kind::kTimedOut;
    end.detail = child.killed_detail;
    return end;
  }
  if (by_us && child.killed == SupervisedChild::Killed::kMemory) {
    end.kind = EndRecord::Kind::kKilledForMemory;
    end.detail = child.killed_detail;
    return end;
  }
  // The kernel's signal is the same as anybody's; its account tells them apart.
  const std::uint64_t oom_kills = child.memory_group ? child.memory_group->oom_kills.value_or(0) : 0;
  if (by_us && child.killed == SupervisedChild::Killed::kNo && oom_kills > 0) {
    end.kind = EndRecord::Kind::kKilledForMemory;
    end.detail = MemoryDetail(*plan_.workers[child.launched.group].memory, *child.memory_group);
    return end;
  }
  if (by_us && child.killed == SupervisedChild::Killed::kInterrupted) {
    end.detail = child.killed_detail;
    end.as_planned = early_.has_value();
    return end;
  }
  if (child.tree) return EndOfCommand(child, std::move(end));
  if (!error.empty()) end.detail = error;
  if (end.kind != EndRecord::Kind::kExited || end.number != 0) return end;
  end.as_planned = true;
  if (child.launched.role != Role::kWorker || early_) return end;
  const WorkerJob job = JobOf(plan_.workers[child.launched.group], child.launched.index, plan_.seed);
  const std::uint64_t done = child.progress().units;
  if (job.units && done < job.UnitsOfWorker()) {
    end.as_planned = false;
    end.detail = StrCat("after ", done, " of ", job.UnitsOfWorker(), " units");
  } else if (!child.result().Read(child.launched.result_capacity)) {
    end.as_planned = false;
    end.detail = "without a result";
  }
  return end;
}

EndRecord Runner::EndOfCommand(const SupervisedChild& child, EndRecord end) const {
  const bool succeeded = end.kind == EndRecord::Kind::kExited && end.number == 0;
  if (child.told_to_end) {
    // Shells, and programs that catch the signal in their manner, exit with 128 + its number.
    const bool told = end.kind == EndRecord::Kind::kExited ? end.number == 128 + SIGTERM : end.number == SIGTERM;
    end.as_planned = succeeded || told;
    return end;
  }
  end.as_planned = succeeded && (early_ || plan_.workers[child.launched.group].command->until_exit);
  if (succeeded && !end.as_planned) {
    end.detail = "before the window's end; write until = \"exit\" for a program that ends by itself";
  }
  return end;
}

void Runner::EndWhenAllEnded() {
  for (const auto& child : children_) {
    if (child.running()) return;
  }
  if (window_->open() && MonotonicNow() < timeline_.window_end) timeline_.window_end = MonotonicNow();
  if (!window_->opened() && timeline_.window_end > timeline_.window_begin)
    timeline_.window_end = timeline_.window_begin;
  SetWindow();
  CloseWindow();
  loop_->Stop();
}

void Runner::OnKeeperEnded() {
  keeper_watch_.reset();
  keeper_ended_ = true;
  Message("the keeper was killed, and its children with it");
}

void Runner::OnInterrupt() {
  const std::string signal = interrupts_.Read();
  if (signal.empty()) return;
  const std::string interrupted = StrCat("interrupted by ", signal);
  const bool again = early_.has_value();
  if (again || timeline_.start == Nanos(0)) {
    if (!again) early_ = {.verdict = Verdict::kUndecided, .reason = interrupted};
    if (!again) how_early_ = interrupted;
    KillAll(SupervisedChild::Killed::kInterrupted, StrCat("killed because the run was ", how_early_));
    return EndWhenAllEnded();
  }
  Message(StrCat(interrupted, ": ending the run; once more ends it at once"));
  EndEarly({.verdict = Verdict::kUndecided, .reason = interrupted}, interrupted);
}

Status Runner::WatchForBreak() {
  if (!break_event_.valid()) return {};
  auto watch = loop_->WatchReadable(break_event_.get(), [this] {
    break_watch_.reset();
    OnBreak();
  });
  if (!watch) return Forward(watch);
  break_watch_ = std::move(*watch);
  return {};
}

// Whether a sample was later than its stream's break; the loop that found it has stopped the kernel's trace.
bool Runner::TakeBreak() {
  if (early_) return false;
  record_.at_break = CollectBreak(plan_, Sides(), timeline_, tracing_->absent().empty());
  if (!record_.at_break) return false;
  early_ = {.verdict = Verdict::kFail, .reason = Describe(*record_.at_break)};
  how_early_ = "stopped at its break";
  SetWindow();
  return true;
}

void Runner::OnBreak() {
  if (!TakeBreak()) return;
  Message(StrCat(early_->reason, ": ending the run"));
  EndEarly(*early_, how_early_);
}

void Runner::EndEarly(EarlyEnd end, std::string how) {
  early_ = std::move(end);
  how_early_ = std::move(how);
  const Nanos now = MonotonicNow();
  ControlPage& page = control_->page();
  timeline_.window_end = std::clamp(now + kNotice, timeline_.window_begin, timeline_.window_end);
  timeline_.drain_end = std::min(timeline_.drain_end, now + std::min(plan_.drain, kInterruptedDrain));
  SetWindow();
  page.window_end.store(timeline_.window_end.count(), std::memory_order_relaxed);
  page.drain_end.store(timeline_.drain_end.count(), std::memory_order_relaxed);
  timeline_.stop_ordered = now;
  page.stop.store(kEndNow, std::memory_order_release);
  CloseWindow();
  TellCommandsToEnd();
  for (const auto& child : children_) {
    if (child.running() && child.launched.role != Role::kWorker) (void)Keeper::Kill(*child.launched.process, SIGTERM);
  }
  auto set = loop_->At(now + kInterruptedGrace, [this, now] {
    KillAll(SupervisedChild::Killed::kInterrupted,
            StrCat("killed ", SecondsText(MonotonicNow() - now), " after the run was ", how_early_));
  });
  if (!set) KillAll(SupervisedChild::Killed::kInterrupted, set.error().message);
}

void Runner::KillAll(SupervisedChild::Killed why, const std::string& detail) {
  for (auto& child : children_) {
    if (child.running()) KillFor(child, why, detail);
  }
}

void Runner::KillFor(SupervisedChild& child, SupervisedChild::Killed why, std::string detail) {
  const auto stat = procfs_.Read(child.launched.process->pid, "stat");
  const auto parsed = stat ? ParseStat(*stat) : Result<ProcessStat>(Forward(stat));
  if (child.tree) SignalTree(child, SIGKILL);
  // Dead already, only not yet reaped: it ended by itself.
  if (parsed && parsed->state == 'Z') return;
  if (parsed && parsed->state == 'T') detail += " (stopped)";
  child.killed = why;
  child.killed_detail = std::move(detail);
  // If the signal does not get there the child is gone, which its pidfd will tell.
  (void)Keeper::Kill(*child.launched.process, SIGKILL);
}

void Runner::KillAtLimit(std::size_t index) {
  SupervisedChild& child = children_[index];
  if (over_ || !child.running()) return;
  if (child.told_to_end) {
    return KillFor(child, SupervisedChild::Killed::kTimeLimit,
                   StrCat("still running ", SecondsText(MonotonicNow() - *child.told_to_end), " after SIGTERM"));
  }
  KillFor(child, SupervisedChild::Killed::kTimeLimit,
          StrCat("still running after ", SecondsText(MonotonicNow() - timeline_.start)));
}

StreamSides Runner::Sides() const {
  StreamSides sides;
  for (const auto& child : children_) {
    if (child.launched.role == Role::kSource) sides.source = &child;
    if (child.launched.role == Role::kHandler) sides.handler = &child;
  }
  return sides;
}

std::vector<const SupervisedChild*> Runner::Workers(std::vector<int>* keys) const {
  std::vector<const SupervisedChild*> workers;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (children_[i].launched.role != Role::kWorker) continue;
    workers.push_back(&children_[i]);
    if (keys != nullptr) keys->push_back(static_cast<int>(i));
  }
  return workers;
}

std::vector<LiveTask> Runner::LiveTasks() const {
  std::vector<LiveTask> tasks;
  for (const auto& child : children_) {
    if (!child.running()) continue;
    const pid_t pid = child.launched.process->pid;
    const int cpu = child.launched.core.value;
    if (child.tree) {
      for (const auto& member : child.tree->members()) {
        tasks.push_back({LiveTask::Kind::kWorker, cpu, member.pid, member.pid});
      }
      continue;
    }
    if (child.launched.role == Role::kWorker) tasks.push_back({LiveTask::Kind::kWorker, cpu, pid, pid});
    if (child.launched.role == Role::kSource) tasks.push_back({LiveTask::Kind::kSource, cpu, pid, pid});
    if (child.launched.role != Role::kHandler) continue;
    const HandlerSlabLayout layout(plan_);
    for (std::size_t i = 0; i < plan_.loops.size(); ++i) {
      const auto tid = static_cast<pid_t>(child.launched.slab.At<HandlerLoop>(layout.loops[i])->tid.Get());
      if (tid > 0) tasks.push_back({LiveTask::Kind::kLoop, plan_.loops[i].core.value, pid, tid});
    }
  }
  tasks.push_back({LiveTask::Kind::kRig, plan_.rig_core.value, getpid(), getpid()});
  tasks.push_back({LiveTask::Kind::kRig, plan_.rig_core.value, keeper_->pid(), keeper_->pid()});
  return tasks;
}

// Everything that is known now into the record.
void Runner::Fill(bool complete) {
  RunRecord& record = record_;
  record.complete = complete;
  record.window = {timeline_.window_begin, window_->opened() ? timeline_.window_end : timeline_.window_begin};
  const StreamSides sides = Sides();
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const auto key = static_cast<int>(i);
    if (children_[i].launched.role == Role::kSource) {
      record.source = CollectProcess(children_[i], memory_, key, window_->cow_absent());
      record.source_core = children_[i].launched.core.value;
      record.source_policy = ToText(children_[i].launched.policy);
    }
    if (children_[i].launched.role == Role::kHandler) {
      record.handler = CollectProcess(children_[i], memory_, key, window_->cow_absent());
    }
  }
  record.streams = CollectStreams(plan_, rig_, sides, timeline_);
  record.loops = CollectLoops(plan_, sides.handler, window_->loops());
  for (std::size_t i = 0; i < record.loops.size(); ++i) record.loops[i].counters = window_->CountersOfLoop(i);
  std::vector<int> keys;
  const auto workers = Workers(&keys);
  record.workers.clear();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    record.workers.push_back(CollectWorker(plan_, *workers[i], memory_, keys[i], window_->cow_absent(), timeline_));
  }
  record.rig.pid = getpid();
  record.rig.end.as_planned = true;  // it runs, and writes this
  window_->AddRig(record.rig);
  record.rig.memory = memory_.Series(kSupervisorKey);
  record.rig.memory_summary = memory_.Summary(kSupervisorKey);
  record.rig.memory_trend = memory_.Trend(kSupervisorKey);
  record.rig.cow_absent = "not counted for the rig itself";
  record.rig_core = plan_.rig_core.value;
  record.cores = CollectCores(plan_, record);
  for (auto& core : record.cores) core.steal = window_->StealOf(core.cpu);
  record.total_pss = memory_.TotalPss();
  record.shared = memory_.Shared();
  record.results = CollectResults(plan_, rig_, workers);
  // While the run goes on its figures grow in another thread.
  if (complete) {
    record.trace = tracing_->Record();
    record.switches = switches_->Record();
  } else {
    record.trace.absent = record.switches.absent = "the run is not over";
  }
  record.metrics = MetricsFrom(plan_, record);
  if (!complete) return;
  record.spikes =
      CollectSpikes(plan_, sides, timeline_, record, {.recorder = spike_recorder_.get(), .absent = tracing_->absent()});
  const auto warnings = WarningsFrom(record);
  record.warnings.insert(record.warnings.end(), warnings.begin(), warnings.end());
  for (const auto& child : children_) {
    if (child.header().not_locked.Get() == 0) continue;
    record.warnings.push_back({WarningId::kMemoryNotLocked, StrCat(child.launched.name, ": cannot lock its memory")});
  }
  for (const auto& child : children_) {
    const auto& output = child.launched.output;
    if (!output || output->lost() == 0) continue;
    record.warnings.push_back(
        {WarningId::kOutputLost, StrCat(child.launched.name, ": ", output->lost(),
                                        " bytes of its output were not kept: ", output->why_lost())});
  }
  Judgement judgement = Judge(plan_, record, early_);
  record.verdict = judgement.verdict;
  record.reasons = std::move(judgement.reasons);
  record.budgets = std::move(judgement.budgets);
  if (keeper_ended_) {
    record.verdict = Verdict::kFail;
    record.reasons.insert(record.reasons.begin(), "the keeper was killed, and its children with it");
  }
}

// The supervisor stays off the cores that are measured, and adopts what a dead keeper would leave behind.
class SupervisorPlace {
 public:
  explicit SupervisorPlace(CpuId core) {
    sched_getaffinity(0, sizeof before_, &before_);
    // A refusal costs precision, not truth: core.N.rig tells where the rig ran only if it was pinned.
    (void)SetAffinity(0, core);
    prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper_, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  }
  SupervisorPlace(const SupervisorPlace&) = delete;
  ~SupervisorPlace() {
    (void)SetPolicy(0, Policy{});
    prctl(PR_SET_CHILD_SUBREAPER, was_subreaper_, 0, 0, 0);
    sched_setaffinity(0, sizeof before_, &before_);
  }

 private:
  cpu_set_t before_;
  int was_subreaper_ = 0;
};

}  // namespace

Result<RunRecord> Run(const Plan& plan, const Rig& rig, const RunOptions& options) {
  if (auto resolved = CheckResolution(plan, MeasureBoard()); !resolved) {
    return ForwardWith(resolved, options.scenario_file.empty() ? "" : options.scenario_file + ": ");
  }
  RunRecord record;
  record.version = options.version;
  record.build = options.build;
  record.scenario_file = options.scenario_file;
  record.scenario_name = plan.name;
  record.scenario_about = plan.about;
  record.duration = plan.duration;
  record.started = ReadAnchor();
  record.board = ReadBoard("", plan.cores);
  record.conditions.command = options.command;
  record.conditions.seed = plan.seed;
  record.conditions.load_average = ReadLoadAverage("");

  Preflight preflight = Prepare(plan, record.board, rig.cgroup_root);
  record.warnings = preflight.warnings;
  record.conditions.cpu_dma_latency = preflight.dma_latency_text;
  record.scenario_json = PlanToJson(preflight.plan);
  if (preflight.skipped) {
    record.verdict = Verdict::kSkipped;
    record.reasons = {*preflight.skipped};
    record.metrics = MetricsFrom(preflight.plan, record);
    for (const auto& budget : plan.budgets) {
      record.budgets.push_back({.limit = budget.text,
                                .metric = budget.metric,
                                .value = "",
                                .result = Verdict::kSkipped,
                                .reason = "not run"});
    }
    record.complete = true;
    if (options.on_record) options.on_record(record);
    return record;
  }
  if (options.on_message) {
    for (const auto& warning : record.warnings) {
      options.on_message(StrCat("warning: ", warning.text, "; ", RemedyFor(warning.id)));
    }
  }
  // From the first report to the last no signal ends us with half a report.
  const auto interrupts = Interrupts::Block();
  if (!interrupts) return Forward(interrupts);
  record.reasons = {"the run is not over"};
  if (options.on_record) options.on_record(record);

  const SupervisorPlace place(plan.rig_core);
  Runner runner(preflight.plan, rig, options, *interrupts, record,
                preflight.memory_groups ? &*preflight.memory_groups : nullptr);
  if (auto executed = runner.Execute(); !executed) return Forward(executed);
  if (options.on_record) options.on_record(record);
  return record;
}

}  // namespace corerig
