#include "harness/measure/spike.h"

#include <algorithm>
#include <span>

#include "harness/base/quantity.h"
#include "harness/base/text.h"
#include "harness/measure/core_history.h"

namespace corerig {
namespace {

using Kind = SpikeCause::Kind;
using EventKind = TraceEvent::Kind;

// A timer that was set for an instant and fired within this was on time.
constexpr Nanos kPunctual = std::chrono::microseconds(100);
// Causes that are a smaller part of the delay than one in this many are small change.
constexpr int kSmallChange = 50;
// In place of an interrupt's name: time beyond the end of the evidence.
constexpr const char* kCut = "cut";
// An idle state that takes longer to leave is rare; a host that takes the core away is not.
constexpr Nanos kLongIdleExit = std::chrono::milliseconds(1);

std::string TextOf(Nanos duration) { return FormatDuration(static_cast<double>(duration.count())); }

// The phases of a sample's way. Each has the thread that has to run in it, and an end at which that thread runs.
enum class Phase { kSource, kRoom, kTransport, kWakeUp, kBatch, kService };
constexpr std::size_t kPhases = 6;

struct Segment {
  Phase phase;
  Nanos from, to;
  const SpikeThread* thread;
};

class Explanation {
 public:
  Explanation(const SpikeSubject& subject, const SpikeEvidence& evidence, const SpikeContext& context)
      : subject_(subject), evidence_(evidence), context_(context) {}

  SpikeRecord Write() {
    SpikeRecord record;
    record.part = subject_.part;
    record.loop = subject_.loop;
    record.sample = subject_.sample;
    record.at = subject_.stamps.due;
    // Stamps come from a child's memory: what cannot be is no delay.
    record.delay = std::max(Nanos(0), subject_.stamps.done - subject_.stamps.due);
    Cut();
    if (evidence_.absent.empty()) {
      ReadHistories();
      for (const Segment& segment : segments_) {
        Attribute(segment);
      }
      JudgeRunning();
    } else {
      AddStamps();
    }
    for (auto& cause : causes_) cause.text = Clause(cause);
    FoldSmallChange(record.delay);
    record.causes = causes_;
    record.text = Sentence(record);
    return record;
  }

 private:
  bool OfLoop() const { return !subject_.sample; }
  bool HasSource() const { return subject_.source.tid != 0; }

  // The way cut at its stamps, in their order whatever they say.
  void Cut() {
    const SampleStamps& stamps = subject_.stamps;
    Nanos at = stamps.due;
    const Nanos end = std::max(stamps.due, stamps.done);
    const auto cut = [&](Phase phase, Nanos to, const SpikeThread& thread) {
      to = std::clamp(to, at, end);
      if (to > at) segments_.push_back({phase, at, to, &thread});
      at = to;
    };
    if (OfLoop()) return cut(Phase::kWakeUp, end, subject_.thread);
    if (HasSource()) {
      if (stamps.ready > Nanos(0)) cut(Phase::kSource, std::min(stamps.ready, stamps.sent), subject_.source);
      cut(stamps.ready > Nanos(0) ? Phase::kRoom : Phase::kSource, stamps.sent, subject_.source);
      if (stamps.kernel > Nanos(0)) cut(Phase::kTransport, stamps.kernel, subject_.source);
    }
    cut(Phase::kWakeUp, stamps.woken, subject_.thread);
    cut(Phase::kBatch, stamps.begin, subject_.thread);
    cut(Phase::kService, end, subject_.thread);
  }

  void ReadHistories() {
    const std::span<const TraceEvent> events = evidence_.events;
    const auto history = [&](const SpikeThread& thread) {
      return thread.tid == 0 ? std::vector<ThreadSpan>()
                             : ThreadHistory(events, thread.tid, evidence_.from, evidence_.until);
    };
    loop_history_ = history(subject_.thread);
    source_history_ = history(subject_.source);
  }

