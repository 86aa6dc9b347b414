// The one page through which the supervisor speaks to all its children: written by it, read by them.
#pragma once

#include <atomic>
#include <cstdint>

#include "harness/base/units.h"

namespace corerig {

struct ControlPage {
  // CLOCK_MONOTONIC ns. All are stored before start_at, which is 0 until then (release/acquire), and is also a futex:
  // its low half is woken when it is published. The window's end moves to an earlier instant if the run is interrupted.
  std::atomic<std::int64_t> window_begin{0};
  std::atomic<std::int64_t> window_end{0};
  std::atomic<std::int64_t> drain_end{0};
  std::atomic<std::int64_t> start_at{0};
  std::atomic<std::uint32_t> start_futex{0};  // 1 once start_at is there
  std::atomic<std::uint32_t> stop{0};         // 1: end the work now

  bool InWindow(Nanos due) const {
    return due.count() >= window_begin.load(std::memory_order_relaxed) &&
           due.count() < window_end.load(std::memory_order_relaxed);
  }
};

}  // namespace corerig
