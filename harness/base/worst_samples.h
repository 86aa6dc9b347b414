// The worst samples of a stream, with all their stamps, in shared memory: what an explanation of a spike starts from.
//
//   if (worst->Qualifies(latency)) worst->Add({.sequence = n, .due = due, ...});    // its one writer
//   for (const SampleStamps& sample : worst->Read()) ...                            // anyone, while it is written
//
// One stall is one entry, however many samples it delayed: of samples whose times from due to done overlap, or lie
// within a millisecond of each other, the worst stands for all. An ordinary sample costs one comparison.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/base/units.h"

namespace corerig {

// The instants of one sample, CLOCK_MONOTONIC; 0 where there is none.
struct SampleStamps {
  std::uint64_t sequence = 0;  // from 0 at the start of the run
  Nanos due{0};
  Nanos ready{0};   // of a lossless stream: when it would have been sent had there been room; else 0
  Nanos sent{0};    // just before the send call; 0 for a timer
  Nanos kernel{0};  // when the kernel queued it; 0 where it does not stamp
  Nanos woken{0};   // when the loop's wake-up that handled it began: its first callback
  // The callback that kept the loop from this sample for longest, of the same wake-up or of the one before.
  Nanos earlier_begin{0}, earlier_done{0};
  Nanos begin{0};
  Nanos done{0};

  Nanos latency() const { return done - due; }
  bool operator==(const SampleStamps&) const = default;
};

// All bytes zero is an empty table.
class WorstSamples {
 public:
  static constexpr std::size_t kMost = 8;
  static constexpr Nanos kApart = std::chrono::milliseconds(1);

  // Whether such a sample could be among the worst.
  bool Qualifies(Nanos latency) const { return latency.count() > threshold_.load(std::memory_order_relaxed); }
  void Add(const SampleStamps& sample);

  // Changes with every entry.
  std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }
  // Worst first. An entry that is being written right now is missing; none is ever mixed from two samples. The stamps
  // are their writer's: anything, if it ran wild.
  std::vector<SampleStamps> Read() const;

 private:
  static constexpr std::size_t kWords = 10;
  struct alignas(16) Entry {
    // A sequence lock: odd while the words are being written. As in TruthRing every word is stored with release and
    // loaded with acquire, in place of fences that ThreadSanitizer does not know.
    std::atomic<std::uint64_t> version;
    std::array<std::atomic<std::int64_t>, kWords> words;
  };
  static SampleStamps Load(const Entry& entry);
  static void Store(Entry& entry, const SampleStamps& sample);  // done == 0: empty

  std::atomic<std::int64_t> threshold_;
  std::atomic<std::uint64_t> changes_;
  std::array<Entry, kMost> entries_;
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "the table is shared between processes");

}  // namespace corerig
