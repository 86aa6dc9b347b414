#include "harness/measure/core_history.h"

#include <algorithm>

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;

bool IsEntry(Kind kind) { return kind == Kind::kIrqEntry || kind == Kind::kSoftirqEntry || kind == Kind::kVectorEntry; }
bool IsExit(Kind kind) { return kind == Kind::kIrqExit || kind == Kind::kSoftirqExit || kind == Kind::kVectorExit; }

// Whether `exit` ends what `entry` began.
bool Ends(const TraceEvent& exit, const TraceEvent& entry) {
  const auto entry_of = [](Kind kind) {
    if (kind == Kind::kIrqExit) return Kind::kIrqEntry;
    return kind == Kind::kSoftirqExit ? Kind::kSoftirqEntry : Kind::kVectorEntry;
  };
  return entry_of(exit.kind) == entry.kind && exit.value == entry.value;
}

}  // namespace

std::vector<CoreSpan> CoreHistory(std::span<const TraceEvent> events, int cpu, Nanos from, Nanos until) {
  std::vector<CoreSpan> spans;
  CoreSpan now{.begin = from, .end = from};
  std::vector<const TraceEvent*> serving;  // innermost last
  // The first switch tells who was there before it; the first interrupt to end, if it did not begin, that it was
  // served.
  bool switched = false, interrupted = false;
  const auto advance = [&](Nanos at) {
    at = std::clamp(at, now.begin, std::max(until, now.begin));
    if (at > now.begin) {
      now.end = at;
      spans.push_back(now);
    }
    now.begin = at;
  };
  for (const auto& event : events) {
    if (event.cpu != cpu || event.kind == Kind::kLost) continue;
    if (event.kind == Kind::kSwitch) {
      advance(event.at);
      if (!switched) {
        now.tid = event.other;
        for (auto& span : spans) span.tid = event.other;
      }
      switched = true;
      serving.clear();  // an interrupt ends before anyone is scheduled
      now.tid = event.tid;
      now.priority = event.priority;
    } else if (IsEntry(event.kind)) {
      advance(event.at);
      interrupted = true;
      serving.push_back(&event);
    } else if (IsExit(event.kind)) {
      advance(event.at);
      const auto entry =
          std::find_if(serving.rbegin(), serving.rend(), [&](const TraceEvent* e) { return Ends(event, *e); });
      if (entry != serving.rend()) {
        serving.erase(std::next(entry).base(), serving.end());
      } else if (!interrupted && !switched) {
        for (auto& span : spans) span.interrupt = &event;
      }
      interrupted = true;
    } else {
      continue;
    }
    now.interrupt = serving.empty() ? nullptr : serving.back();
  }
  advance(until);
  // How urgent the task was that was there first, or that was found there, another event may tell.
  for (auto& span : spans) {
    if (span.priority >= 0 || span.tid <= 0) continue;
    const auto told = std::find_if(events.begin(), events.end(), [&](const TraceEvent& event) {
      return (event.kind == Kind::kSwitch || event.kind == Kind::kWaking) && event.tid == span.tid &&
             event.priority >= 0;
    });
    if (told != events.end()) span.priority = told->priority;
  }
  return spans;
}

std::vector<ThreadSpan> ThreadHistory(std::span<const TraceEvent> events, int tid, Nanos from, Nanos until) {
  using State = ThreadSpan::State;
  std::vector<ThreadSpan> spans;
  ThreadSpan now{.begin = from, .end = from};
  bool seen = false;
  const auto become = [&](const TraceEvent& event, State before, State state, int core) {
    const Nanos at = std::clamp(event.at, now.begin, std::max(until, now.begin));
    if (!seen) {
      now.state = before;
      if (before == State::kRunning) now.core = event.cpu;
    }
    seen = true;
    if (now.state == State::kSleeping) now.waking = &event;
    now.end = at;
    if (now.end > now.begin) spans.push_back(now);
    now = {.begin = at, .end = at, .state = state, .core = core};
  };
  for (const auto& event : events) {
    if (event.kind == Kind::kSwitch && event.tid == tid) {
      become(event, State::kUnknown, State::kRunning, event.cpu);
    } else if (event.kind == Kind::kSwitch && event.other == tid) {
      const bool preempted = event.state == TraceEvent::State::kPreempted;
      become(event, State::kRunning, preempted ? State::kRunnable : State::kSleeping, preempted ? event.cpu : -1);
    } else if (event.kind == Kind::kWaking && event.tid == tid) {
      // One that was about to sleep and is woken while it still runs goes on running.
      if (seen && now.state != State::kSleeping) continue;
      become(event, State::kSleeping, State::kRunnable, -1);
    }
  }
  now.end = std::max(until, now.begin);
  if (now.end > now.begin) spans.push_back(now);
  for (std::size_t i = spans.size(); i-- > 1;) {
    const bool runs_next = spans[i].state == State::kRunning && spans[i - 1].state == State::kRunnable;
    if (runs_next) spans[i - 1].core = spans[i].core;
  }
  return spans;
}

}  // namespace corerig