  const std::vector<CoreSpan>& Core(int cpu) {
    auto [at, fresh] = cores_.try_emplace(cpu);
    if (fresh) at->second = CoreHistory(evidence_.events, cpu, evidence_.from, evidence_.until);
    return at->second;
  }

  // Adds time to a cause. `key` tells causes of one kind apart.
  SpikeCause& Add(Kind kind, Nanos duration, int core = -1, int tid = 0, const SpikeThread* whose = nullptr,
                  const std::string& interrupt = "", int priority = CoreSpan::kNotSeen, int waker = 0) {
    for (std::size_t i = 0; i < causes_.size(); ++i) {
      const Source& source = sources_[i];
      if (causes_[i].kind != kind || causes_[i].core != core || causes_[i].tid != tid || source.whose != whose ||
          source.interrupt != interrupt || source.waker != waker) {
        continue;
      }
      causes_[i].duration += duration;
      return causes_[i];
    }
    SpikeCause cause;
    cause.kind = kind;
    cause.duration = duration;
    cause.core = core;
    cause.tid = tid;
    if (tid != 0) {
      cause.task = TaskOf(tid);
      cause.role = RoleOf(tid);
    }
    causes_.push_back(cause);
    sources_.push_back({whose, interrupt, priority, waker});
    return causes_.back();
  }

  std::string TaskOf(int tid) const {
    if (tid == 0) return "idle";
    const auto at = evidence_.tasks.find(tid);
    return at == evidence_.tasks.end() || at->second.empty() ? StrCat("pid ", tid) : at->second;
  }
  std::string RoleOf(int tid) const {
    const auto at = evidence_.roles.find(tid);
    return at == evidence_.roles.end() ? "foreign" : at->second;
  }
  std::string InterruptOf(const TraceEvent& event) const {
    const EventKind entry = event.kind == EventKind::kIrqExit       ? EventKind::kIrqEntry
                            : event.kind == EventKind::kSoftirqExit ? EventKind::kSoftirqEntry
                            : event.kind == EventKind::kVectorExit  ? EventKind::kVectorEntry
                                                                    : event.kind;
    const auto at = evidence_.interrupts.find({entry, event.value});
    return at == evidence_.interrupts.end() ? "an interrupt" : at->second;
  }

  void Attribute(const Segment& segment) {
    if (segment.phase == Phase::kRoom) {
      Add(Kind::kNoRoom, segment.to - segment.from);
      return;
    }
    AlongThread(segment, segment.from, segment.to, *segment.thread,
                segment.thread == &subject_.source ? source_history_ : loop_history_);
  }

  // [from, to) of a segment by what `thread` did; what lies outside of the evidence nobody can tell.
  void AlongThread(const Segment& segment, Nanos from, Nanos to, const SpikeThread& thread,
                   const std::vector<ThreadSpan>& history) {
    Nanos told = from;
    for (const ThreadSpan& span : history) {
      const Nanos begin = std::max(from, span.begin), end = std::min(to, span.end);
      if (begin >= end) continue;
      if (begin > told) Add(Kind::kUnexplained, begin - told, thread.core, 0, &thread);
      told = end;
      const int core = span.core >= 0 ? span.core : thread.core;
      switch (span.state) {
        case ThreadSpan::State::kRunning:
          AlongCore(segment, begin, end, core, thread, /*running=*/true, span.begin);
          break;
        case ThreadSpan::State::kRunnable:
          AlongCore(segment, begin, end, core, thread, /*running=*/false, span.begin);
          break;
        case ThreadSpan::State::kSleeping:
          Sleeping(segment, begin, end, span, thread);
          break;
        case ThreadSpan::State::kUnknown:
          Add(Kind::kUnexplained, end - begin, core, 0, &thread);
          break;
      }
    }
    if (to > told) Add(Kind::kUnexplained, to - told, thread.core, 0, &thread, evidence_.cut ? kCut : "");
  }

