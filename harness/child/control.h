// The one page through which the supervisor speaks to all its children: written by it, read by them.
#pragma once

#include <atomic>
#include <cstdint>

#include "harness/base/units.h"

namespace corerig {

// How far the run has come to its end.
enum StopLevel : std::uint32_t {
  kGoOn = 0,
  kWindowOver = 1,  // work that lasts as long as the window ends now; fixed units of work go on
  kEndNow = 2,      // interrupted: everything ends now
};

struct ControlPage {
  // CLOCK_MONOTONIC ns. All are stored before start_at, which is 0 until then (release/acquire). The supervisor
  // publishes it some 30 ms ahead, so that everyone can get ready. Window and drain end earlier if the run is
  // interrupted: source and handler are then sent SIGTERM and read them again.
  std::atomic<std::int64_t> window_begin{0};
  std::atomic<std::int64_t> window_end{0};
  std::atomic<std::int64_t> drain_end{0};
  std::atomic<std::int64_t> start_at{0};
  std::atomic<std::uint32_t> start_futex{0};  // 1, and woken, once start_at is there
  std::atomic<std::uint32_t> stop{0};         // a StopLevel

  bool InWindow(Nanos due) const {
    return due.count() >= window_begin.load(std::memory_order_relaxed) &&
           due.count() < window_end.load(std::memory_order_relaxed);
  }
};

}  // namespace corerig
