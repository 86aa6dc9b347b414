// The slabs of source and handler: figures per stream and per loop. Only samples due in the window count; what belongs
// to no known sample (ambiguous and foreign corrupt frames) counts if it was read after the window's begin.
//
// A stream on channel `timer` has no source: the handler fills received, done, lost (ticks due in the window and not
// delivered within the drain), latency, queue (begin - due) and service; the supervisor takes sent = expected.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <vector>

#include "harness/base/counter.h"
#include "harness/base/latency_histogram.h"
#include "harness/base/worst_samples.h"
#include "harness/child/slab.h"
#include "harness/loop/event_loop.h"
#include "harness/plan/plan.h"
#include "harness/stream/sample_break.h"
#include "harness/stream/truth.h"

namespace corerig {

// What the source did by one of a stream's faults.
struct InjectedFault {
  Counter samples;    // that it hit, due in the window
  Counter first_due;  // of the first of them, CLOCK_MONOTONIC; 0 while there is none
};

// What the handler made of those samples. injected = detected + undetected, unless truths were lost.
struct FoundFault {
  Counter detected;      // a rule of the receiver's fired for the sample: which one is told in matcher.h
  Counter undetected;    // none did:
  Counter undetectable;  // of these, it arrived as a good frame, and nothing about it breaks a rule
  Counter ambiguous;     // of these, a frame arrived that may be it, and no rule can tell
  Counter first_found;   // when a rule first fired, CLOCK_MONOTONIC; 0 while none did
  Counter done;          // of the samples, those that arrived as good frames
  std::atomic<double> value_error_squares;  // sum over `done`
};

// The source's figures of one stream.
struct SourceStream {
  Counter sent;      // samples due in the window whose emission was attempted, injected drops included
  Counter bytes;     // put on the wire for them
  Counter overruns;  // of `sent`: refused, or taken in part, by a full (or broken) channel
  Counter unheard;   // of `overruns`: there was no receiver
  // Of `sent`: more than one period late, not by an injected fault, nor most of it by waiting for room.
  Counter late;
  Counter backlog;          // due in the window and not sent, because until the drain's end there was no room for them
  Counter blocked_ns;       // of the window: a frame was due, and there was no room for it
  Counter taken_in_window;  // of a lossless stream: frames that the channel took in the window, whenever due
  Counter gaps;             // due times in the window at which the sensor itself delivered nothing: not of `sent`
  std::array<InjectedFault, kMostFaults> faults;  // by index in the stream's list
  Counter bytes_in_all;                           // taken by the channel, warm-up included
  Counter frames_in_all;                          // taken whole, warm-up included
  LatencyHistogram reaction;                      // answer - due, of the samples of the window that were answered
  Counter unasked;                                // answers that belong to no frame
  LatencyHistogram lateness;                      // of `sent`, from their release
};

// The handler's figures of one stream.
struct HandlerStream {
  Counter received;        // good frames matched to a sample due in the window, copies included
  Counter duplicated;      // of `received`: further copies of a sample
  Counter reordered;       // of `received`: first copies that came after a later sample
  Counter corrupt;         // frames that failed the receiver's check
  Counter lost;            // samples that never came as a good frame
  Counter lost_injected;   // of `lost`: not sent, or damaged, by an injected fault
  Counter unread;          // samples still in the channel when the drain ended
  Counter ambiguous;       // good frames that could not be matched
  Counter truth_lost;      // truths overwritten before they were matched or given up
  Counter done;            // samples done: received - duplicated
  Counter done_in_window;  // samples that were done in the window, whenever they were due
  // Emissions before this one are settled, and their truths need not be kept. Of the run; a lossless source waits for
  // it.
  std::atomic<std::uint64_t> settled;
  std::array<FoundFault, kMostFaults> faults;  // by index in the stream's list
  // Rules that fired for samples that no injected fault had touched. A late one did come late.
  Counter false_repeating, false_implausible, late_arrivals;
  LatencyHistogram latency, lateness, transport, queue, service, since_sent;
  // Of `done`. What an injected fault held back is measured from its release, here and in the histograms.
  WorstSamples worst;
  std::atomic<double> value_error_squares;  // sum over `done`
  Counter stamps_discarded;
  Counter overflows;        // messages lost in the socket's full buffer between the window's begin and the drain's end
  Counter received_in_all;  // warm-up included: for the live display
  Counter latest_latency_ns;
  Counter bytes_in_all;  // read from the channel, warm-up included
};

// The handler's figures of one loop.
struct HandlerLoop {
  LoopActivity activity;     // of the whole run
  Counter tid;               // of the loop's thread
  Counter wakeups, busy_ns;  // in the window: differences of `activity` taken by the loop itself at its ends
};

// Where things lie. Both sides compute it from the plan.
struct SourceSlabLayout {
  struct PerStream {
    std::size_t figures = 0;  // of SourceStream; npos for a stream on channel timer
    std::size_t ring = 0;     // of TruthRing
    // Entries: four seconds of emissions, at least 256, a power of two. A lossless stream needs no more than kMostKept,
    // as its source waits for them to be settled.
    std::size_t ring_capacity = 0;
  };
  static constexpr std::uint64_t kMostKept = 1 << 16;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<PerStream> streams;  // one per stream of the plan, in its order
  std::size_t size = 0;
  explicit SourceSlabLayout(const Plan& plan);
};

struct HandlerSlabLayout {
  std::vector<std::size_t> streams;  // of HandlerStream, in the plan's order
  std::vector<std::size_t> loops;    // of HandlerLoop, in the plan's order
  std::size_t at_break = 0;          // of BreakLatch
  std::size_t size = 0;
  explicit HandlerSlabLayout(const Plan& plan);
};

}  // namespace corerig
