#include "harness/run/run.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "harness/base/text.h"
#include "harness/child/children.h"
#include "harness/measure/memory_sampler.h"
#include "harness/os/board.h"
#include "harness/os/clock.h"
#include "harness/os/process.h"
#include "harness/os/procfs.h"
#include "harness/os/scheduling.h"
#include "harness/plan/plan_json.h"
#include "harness/run/address_space.h"
#include "harness/run/child_end.h"
#include "harness/run/child_kill.h"
#include "harness/run/child_limits.h"
#include "harness/run/collect.h"
#include "harness/run/command_trees.h"
#include "harness/run/interrupts.h"
#include "harness/run/live.h"
#include "harness/run/metrics.h"
#include "harness/run/preflight.h"
#include "harness/run/resolution.h"
#include "harness/run/run_record.h"
#include "harness/run/spikes.h"
#include "harness/run/supervisor_place.h"
#include "harness/run/switch_watch.h"
#include "harness/run/tracing.h"
#include "harness/run/verdict.h"
#include "harness/run/warnings.h"
#include "harness/run/window_observer.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// How long children may take to get ready; a board under load is slow, a hung one never comes.
constexpr Nanos kArmLimit = seconds(20);
constexpr Nanos kArmPoll = milliseconds(2);
// Between publishing the start and the start: everyone sets timers and sleeps.
constexpr Nanos kStartAhead = milliseconds(30);
// What reading every child takes, and one more.
constexpr Nanos kReadAhead = milliseconds(5);
constexpr Nanos kReadAheadEach = microseconds(500);
// By then workers are under way.
constexpr Nanos kStartIsOver = milliseconds(2);
constexpr Nanos kLiveInterval = milliseconds(250);
constexpr Nanos kMemoryInterval = milliseconds(250);
// While a command has ended and what it started has not.
constexpr Nanos kLeftoverPoll = milliseconds(2);
// What is left of a command is killed over and over; what cannot be (it hangs in the kernel) is left to the keeper.
constexpr Nanos kLeftoverLimit = milliseconds(500);
// After an interruption: a short drain, and then patience is over. The whole must take less than 2 s.
constexpr Nanos kInterruptedDrain = milliseconds(300);
constexpr Nanos kInterruptedGrace = milliseconds(1200);
// An interrupted window ends a moment later, so that source and handler have all heard of it by then.
constexpr Nanos kNotice = milliseconds(5);

