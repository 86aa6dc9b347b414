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

inline constexpr std::size_t kFaultKinds = 4;  // indexed by FaultKind

// The source's figures of one stream.
struct SourceStream {
  Counter sent;      // samples due in the window whose emission was attempted, injected drops included
  Counter bytes;     // put on the wire for them
  Counter overruns;  // of `sent`: refused, or taken in part, by a full (or broken) channel
  Counter unheard;   // of `overruns`: there was no receiver
  Counter late;      // of `sent`: more than one period late, not by an injected fault
  Counter gaps;      // due times in the window at which the sensor itself delivered nothing: not of `sent`
  std::array<Counter, kFaultKinds> injected;
  Counter bytes_in_all;       // taken by the channel, warm-up included
  Counter frames_in_all;      // taken whole, warm-up included
  LatencyHistogram reaction;  // answer - due, of the samples of the window that were answered
  Counter unasked;            // answers that belong to no frame
  LatencyHistogram lateness;  // of `sent`, but for samples that an injected fault held back
};

// The handler's figures of one stream.
struct HandlerStream {
  Counter received;       // good frames matched to a sample due in the window, copies included
  Counter duplicated;     // of `received`: further copies of a sample
  Counter reordered;      // of `received`: first copies that came after a later sample
  Counter corrupt;        // frames that failed the receiver's check
  Counter lost;           // samples that never came as a good frame
  Counter lost_injected;  // of `lost`: dropped or bit-flipped by an injected fault
  Counter unread;         // samples still in the channel when the drain ended
  Counter ambiguous;      // good frames that could not be matched
  Counter truth_lost;     // truths overwritten before they were matched or given up
  Counter done;           // samples done: received - duplicated
  // Of the injected faults: injected = detected + undetected, unless truths were lost. Detected: a drop when its sample
  // was declared lost; a duplicate when its second copy was counted as duplicated; a reorder when its sample was
  // counted as reordered; a bit flip when a corrupt frame was seen for its sample and no good one.
  std::array<Counter, kFaultKinds> detected, undetected;
  LatencyHistogram latency, lateness, transport, queue, service, since_sent;
  // Of `done`, but for those that an injected fault held back: these were late on purpose.
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
    std::size_t figures = 0;        // of SourceStream; npos for a stream on channel timer
    std::size_t ring = 0;           // of TruthRing
    std::size_t ring_capacity = 0;  // entries: four seconds of emissions, at least 256, a power of two
  };
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
