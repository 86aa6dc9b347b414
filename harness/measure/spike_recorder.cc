#include "harness/measure/spike_recorder.h"

#include <algorithm>
#include <utility>

#include "harness/base/text.h"

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;

// A core writes its events a little after their time.
constexpr Nanos kMargin = std::chrono::microseconds(200);
// And never, whatever keeps it from writing them, as late as this: events further apart are in order.
constexpr Nanos kDisorder = std::chrono::milliseconds(100);

bool Has(const std::vector<int>& list, int value) { return std::find(list.begin(), list.end(), value) != list.end(); }

SpikeEvidence Absent(std::string why) {
  SpikeEvidence evidence;
  evidence.absent = std::move(why);
  return evidence;
}

// The kinds that an explanation has no use for do not take the place of others.
bool Matters(const TraceEvent& event) {
  return event.kind != Kind::kWakeupNew && event.kind != Kind::kMigrate && event.kind != Kind::kFork &&
         event.kind != Kind::kExec && event.kind != Kind::kExit && event.kind != Kind::kPart;
}

void AddName(const TraceEvent& event, const TraceNames& names, SpikeEvidence& evidence) {
  const auto add = [&](int tid) {
    if (tid <= 0) return;
    evidence.tasks.try_emplace(tid, names.Task(tid));
    if (const auto part = names.Part(tid); !part.empty()) evidence.roles.try_emplace(tid, part);
  };
  switch (event.kind) {
    case Kind::kSwitch:
    case Kind::kWaking:
      add(event.tid);
      add(event.other);
      break;
    case Kind::kIrqEntry:
    case Kind::kSoftirqEntry:
    case Kind::kVectorEntry:
      evidence.interrupts.try_emplace({event.kind, event.value}, names.Interrupt(event));
      break;
    case Kind::kIrqExit:
      evidence.interrupts.try_emplace({Kind::kIrqEntry, event.value}, names.Interrupt(event));
      break;
    case Kind::kSoftirqExit:
      evidence.interrupts.try_emplace({Kind::kSoftirqEntry, event.value}, names.Interrupt(event));
      break;
    case Kind::kVectorExit:
      evidence.interrupts.try_emplace({Kind::kVectorEntry, event.value}, names.Interrupt(event));
      break;
    default:
      break;
  }
}

}  // namespace

SpikeRecorder::SpikeRecorder(const std::vector<Stream>& streams, const std::vector<Thread>& loops, Nanos window_begin)
    : window_begin_(window_begin) {
  const auto watch = [](const WorstSamples* worst, std::initializer_list<Thread> threads) {
    Watch out;
    out.worst = worst;
    for (const Thread& thread : threads) {
      if (thread.part.empty()) continue;
      out.parts.push_back(thread.part);
      out.tids.push_back(-1);
      if (!Has(out.cores, thread.core)) out.cores.push_back(thread.core);
    }
    return out;
  };
  for (const Stream& stream : streams) streams_.push_back(watch(stream.worst, {stream.source, stream.loop}));
  for (const Thread& loop : loops) {
    queues_.push_back(
        {.part = loop.part, .tid = -1, .running = false, .ready = {}, .worst = std::make_unique<WorstSamples>()});
    loops_.push_back(watch(queues_.back().worst.get(), {loop}));
  }
}

// In another pid namespace than the kernel's first, a task's number in the trace is none that it knows itself.
void SpikeRecorder::FindTasks(const TraceNames& names) {
  const auto find = [&](int& tid, const std::string& part) {
    if (tid < 0) tid = names.FirstOf(part);
  };
  for (auto* const watches : {&streams_, &loops_}) {
    for (Watch& watch : *watches) {
      for (std::size_t i = 0; i < watch.tids.size(); ++i) find(watch.tids[i], watch.parts[i]);
    }
  }
  for (RunQueue& queue : queues_) find(queue.tid, queue.part);
}

int SpikeRecorder::TidOf(const std::string& part) const {
  for (const auto* const watches : {&streams_, &loops_}) {
    for (const Watch& watch : *watches) {
      for (std::size_t i = 0; i < watch.tids.size(); ++i) {
        if (watch.parts[i] == part) return std::max(watch.tids[i], 0);
      }
    }
  }
  return 0;
}

