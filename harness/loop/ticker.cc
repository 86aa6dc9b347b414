#include "harness/loop/ticker.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "harness/loop/poll_handle.h"
#include "harness/os/clock.h"
#include "harness/os/fd.h"

namespace corerig {

struct Ticker::State : PollHandle {
  State(Fd fd, Schedule planned, std::function<void(const Tick&)> callback)
      : timer(std::move(fd)), schedule(planned), on_tick(std::move(callback)) {}

  Nanos Due(std::uint64_t k) const { return schedule.first + schedule.rate.OffsetOf(k); }

  // Programs the timer for the next tick. This also takes the expiry that woke us, so no read() is needed: one call per
  // wake-up, and after the callbacks, where nobody waits for it. An interval in the kernel would save nothing: its
  // timer, too, is started anew by each read() (fs/timerfd.c).
  bool Arm() {
    // 0 would disarm it; an instant that is past is due at once.
    const std::int64_t at = std::max<std::int64_t>(next_due.count(), 1);
    itimerspec once = {};
    once.it_value.tv_sec = static_cast<time_t>(at / 1'000'000'000);
    once.it_value.tv_nsec = static_cast<long>(at % 1'000'000'000);
    return timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &once, nullptr) == 0;
  }

  void OnReadable(Nanos woken) override {
    Nanos begin = woken;
    // Those due when we woke, and no later ones: a callback slower than the period must not keep the loop for itself.
    for (int merged = 0; next_due <= woken; ++merged) {
      if (merged > 0) begin = MonotonicNow();
      on_tick({.index = next, .due = next_due, .begin = begin, .merged = merged});
      if (closed()) return;
      next_due = Due(++next);
    }
    Arm();
  }

  Fd timer;
  Schedule schedule;
  std::function<void(const Tick&)> on_tick;
  std::uint64_t next = 0;
  Nanos next_due{0};
};

Result<Ticker> Ticker::Start(EventLoop& loop, Schedule schedule, std::function<void(const Tick&)> on_tick) {
  if (schedule.rate.millihertz <= 0)
    return Fail("the rate of ticks is ", schedule.rate.hertz(), " Hz; it must be positive");
  Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer.valid()) return Fail("cannot create a timerfd: ", ErrnoText(errno));
  const int fd = timer.get();
  auto state = std::make_unique<State>(std::move(timer), schedule, std::move(on_tick));
  state->next_due = state->Due(0);
  if (!state->Arm()) return Fail("cannot set a timerfd: ", ErrnoText(errno));
  State* const owned_by_libuv = state.get();
  auto started = PollHandle::Start(std::move(state), loop.raw(), fd);
  if (!started) return Forward(started);
  return Ticker(owned_by_libuv);
}

Ticker::Ticker(State* state) : state_(state) {}
Ticker::Ticker(Ticker&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
Ticker& Ticker::operator=(Ticker&& other) noexcept {
  Ticker taken(std::move(other));
  std::swap(state_, taken.state_);
  return *this;
}
Ticker::~Ticker() {
  if (state_ != nullptr) state_->Close();
}

}  // namespace corerig