  // [from, to) in which `thread` ran on `core`, or could have.
  void AlongCore(const Segment& segment, Nanos from, Nanos to, int core, const SpikeThread& thread, bool running,
                 Nanos since) {
    for (const CoreSpan& span : Core(core)) {
      const Nanos begin = std::max(from, span.begin), end = std::min(to, span.end);
      if (begin >= end) continue;
      if (span.interrupt != nullptr) {
        Add(Kind::kInterrupt, end - begin, core, 0, &thread, InterruptOf(*span.interrupt));
      } else if (running || span.tid == thread.tid) {
        Running(segment, begin, end, core, since);
      } else if (span.tid == 0) {
        Add(Kind::kIdleExit, end - begin, core, 0, &thread);
      } else if (span.tid == CoreSpan::kUnknown) {
        Add(Kind::kUnexplained, end - begin, core, 0, &thread);
      } else {
        Add(Kind::kCoreHeld, end - begin, core, span.tid, &thread, "", span.priority);
      }
    }
  }

  // On its core, doing what it does. How long is usual is judged for the phase as a whole.
  void Running(const Segment& segment, Nanos begin, Nanos end, int core, Nanos since) {
    const SampleStamps& stamps = subject_.stamps;
    const bool waits = segment.phase == Phase::kWakeUp || segment.phase == Phase::kBatch;
    if (waits && segment.thread == &subject_.thread) {
      const Nanos from = std::max(begin, stamps.earlier_begin), to = std::min(end, stamps.earlier_done);
      if (to > from) {
        Add(Kind::kEarlierCallback, to - from, core, 0, &subject_.thread);
        AddOwn(segment.phase, core, (to - from) * -1);
      }
    }
    if (segment.phase == Phase::kSource && since <= stamps.due) {
      Add(Kind::kSourceBusy, end - begin, core, 0, &subject_.source);
      return;
    }
    AddOwn(segment.phase, core, end - begin);
    for (const TraceEvent& event : evidence_.events) {
      if (event.at < begin || event.at >= end || event.cpu != core) continue;
      const auto phase = static_cast<std::size_t>(segment.phase);
      if (event.kind == EventKind::kPageFault && event.tid == segment.thread->tid) ++faults_[phase];
      if (event.kind == EventKind::kTimerExpire && event.value > 0) {
        const Nanos set_for(event.value);
        if (event.at - set_for <= kPunctual) {
          ++punctual_[phase];
        } else {
          stopped_[phase] += event.at - std::max(set_for, begin);
        }
      }
    }
  }
  void AddOwn(Phase phase, int core, Nanos duration) {
    own_[static_cast<std::size_t>(phase)] += duration;
    own_core_[static_cast<std::size_t>(phase)] = core;
  }

  // Asleep while there was something for it to do.
  void Sleeping(const Segment& segment, Nanos begin, Nanos end, const ThreadSpan& span, const SpikeThread& thread) {
    const bool by_timer = segment.phase == Phase::kSource || (segment.phase == Phase::kWakeUp && !HasSource());
    if (by_timer && span.begin <= segment.from) return TimerLate(begin, end, span, thread);
    if (segment.phase == Phase::kWakeUp && HasSource() && segment.thread == &thread && !OfLoop()) {
      // It has not been told yet: that is the sending side's affair.
      return Delivery(segment, begin, end);
    }
    const bool faulted = std::any_of(evidence_.events.begin(), evidence_.events.end(), [&](const TraceEvent& event) {
      return event.kind == EventKind::kPageFault && event.tid == thread.tid && event.at >= segment.from &&
             event.at <= begin;
    });
    const int waker = span.waking != nullptr ? span.waking->other : 0;
    Add(faulted ? Kind::kPageFault : Kind::kBlocked, end - begin, thread.core, 0, &thread, "", CoreSpan::kNotSeen,
        waker);
  }