void SpikeRecorder::OnEvents(std::span<const TraceEvent> events, const TraceNames& names, Nanos complete_until) {
  FindTasks(names);
  for (const TraceEvent& event : events) {
    if (!Matters(event)) continue;
    if (ring_.size() < kRing) {
      ring_.push_back(event);
    } else {
      ring_[written_ % kRing] = event;
    }
    ++written_;
    for (RunQueue& queue : queues_) Follow(queue, event);
  }
  for (Watch& watch : streams_) Look(watch, names, complete_until);
  for (Watch& watch : loops_) Look(watch, names, complete_until);
}

void SpikeRecorder::Follow(RunQueue& queue, const TraceEvent& event) const {
  if (event.kind == Kind::kLost) {
    queue.running = false;
    queue.ready = Nanos(0);
    return;
  }
  if (queue.tid < 0) return;
  if (event.kind == Kind::kWaking && event.tid == queue.tid) {
    if (!queue.running && queue.ready == Nanos(0)) queue.ready = event.at;
  } else if (event.kind == Kind::kSwitch && event.tid == queue.tid) {
    if (queue.ready >= window_begin_ && queue.worst->Qualifies(event.at - queue.ready)) {
      SampleStamps delay;
      delay.due = queue.ready;
      delay.done = event.at;
      queue.worst->Add(delay);
    }
    queue.running = true;
    queue.ready = Nanos(0);
  } else if (event.kind == Kind::kSwitch && event.other == queue.tid) {
    queue.running = false;
    queue.ready = event.state == TraceEvent::State::kPreempted ? event.at : Nanos(0);
  }
}

void SpikeRecorder::Look(Watch& watch, const TraceNames& names, Nanos complete_until) {
  if (watch.worst == nullptr) return;
  const std::uint64_t changes = watch.worst->changes();
  if (changes == watch.changes && !watch.waiting) return;
  watch.changes = changes;
  watch.waiting = false;
  const std::vector<SampleStamps> worst = watch.worst->Read();
  std::erase_if(watch.kept, [&](const Kept& kept) {
    const bool gone = std::find(worst.begin(), worst.end(), kept.sample) == worst.end();
    if (gone) events_kept_ -= kept.evidence.events.size();
    return gone;
  });
  for (const SampleStamps& sample : worst) {
    const bool known =
        std::any_of(watch.kept.begin(), watch.kept.end(), [&](const Kept& kept) { return kept.sample == sample; });
    if (known) continue;
    if (sample.done > complete_until - kMargin) {
      watch.waiting = true;
      continue;
    }
    watch.kept.push_back({sample, Extract(watch, sample, names)});
    events_kept_ += watch.kept.back().evidence.events.size();
  }
  while (events_kept_ > kMostInAll) FreeSmallest();
}

