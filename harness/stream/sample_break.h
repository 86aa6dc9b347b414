// Stops the run at the first sample that is later than its stream's `break`, from the loop that found it late.
//
//   SampleBreak at_break(latch, {.event = 9, .trace_switch = 10, .trace_mark = 6});
//   const StreamBreak watch = {.above = 500us, .stream = 2, .at = &at_break};
//   if (watch.Hits(latency)) watch.Fire(stamps);         // any loop of the handler; only the first one counts
//   ... the supervisor, woken by the event: if (latch.fired()) latch.Read();
//
// The loop itself stops the kernel's trace: nobody has to be scheduled for it, and the trace ends with the moment. From
// then on no sample is taken among the worst (StreamBreak::Over): the trace could not tell why.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "harness/base/units.h"
#include "harness/base/worst_samples.h"

namespace corerig {

// In the handler's slab; all bytes zero: nothing has happened.
class BreakLatch {
 public:
  struct Moment {
    std::uint64_t stream = 0;  // of the plan; the handler's word, to be checked
    SampleStamps sample;
    Nanos trace_stopped{0};  // when the switch had been written, CLOCK_MONOTONIC
  };

  // Whether it is this call that takes it: of all loops the first.
  bool Take() {
    std::uint32_t open = kOpen;
    return state_.compare_exchange_strong(open, kTaken, std::memory_order_relaxed);
  }
  bool taken() const { return state_.load(std::memory_order_relaxed) != kOpen; }
  // By the one who took it.
  void Publish(const Moment& moment);
  // By anyone; nothing before it was published.
  std::optional<Moment> Read() const;

 private:
  enum : std::uint32_t { kOpen, kTaken, kPublished };
  std::atomic<std::uint32_t> state_;
  std::atomic<std::uint64_t> stream_;
  std::atomic<std::int64_t> trace_stopped_;
  WorstSamples sample_;  // one
};

class SampleBreak {
 public:
  struct Descriptors {
    int event = -1;         // an eventfd: 1 is added
    int trace_switch = -1;  // "0" is written to it: tracing_on, or /dev/null
    int trace_mark = -1;    // trace_marker, or /dev/null
  };
  // `latch` outlives it.
  SampleBreak(BreakLatch& latch, Descriptors descriptors) : latch_(latch), descriptors_(descriptors) {}

  bool over() const { return latch_.taken(); }
  void Fire(std::size_t stream, const SampleStamps& sample);

 private:
  BreakLatch& latch_;
  const Descriptors descriptors_;
};

// What one stream has to know of it.
struct StreamBreak {
  Nanos above = Nanos::max();
  std::size_t stream = 0;     // of the plan
  SampleBreak* at = nullptr;  // null: no stream of the run has a break

  bool Over() const { return at != nullptr && at->over(); }
  bool Hits(Nanos latency) const { return at != nullptr && latency > above; }
  void Fire(const SampleStamps& sample) const { at->Fire(stream, sample); }
};

}  // namespace corerig