  // Slept beyond the instant its timer was set for.
  void TimerLate(Nanos begin, Nanos end, const ThreadSpan& span, const SpikeThread& thread) {
    const TraceEvent* expiry = nullptr;
    for (const TraceEvent& event : evidence_.events) {
      if (event.kind != EventKind::kTimerExpire || event.at > end) continue;
      if (event.value == subject_.stamps.due.count()) expiry = &event;
    }
    if (expiry == nullptr) {
      const int waker = span.waking != nullptr ? span.waking->other : 0;
      Add(Kind::kBlocked, end - begin, thread.core, 0, &thread, "", CoreSpan::kNotSeen, waker);
      return;
    }
    const Nanos fired = std::clamp(expiry->at, begin, end);
    if (fired > begin) LateOnCore(begin, fired, expiry->cpu, thread);
    if (end > fired) LateOnCore(fired, end, expiry->cpu, thread);
  }

  // Between the instant of a timer on `core` and the wake-up: other interrupts come first, and who ran there is told.
  void LateOnCore(Nanos from, Nanos to, int core, const SpikeThread& thread) {
    Nanos told = from;
    for (const CoreSpan& span : Core(core)) {
      const Nanos begin = std::max(from, span.begin), end = std::min(to, span.end);
      if (begin >= end) continue;
      told = end;
      if (span.interrupt != nullptr) {
        Add(Kind::kInterrupt, end - begin, core, 0, &thread, InterruptOf(*span.interrupt));
      } else {
        Add(Kind::kTimerLate, end - begin, core, std::max(span.tid, 0), &thread);
      }
    }
    if (to > told) Add(Kind::kTimerLate, to - told, core, 0, &thread);
  }

  // After the stamp of the kernel (or of the send call) and before the loop was woken: the source's doing.
  void Delivery(const Segment& segment, Nanos begin, Nanos end) {
    const Segment delivery{Phase::kTransport, segment.from, segment.to, &subject_.source};
    for (const ThreadSpan& span : source_history_) {
      const Nanos from = std::max(begin, span.begin), to = std::min(end, span.end);
      if (from >= to) continue;
      if (span.state == ThreadSpan::State::kSleeping) {
        Add(Kind::kUnexplained, to - from, subject_.thread.core, 0, &subject_.thread);
      } else {
        AlongThread(delivery, from, to, subject_.source, {span});
      }
    }
    if (source_history_.empty()) Add(Kind::kUnexplained, end - begin, subject_.thread.core, 0, &subject_.thread);
  }

  // What the threads took on their cores: as usual up to the median of the phase. Beyond it only the sample's own
  // callback, at work, is a cause; where nothing shows that the core worked, nobody knows.
  void JudgeRunning() {
    const Nanos usual[kPhases] = {subject_.usual.lateness,  Nanos(0),
                                  subject_.usual.transport, subject_.usual.queue,
                                  subject_.usual.queue,     subject_.usual.service};
    for (std::size_t i = 0; i < kPhases; ++i) {
      const auto phase = static_cast<Phase>(i);
      const Nanos own = own_[i];
      if (own <= Nanos(0)) continue;
      const bool of_source = phase == Phase::kSource || phase == Phase::kTransport;
      const SpikeThread* const thread = of_source ? &subject_.source : &subject_.thread;
      const Nanos as_usual = std::min(own, usual[i]);
      if (as_usual > Nanos(0)) Add(Kind::kUsual, as_usual);
      Nanos rest = own - as_usual;
      if (rest <= Nanos(0)) continue;
      const Nanos stopped = std::min(rest, stopped_[i]);
      if (stopped > Nanos(0)) Add(Kind::kUnexplained, stopped, own_core_[i], 0, thread);
      rest -= stopped;
      if (rest <= Nanos(0)) continue;
      const bool at_work = phase == Phase::kService && (punctual_[i] > 0 || own <= subject_.usual.service_p99);
      if (faults_[i] > 0) {
        Add(Kind::kPageFault, rest, own_core_[i], 0, thread);
      } else if (at_work) {
        Add(Kind::kCallback, rest, own_core_[i], 0, thread);
      } else {
        Add(Kind::kUnexplained, rest, own_core_[i], 0, thread);
      }
    }
  }