std::size_t SpikeRecorder::PlaceOf(Nanos at) const {
  std::size_t low = oldest(), high = written_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (At(middle).at < at - kDisorder) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The first and the last of `cores`' events in [from, until] tell whether all between were seen.
std::string SpikeRecorder::GapIn(const std::vector<int>& cores, Nanos from, Nanos until) const {
  if (written_ == 0) return "the trace has no event of that time";
  if (At(oldest()).at > from) {
    return written_ > kRing ? "the trace has a gap there (so many events came that they were overwritten)"
                            : "the trace begins later";
  }
  for (const int core : cores) {
    Nanos previous = Nanos::min();
    for (std::size_t i = PlaceOf(from); i < written_; ++i) {
      const TraceEvent& event = At(i);
      if (event.cpu != core) continue;
      if (event.kind == Kind::kLost && previous <= until && event.at >= from) {
        return StrCat("the trace has a gap there (", event.value, event.value == 1 ? " event" : " events", " of core ",
                      core, " lost)");
      }
      previous = event.at;
      if (previous > until) break;
    }
  }
  return "";
}

SpikeEvidence SpikeRecorder::Extract(const Watch& watch, const SampleStamps& sample, const TraceNames& names) const {
  constexpr Nanos kLongest = std::chrono::hours(1);
  if (sample.due > sample.done || sample.due < Nanos(0) || sample.done - sample.due > kLongest ||
      sample.done > Nanos::max() - kLongest) {
    return Absent("its stamps are not those of a sample");
  }
  std::vector<int> cores = watch.cores;
  // The kernel may have let another core keep the timer.
  for (std::size_t i = PlaceOf(sample.due); i < written_; ++i) {
    const TraceEvent& event = At(i);
    if (event.at > sample.done + kDisorder) break;
    const bool of_sample = event.kind == Kind::kTimerExpire && event.value == sample.due.count();
    if (of_sample && !Has(cores, event.cpu)) cores.push_back(event.cpu);
  }
  SpikeEvidence evidence;
  evidence.from = sample.due - kBefore;
  evidence.until = sample.done + kMargin / 2;
  if (std::string gap = GapIn(cores, sample.due, sample.done); !gap.empty()) return Absent(std::move(gap));
  // Who had each core before that, and how each thread fared.
  std::vector<std::size_t> before;
  const auto add_last = [&](auto concerns) {
    for (std::size_t i = PlaceOf(evidence.from + 2 * kDisorder); i-- > oldest();) {
      const TraceEvent& event = At(i);
      if (event.at >= evidence.from || !concerns(event)) continue;
      before.push_back(i);
      return;
    }
  };
  for (const int core : cores) {
    add_last([&](const TraceEvent& event) { return event.kind == Kind::kSwitch && event.cpu == core; });
  }
  for (const int tid : watch.tids) {
    add_last([&](const TraceEvent& event) {
      return event.kind == Kind::kSwitch && (event.tid == tid || event.other == tid);
    });
    add_last([&](const TraceEvent& event) { return event.kind == Kind::kWaking && event.tid == tid; });
  }
  std::sort(before.begin(), before.end());
  before.erase(std::unique(before.begin(), before.end()), before.end());
  for (const std::size_t i : before) evidence.events.push_back(At(i));
  for (std::size_t i = PlaceOf(evidence.from); i < written_; ++i) {
    const TraceEvent& event = At(i);
    if (event.at > evidence.until + kDisorder) break;
    if (event.at < evidence.from || event.at > evidence.until) continue;
    const bool about_us = event.kind == Kind::kWaking && Has(watch.tids, event.tid);
    const bool on_core = Has(cores, event.cpu) && event.kind != Kind::kWaking;
    if (about_us || on_core) evidence.events.push_back(event);
  }
  std::stable_sort(evidence.events.begin(), evidence.events.end(),
                   [](const TraceEvent& a, const TraceEvent& b) { return a.at < b.at; });
  if (evidence.events.size() > kMostOfOne) {
    evidence.until = evidence.events[kMostOfOne].at;
    evidence.cut = true;
    evidence.events.resize(kMostOfOne);
  }
  evidence.events.shrink_to_fit();
  for (const TraceEvent& event : evidence.events) AddName(event, names, evidence);
  return evidence;
}

void SpikeRecorder::FreeSmallest() {
  Kept* smallest = nullptr;
  for (auto* watches : {&streams_, &loops_}) {
    for (Watch& watch : *watches) {
      for (Kept& kept : watch.kept) {
        if (kept.evidence.events.empty()) continue;
        if (smallest == nullptr || kept.sample.latency() < smallest->sample.latency()) smallest = &kept;
      }
    }
  }
  if (smallest == nullptr) return;
  events_kept_ -= smallest->evidence.events.size();
  smallest->evidence = Absent("its part of the trace was let go for that of worse samples");
}

SpikeEvidence SpikeRecorder::Find(const Watch& watch, const SampleStamps& sample) {
  for (const Kept& kept : watch.kept) {
    if (kept.sample == sample) return kept.evidence;
  }
  return Absent("the trace ended before it");
}

std::vector<SampleStamps> SpikeRecorder::WorstDelays(std::size_t loop) const { return queues_[loop].worst->Read(); }

SpikeEvidence SpikeRecorder::EvidenceOfStream(std::size_t stream, const SampleStamps& sample) const {
  return Find(streams_[stream], sample);
}

SpikeEvidence SpikeRecorder::EvidenceOfLoop(std::size_t loop, const SampleStamps& delay) const {
  return Find(loops_[loop], delay);
}

}  // namespace corerig
