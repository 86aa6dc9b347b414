// A child's shared memory: written by it alone, read by the supervisor, alive as long as anyone maps it.
//
// Every slab starts with a SlabHeader; what follows depends on the role (worker_slab.h, stream/slabs.h) and both sides
// compute its layout from the plan. Zeroed memory is a valid empty slab. The supervisor believes nothing it reads here:
// no length or index from a slab is used before it was checked.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/counter.h"
#include "harness/base/units.h"

namespace corerig {

enum class ChildState : std::uint32_t { kStarting = 0, kArmed, kRunning, kFinished };

// A short text with one writer, published once: why the child cannot go on.
class SlabText {
 public:
  // Cut to what fits, between two characters. Only the first text counts: it is nearest to the cause.
  void Publish(std::string_view text);
  // Empty until published. Always UTF-8 without control characters: others stand as '?'.
  std::string Read() const;

 private:
  std::atomic<std::uint32_t> length_{0};
  std::array<char, 500> bytes_{};
};

struct SlabHeader {
  std::atomic<ChildState> state{ChildState::kStarting};
  Counter begun_at;    // CLOCK_MONOTONIC ns of the first instruction after the common start; 0: not yet
  Counter ended_at;    // … of the last instruction of the work
  Counter not_locked;  // 1: it is real-time and mlockall was refused
  // The child's last look at its own /proc/self/smaps_rollup, bytes: a zombie has none.
  Counter last_rss, last_pss, last_uss;
  // Of a worker that is a thread: its number, and what the kernel said of it at its end, which nobody can read later.
  Counter tid;
  struct {
    Counter at, run, wait;  // ns: CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID, schedstat's
    Counter timeslices, voluntary, involuntary, minor_faults, major_faults;
  } thread_end;
  SlabText error;
};

// Lays parts one after another, each aligned to a cache line.
class SlabLayout {
 public:
  // Reserves room for `count` values of T; returns the offset of the first.
  template <typename T>
  std::size_t Add(std::size_t count = 1) {
    static_assert(alignof(T) <= 64);
    return AddBytes(sizeof(T) * count);
  }
  std::size_t AddBytes(std::size_t size) {
    const std::size_t at = size_;
    size_ = (size_ + size + 63) / 64 * 64;
    return at;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

}  // namespace corerig
