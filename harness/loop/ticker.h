// Absolute periodic ticks in an event loop, without drift and without losing count.
//
//   auto ticker = Ticker::Start(loop, {.first = start_at, .rate = Rate::Hertz(1000)}, [&](const Tick& t) { Emit(t.due);
//   });
//
// libuv's own timers have millisecond resolution and may fire early (libuv issue 4773); this one is a timerfd on
// CLOCK_MONOTONIC watched by the loop. When the thread was kept from running, the ticks it missed arrive one by one,
// each with its own due time, so that a stall costs latency and not samples.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/loop/event_loop.h"

namespace corerig {

struct Schedule {
  Nanos first{0};  // CLOCK_MONOTONIC; tick k is due at first + rate.OffsetOf(k)
  Rate rate;
};

// One due time. `merged` counts the ticks delivered by the same wake-up before this one.
struct Tick {
  std::uint64_t index;
  Nanos due;
  Nanos begin;  // read for this tick, before its callback
  int merged;
};

class Ticker {
 public:
  // Starts on the loop's thread. Fails if the rate is not positive or the kernel refuses a timerfd.
  static Result<Ticker> Start(EventLoop& loop, Schedule schedule, std::function<void(const Tick&)> on_tick);

  Ticker(Ticker&&) noexcept;
  Ticker& operator=(Ticker&&) noexcept;
  ~Ticker();  // stops; safe inside on_tick

 private:
  struct State;
  explicit Ticker(State* state);
  State* state_;
};

}  // namespace corerig