  // Without a trace: what the stamps alone say.
  void AddStamps() {
    const SampleStamps& stamps = subject_.stamps;
    for (const Segment& segment : segments_) {
      Nanos rest = segment.to - segment.from;
      Kind kind = Kind::kQueue;
      if (segment.phase == Phase::kSource) kind = Kind::kLateness;
      if (segment.phase == Phase::kRoom) kind = Kind::kNoRoom;
      if (segment.phase == Phase::kTransport) kind = Kind::kTransport;
      if (segment.phase == Phase::kService) kind = Kind::kService;
      if (kind == Kind::kQueue && !OfLoop()) {
        const Nanos from = std::max(segment.from, stamps.earlier_begin), to = std::min(segment.to, stamps.earlier_done);
        if (to > from) {
          Add(Kind::kEarlierCallback, to - from, subject_.thread.core, 0, &subject_.thread);
          rest -= to - from;
        }
      }
      if (rest > Nanos(0)) Add(kind, rest);
    }
  }

  // Longest first; what is small joins what is usual.
  void FoldSmallChange(Nanos delay) {
    std::stable_sort(causes_.begin(), causes_.end(),
                     [](const SpikeCause& a, const SpikeCause& b) { return a.duration > b.duration; });
    SpikeCause usual;
    usual.kind = Kind::kUsual;
    std::vector<SpikeCause> kept;
    for (auto& cause : causes_) {
      if (cause.kind == Kind::kUsual || (cause.duration < delay / kSmallChange && evidence_.absent.empty())) {
        usual.duration += cause.duration;
      } else {
        kept.push_back(std::move(cause));
      }
    }
    if (usual.duration > Nanos(0)) {
      usual.text = StrCat(TextOf(usual.duration), " is usual");
      kept.push_back(usual);
    }
    causes_ = std::move(kept);
  }

  std::string Holder(const SpikeCause& cause, int priority) const {
    const std::string scheduling_class = ClassOf(priority);
    return StrCat("'", cause.task, "' (", cause.role, scheduling_class.empty() ? "" : ", ", scheduling_class, ", pid ",
                  cause.tid, ")");
  }

  std::string Clause(const SpikeCause& cause) const {
    const Source& source = sources_[static_cast<std::size_t>(&cause - causes_.data())];
    const std::string took = TextOf(cause.duration);
    const std::string thread = source.whose != nullptr ? source.whose->name : subject_.thread.name;
    const std::string core = StrCat("core ", cause.core);
    switch (cause.kind) {
      case Kind::kUsual:
        return StrCat(took, " is usual");
      case Kind::kTimerLate:
        return StrCat("the timer interrupt for ", thread, " came ", took, " late on ", core,
                      cause.tid == 0 ? (cause.duration > kLongIdleExit ? " (it was idle: idle exit, host or firmware)"
                                                                       : " (idle exit)")
                                     : StrCat(" (which '", cause.task, "' had)"));
      case Kind::kIdleExit:
        return StrCat(thread, " was ready, and ", core, " took ", took, " to leave idle");
      case Kind::kCoreHeld:
        return StrCat(thread, " was ready on ", core, " but ", Holder(cause, source.priority), " held the core for ",
                      took);
      case Kind::kInterrupt:
        return StrCat(source.interrupt, " took ", core, " from ", thread, " for ", took);
      case Kind::kSourceBusy:
        return StrCat(thread, " was at work on earlier frames for ", took);
      case Kind::kNoRoom:
        return StrCat("it waited ", took, " for its receiver to make room");
      case Kind::kEarlierCallback:
        return StrCat(thread, " was in an earlier sample's callback for ", took);
      case Kind::kCallback:
        return StrCat("its own callback ran ", took, " longer than the usual ", TextOf(subject_.usual.service));
      case Kind::kBlocked:
        return StrCat(thread, " slept for ", took,
                      source.waker == 0 ? "" : StrCat(" until '", TaskOf(source.waker), "' woke it"));
      case Kind::kPageFault:
        return StrCat("page faults of ", thread, " took ", took);
      case Kind::kUnexplained:
        if (source.interrupt == kCut) return StrCat("of ", took, " the trace was too long to be kept");
        return StrCat(took, " on ", core, " is unexplained (host or firmware)", Beside(cause.core));
      case Kind::kLateness:
        return StrCat("it was sent ", took, " late");
      case Kind::kTransport:
        return StrCat("it was ", took, " in the transport");
      case Kind::kQueue:
        return OfLoop() ? StrCat(thread, " was ready and not run for ", took)
                        : StrCat("it waited ", took, " for ", thread);
      case Kind::kService:
        return StrCat("its own callback took ", took);
    }
    return took;
  }

