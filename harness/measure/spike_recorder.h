// Keeps the scheduling trace around the worst samples, while the rest of it passes by.
//
//   SpikeRecorder recorder(streams, loops, window_begin);
//   ... recorder.OnEvents(batch, names, complete_until);       // in the thread that reads the trace
//   for (const auto& stamps : worst->Read()) Explain(recorder.EvidenceOfStream(i, stamps));   // when that has ended
//
// Recent events lie in a ring of 1 MiB. When a sample that is among the worst of its stream is done, and the trace has
// come that far, the events around it are copied: at most 4096 for one sample, 16384 (512 KiB) in all. Of what was
// overwritten or lost before that, the evidence says so.
//
// One thread at a time, no locks: the reader's until it has ended, then its owner's. The tables of the streams lie in
// the handler's slab and are not trusted.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/base/trace_event.h"
#include "harness/base/units.h"
#include "harness/base/worst_samples.h"
#include "harness/measure/spike.h"

namespace corerig {

class SpikeRecorder {
 public:
  static constexpr std::size_t kRing = 32'768, kMostOfOne = 4'096, kMostInAll = 16'384;
  // What is kept from before a sample was due.
  static constexpr Nanos kBefore = std::chrono::milliseconds(1);

  struct Thread {
    std::string part = {};  // "loop flight"; empty: there is none
    int core = 0;
  };
  struct Stream {
    const WorstSamples* worst = nullptr;  // outlives the recorder
    Thread source, loop;
  };

  // The delays of loops count from `window_begin` on.
  SpikeRecorder(const std::vector<Stream>& streams, const std::vector<Thread>& loops, Nanos window_begin);
  SpikeRecorder(const SpikeRecorder&) = delete;

  // All events before `complete_until` have been handed over now. The last call must come after the handler has ended;
  // it may have no events.
  void OnEvents(std::span<const TraceEvent> events, const TraceNames& names, Nanos complete_until);

  // The worst delays of a loop's thread from being ready to running: due is when it was woken or preempted, done when
  // it ran.
  std::vector<SampleStamps> WorstDelays(std::size_t loop) const;

  // The task that is this part of the run, by its number in the trace; 0 if it was not seen.
  int TidOf(const std::string& part) const;

  SpikeEvidence EvidenceOfStream(std::size_t stream, const SampleStamps& sample) const;
  SpikeEvidence EvidenceOfLoop(std::size_t loop, const SampleStamps& delay) const;

 private:
  struct Kept {
    SampleStamps sample;
    SpikeEvidence evidence;
  };
  // A table of worst samples and what is kept for it.
  struct Watch {
    const WorstSamples* worst = nullptr;
    std::vector<std::string> parts;
    std::vector<int> tids;  // of the parts; -1 until the trace has told it
    std::vector<int> cores;
    std::uint64_t changes = 0;
    bool waiting = false;  // for the trace to come as far as a sample
    std::vector<Kept> kept;
  };
  struct RunQueue {
    std::string part;
    int tid = -1;
    bool running = false;
    Nanos ready{0};  // since when it could run; 0: not known, or it does
    std::unique_ptr<WorstSamples> worst;
  };

  void FindTasks(const TraceNames& names);
  void Follow(RunQueue& queue, const TraceEvent& event) const;
  void Look(Watch& watch, const TraceNames& names, Nanos complete_until);
  SpikeEvidence Extract(const Watch& watch, const SampleStamps& sample, const TraceNames& names) const;
  std::string GapIn(const std::vector<int>& cores, Nanos from, Nanos until) const;
  void FreeSmallest();
  static SpikeEvidence Find(const Watch& watch, const SampleStamps& sample);

  // Where events of `at` and later begin: no later than at the first of them.
  std::size_t PlaceOf(Nanos at) const;
  std::size_t oldest() const { return written_ > kRing ? written_ - kRing : 0; }
  const TraceEvent& At(std::size_t i) const { return ring_[i % kRing]; }

  std::vector<TraceEvent> ring_;  // grows up to kRing
  std::size_t written_ = 0;
  std::vector<Watch> streams_, loops_;
  std::vector<RunQueue> queues_;
  const Nanos window_begin_;
  std::size_t events_kept_ = 0;
};

}  // namespace corerig