std::string SecondsText(Nanos duration) {
  const auto tenths = duration.count() / 100'000'000;
  return StrCat(tenths / 10, ".", tenths % 10, " s");
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
  void CheckArmed();
  void PublishStart();
  void SetWindow();
  void ReadSwitches();
  void OpenWindow();
  void CloseWindow();
  void TellCommandsToEnd();
  void StepMemory();
  void ShowLive();
  Result<std::optional<MemoryReading>> ReadMemoryOf(pid_t pid);
  void OnEnded(std::size_t index);
  void EndLeftovers(std::size_t index);
  void Reap(std::size_t index);
  void Settle(SupervisedChild& child, const EndRecord& seen);
  void SettleThread(SupervisedChild& thread, const SupervisedChild& process, const EndRecord& seen);
  SupervisedChild& ProcessOf(SupervisedChild& child);
  void OnKeeperEnded();
  void EndWhenAllEnded();
  void OnInterrupt();
  Status WatchForBreak();
  bool TakeBreak();
  void OnBreak();
  // Ends the run before its time; `how` is said of what has to be killed for it: "interrupted by SIGINT".
  void EndEarly(EarlyEnd end, std::string how);
  void KillAtLimit(std::size_t index);
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
  CommandTrees trees_{children_};
  std::optional<WindowObserver> window_;
  std::optional<LiveView> live_;
  std::vector<PtyLink> pty_links_;  // names of the endpoints of external receivers
  std::vector<SocketPath> answer_paths_;
  Fd keeper_pidfd_;
  std::unique_ptr<EventLoop> loop_;
  Fd break_event_;
  std::unique_ptr<EventLoop::Watch> interrupt_watch_, keeper_watch_, break_watch_;
  Nanos launched_at_{0};
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
  // All may have ended before its event was seen.
  if (began && break_event_.valid()) (void)TakeBreak();
  // Before the keeper, which would wait for us to let go of the kernel's trace.
  if (tracing_) tracing_->Stop();
  keeper_.reset();
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
  auto endpoints = OpenEndpoints(plan_);
  if (!endpoints) return Forward(endpoints);
  auto launched = Launch(plan_, rig_,
                         {.program = options_.program,
                          .folder = options_.folder,
                          .control = *control_,
                          .marker = tracing_->marker(),
                          .memory_groups = memory_groups_,
                          .interrupts = interrupts_.fd(),
                          .break_event = break_event_.get(),
                          .trace_switch = tracing_->trace_switch(),
                          .endpoints = *endpoints},
                         *keeper_);
  if (!launched) return Forward(launched);
  for (auto& endpoint : *endpoints) {
    pty_links_.push_back(std::move(endpoint.link));
    answer_paths_.push_back(std::move(endpoint.answers.path));
  }
  launched_at_ = MonotonicNow();
  if (const auto policy = PolicyAboveWorkers(plan_)) {
    for (const pid_t ours : {pid_t{0}, keeper_->pid()}) {
      if (auto set = SetPolicy(ours, *policy); !set) return set;
    }
  }
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
    if (child.is_thread() && child.pid() != 0) continue;  // its process's end is its own
    if (!child.launched.process) {
      child.end = {.kind = EndRecord::Kind::kFailedToStart, .number = 0, .detail = child.launched.failure};
      child.end.as_planned = child.launched.failure == kInterruptedStart;
      if (child.end.as_planned) continue;
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

void Runner::At(Nanos when, void (Runner::*what)()) {
  // A timer that cannot be had leaves the run without an end: there is nothing sensible left to do but to end it now.
  auto set = loop_->At(when, [this, what] {
    if (!over_) (this->*what)();
  });
  if (!set) {
    Message(set.error().message);
    KillAll(children_, procfs_, SupervisedChild::Killed::kInterrupted,
            "killed because the supervisor could not set a timer");
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
      KillFor(ProcessOf(child), procfs_, SupervisedChild::Killed::kTimeLimit,
              StrCat("not ready after ", SecondsText(now - launched_at_)));
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
  // A window that opens with the start is read before it, while all sleep: work of milliseconds is done before it could
  // be read after its start.
  const Nanos reading =
      plan_.warmup > Nanos(0) ? Nanos(0) : kReadAhead + kReadAheadEach * static_cast<int>(children_.size());
  timeline_.start = MonotonicNow() + kStartAhead + reading;
  timeline_.window_begin = timeline_.start + plan_.warmup;
  timeline_.window_end = timeline_.window_begin + plan_.duration;
  timeline_.drain_end = timeline_.window_end + plan_.drain;
  ControlPage& page = control_->page();
  page.window_begin.store(timeline_.window_begin.count(), std::memory_order_relaxed);
  page.window_end.store(timeline_.window_end.count(), std::memory_order_relaxed);
  page.drain_end.store(timeline_.drain_end.count(), std::memory_order_relaxed);
  SetWindow();
  if (tracing_->absent().empty()) {
    spike_recorder_ = MakeSpikeRecorder(plan_, SidesOf(children_), timeline_);
    spike_sink_.store(spike_recorder_.get(), std::memory_order_release);
  }
  control_->Publish(timeline_.start);

  At(timeline_.window_begin - reading, &Runner::OpenWindow);
  At(timeline_.window_end, &Runner::CloseWindow);
  // Not at the start itself: of a worker that shares our core we would take its first instant.
  At(timeline_.start + kStartIsOver, &Runner::StepMemory);
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto set = loop_->At(TimeLimitOf(plan_, children_[i].launched, timeline_), [this, i] { KillAtLimit(i); });
    if (!set) KillAll(children_, procfs_, SupervisedChild::Killed::kInterrupted, set.error().message);
  }
  EndWhenAllEnded();
}

void Runner::OpenWindow() {
  if (early_) return;
  window_->Open(children_, timeline_.window_begin);
  memory_.BeginWindow(timeline_.window_begin);
}

void Runner::CloseWindow() {
  if (!window_->open()) return;
  if (MonotonicNow() < timeline_.window_begin) {
    window_->Cancel(children_);
    return memory_.EndWindow(timeline_.window_begin);
  }
  window_->Close(children_);
  const Nanos now = MonotonicNow();
  memory_.EndWindow(now);
  if (early_) return;  // which has ordered more than this
  timeline_.stop_ordered = now;
  control_->page().stop.store(kWindowOver, std::memory_order_relaxed);
  // One that receives a stream has the drain for the window's last samples.
  const bool external = std::any_of(plan_.streams.begin(), plan_.streams.end(),
                                    [](const StreamPlan& stream) { return stream.endpoint.has_value(); });
  if (external) return At(timeline_.drain_end, &Runner::TellCommandsToEnd);
  TellCommandsToEnd();
}

void Runner::TellCommandsToEnd() {
  if (early_) return;  // they have been told
  trees_.TellToEnd(plan_, false);
}

Result<std::optional<MemoryReading>> Runner::ReadMemoryOf(pid_t pid) {
  SupervisedChild* const command = trees_.Find(pid);
  if (command == nullptr) return read_memory_(pid);
  // Until just before its exec it is our program, whose memory is not the command's.
  if (command->header().state.load(std::memory_order_relaxed) != ChildState::kRunning) return std::nullopt;
  return command->tree->ReadMemory();
}

void Runner::StepMemory() {
  const Nanos next = memory_.Step(MonotonicNow());
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const auto above = AboveMemory(plan_, children_[i], memory_.Latest(static_cast<int>(i)));
    if (above) KillFor(children_[i], procfs_, SupervisedChild::Killed::kMemory, *above);
  }
  At(next, &Runner::StepMemory);
}

void Runner::ShowLive() {
  trees_.Follow();
  if (options_.on_live) options_.on_live(live_->Look(MonotonicNow(), timeline_, children_, memory_, keeper_->pid()));
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
  const Nanos patience = child.told_to_end && child.killed == SupervisedChild::Killed::kNo
                             ? TimeLimitOf(plan_, child.launched, timeline_)
                             : Nanos(0);
  if (!left || over_ || now > std::max(*child.ended_at, patience) + kLeftoverLimit) return Reap(index);
  if (now >= patience) SignalTree(*child.tree, SIGKILL);
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
  if (!seen) seen = EndRecord{.kind = EndRecord::Kind::kSignalled, .number = 0, .detail = seen.error().message};
  Settle(child, *seen);
  for (auto& thread : children_) {
    if (thread.launched.host == index) SettleThread(thread, child, *seen);
  }
  EndWhenAllEnded();
}

void Runner::Settle(SupervisedChild& child, const EndRecord& seen) {
  child.end = EndOf(plan_, child, seen, early_.has_value());
  children_ended_ = true;
  if (!child.end.as_planned) Message(StrCat(child.launched.name, " ", Describe(child.end)));
}

// What a thread came to before its process ended is its own end; else it shares the process's.
void Runner::SettleThread(SupervisedChild& thread, const SupervisedChild& process, const EndRecord& seen) {
  window_->ReadEnded(thread);
  thread.ended_at = process.ended_at;
  thread.killed = process.killed;
  thread.killed_detail = process.killed_detail;
  const bool finished = thread.header().state.load(std::memory_order_acquire) == ChildState::kFinished;
  const int status = thread.header().error.Read().empty() ? 0 : 1;
  EndRecord end = seen;
  if (finished) end = {.kind = EndRecord::Kind::kExited, .number = status, .detail = ""};
  if (!finished && end.detail.empty()) end.detail = process.header().error.Read();
  Settle(thread, end);
}

SupervisedChild& Runner::ProcessOf(SupervisedChild& child) {
  return child.is_thread() ? children_[*child.launched.host] : child;
}

void Runner::EndWhenAllEnded() {
  for (const auto& child : children_) {
    if (child.running()) return;
  }
  if (window_->open()) timeline_.window_end = std::clamp(MonotonicNow(), timeline_.window_begin, timeline_.window_end);
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
    Message(StrCat(interrupted, again ? ": ending it at once" : ": nothing has begun"));
    if (!again) early_ = {.verdict = Verdict::kUndecided, .reason = interrupted};
    if (!again) how_early_ = interrupted;
    KillAll(children_, procfs_, SupervisedChild::Killed::kInterrupted,
            StrCat("killed because the run was ", how_early_));
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
  record_.at_break = CollectBreak(plan_, SidesOf(children_), timeline_, tracing_->absent().empty());
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
  trees_.TellToEnd(plan_, early_.has_value());
  for (const auto& child : children_) {
    const bool streams = child.launched.role == Role::kSource || child.launched.role == Role::kHandler;
    if (child.running() && streams) (void)Keeper::Kill(*child.launched.process, SIGTERM);
  }
  auto set = loop_->At(now + kInterruptedGrace, [this, now] {
    KillAll(children_, procfs_, SupervisedChild::Killed::kInterrupted,
            StrCat("killed ", SecondsText(MonotonicNow() - now), " after the run was ", how_early_));
  });
  if (!set) KillAll(children_, procfs_, SupervisedChild::Killed::kInterrupted, set.error().message);
}

void Runner::KillAtLimit(std::size_t index) {
  SupervisedChild& child = children_[index];
  if (over_ || !child.running() || child.is_thread()) return;
  if (child.told_to_end) {
    return KillFor(child, procfs_, SupervisedChild::Killed::kTimeLimit,
                   StrCat("still running ", SecondsText(MonotonicNow() - *child.told_to_end), " after SIGTERM"));
  }
  KillFor(child, procfs_, SupervisedChild::Killed::kTimeLimit,
          StrCat("still running after ", SecondsText(MonotonicNow() - timeline_.start)));
}

// Everything that is known now into the record.
void Runner::Fill(bool complete) {
  RunRecord& record = record_;
  record.complete = complete;
  FillMeasured({plan_, rig_, timeline_, children_, memory_, *window_}, record);
  // While the run goes on its figures grow in another thread.
  if (complete) {
    record.trace = tracing_->Record();
    record.switches = switches_->Record();
  } else {
    record.trace.absent = record.switches.absent = "the run is not over";
  }
  record.metrics = MetricsFrom(plan_, record);
  if (!complete) return;
  record.spikes = CollectSpikes(plan_, SidesOf(children_), timeline_, record, spike_recorder_.get());
  for (const auto& warnings : {WarningsFrom(record), CollectWarnings(children_)}) {
    record.warnings.insert(record.warnings.end(), warnings.begin(), warnings.end());
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

// What the run is to be, and the board as it is now.
RunRecord FirstRecord(const Plan& plan, const RunOptions& options) {
  RunRecord record;
  record.version = options.version;
  record.build = options.build;
  record.scenario_file = options.scenario_file;
  record.scenario_name = plan.name;
  record.scenario_about = plan.about;
  record.duration = plan.duration;
  if (plan.shard.count > 1) record.shard = {plan.shard.index, plan.shard.count};
  record.started = ReadAnchor();
  record.board = ReadBoard("", plan.cores);
  record.conditions.command = options.command;
  record.conditions.seed = plan.seed;
  record.conditions.load_average = ReadLoadAverage("");
  return record;
}

}  // namespace

Status CheckHere(const Plan& plan) {
  if (auto resolved = CheckResolution(plan, MeasureBoard()); !resolved) return resolved;
  return CheckAddressSpaces(plan, LeastAddressSpace());
}

Result<RunRecord> Run(const Plan& plan, const Rig& rig, const RunOptions& options) {
  if (const auto possible = CheckHere(plan); !possible) {
    return ForwardWith(possible, options.scenario_file.empty() ? "" : options.scenario_file + ": ");
  }
  // No signal ends us with half a report, or with what was made to try the board.
  const auto interrupts = Interrupts::Block();
  if (!interrupts) return Forward(interrupts);
  RunRecord record = FirstRecord(plan, options);
  Preflight preflight = Prepare(plan, record.board, rig.cgroup_root);
  record.warnings = preflight.warnings;
  record.conditions.cpu_dma_latency = preflight.dma_latency_text;
  record.scenario_json = ScenarioToJson(preflight.plan);
  if (preflight.skipped) {
    Skip(plan, *preflight.skipped, record);
    record.metrics = MetricsFrom(preflight.plan, record);
    if (options.on_record) options.on_record(record);
    return record;
  }
  if (options.on_message) {
    for (const auto& warning : record.warnings) {
      options.on_message(StrCat("warning: ", warning.text, "; ", RemedyFor(warning.id)));
    }
  }
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