  // What was seen beside a gap that nothing explains.
  std::string Beside(int core) const {
    std::string out;
    for (const TraceEvent& event : evidence_.events) {
      const bool meanwhile = event.at >= subject_.stamps.due && event.at <= subject_.stamps.done;
      if (event.kind != EventKind::kFrequency || event.cpu != core || !meanwhile) continue;
      out = StrCat("; meanwhile the core went to ", FormatRate(static_cast<double>(event.value) * 1e3));
    }
    const auto steal = context_.steal.find(core);
    if (steal != context_.steal.end() && steal->second > 0.0005) {
      out += StrCat("; the hypervisor took ", FormatShare(steal->second), " of it in this window");
    }
    return out;
  }

  std::string Sentence(const SpikeRecord& record) const {
    constexpr std::size_t kMost = 3;
    const auto dot = subject_.part.find('.');
    const std::string part = StrCat(subject_.part.substr(0, dot), " ", subject_.part.substr(dot + 1));
    std::string text = OfLoop() ? StrCat(part, " was ready for ", TextOf(record.delay), " before it ran: ")
                                : StrCat(part, " sample ", *subject_.sample, " was ", TextOf(record.delay), " late: ");
    Nanos rest{0}, usual{0};
    std::size_t told = 0;
    for (const SpikeCause& cause : record.causes) {
      if (cause.kind == Kind::kUsual) {
        usual += cause.duration;
      } else if (told == kMost) {
        rest += cause.duration;
      } else {
        text += StrCat(told == 0 ? "" : ", ", cause.text);
        ++told;
      }
    }
    if (rest > Nanos(0)) text += StrCat(", and smaller ones for ", TextOf(rest));
    if (told == 0) return text + "which is usual";
    if (usual > Nanos(0)) text += StrCat("; the rest, ", TextOf(usual), ", is usual");
    if (!evidence_.absent.empty()) text += StrCat("; why is unknown: ", evidence_.absent);
    return text;
  }

  // What tells causes of one kind apart, beside what is in the record.
  struct Source {
    const SpikeThread* whose;  // whom it kept
    std::string interrupt;
    int priority;
    int waker;
  };

  const SpikeSubject& subject_;
  const SpikeEvidence& evidence_;
  const SpikeContext& context_;
  std::vector<Segment> segments_;
  std::vector<ThreadSpan> loop_history_, source_history_;
  std::map<int, std::vector<CoreSpan>> cores_;
  std::vector<SpikeCause> causes_;
  std::vector<Source> sources_;  // of the causes, in their order until they are sorted
  // By phase, of the time its thread ran: how long, where, page faults, timers that fired in time, and how long the
  // core did not serve one that was due.
  Nanos own_[kPhases] = {}, stopped_[kPhases] = {};
  int own_core_[kPhases] = {-1, -1, -1, -1, -1, -1}, faults_[kPhases] = {}, punctual_[kPhases] = {};
};

}  // namespace

std::string ClassOf(int kernel_priority) {
  if (kernel_priority < 0) return "";
  if (kernel_priority < 99) return StrCat("fifo:", 99 - kernel_priority);
  return StrCat("nice ", kernel_priority - 120);
}

SpikeRecord ExplainSpike(const SpikeSubject& subject, const SpikeEvidence& evidence, const SpikeContext& context) {
  return Explanation(subject, evidence, context).Write();
}

}  // namespace corerig
