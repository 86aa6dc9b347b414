#include "harness/stream/emission.h"

#include <poll.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <utility>

#include "harness/os/clock.h"
#include "harness/stream/sensor_of.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

Nanos InstantOf(const std::atomic<std::int64_t>& instant) { return Nanos(instant.load(std::memory_order_relaxed)); }

// What was held back waits for its time, or for one more sample, if that is not too late for anyone to see.
void ReleaseTheLate(Emitter& emitter, Nanos window_end, Nanos drain_end) {
  if (emitter.next_due() < window_end) return;
  const bool waits = emitter.next_release() < Nanos::max();
  if ((emitter.holding() && emitter.next_due() >= drain_end) || (waits && emitter.next_release() >= drain_end)) {
    emitter.Release();
  }
}

}  // namespace

Result<Emission> Emission::Create(const Plan& plan, std::span<const SensorType> sensors, Interruption interruption) {
  Emission emission(plan, std::move(interruption));
  emission.timer_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!emission.timer_.valid()) return Fail("cannot create a timerfd: ", ErrnoText(errno));
  for (const auto& stream : plan.streams) {
    if (stream.channel == ChannelKind::kTimer) continue;
    const auto sensor = SensorOf(sensors, stream);
    if (!sensor) return Forward(sensor);
    emission.streams_.push_back({.plan = &stream,
                                 .model = (*sensor)->make_model(ContextOf(plan, stream)),
                                 .frame_size = LargestFrame(**sensor, stream)});
    if (auto ready = emission.streams_.back().model->Ready(); !ready) {
      return ForwardWith(ready, "stream ", stream.name, ": ");
    }
  }
  return emission;
}

void Emission::Begin(Nanos start, const ControlPage& control, const Mapping& slab,
                     std::vector<Emitter::SendFrame> sends) {
  control_ = &control;
  const SourceSlabLayout layout(*plan_);
  for (std::size_t n = 0; n < streams_.size(); ++n) {
    const Stream& stream = streams_[n];
    const auto& place = layout.streams[static_cast<std::size_t>(stream.plan - plan_->streams.data())];
    emitters_.push_back(std::make_unique<Emitter>(*plan_, *stream.plan, start, control, *stream.model,
                                                  stream.frame_size,
                                                  Emitter::Output{.ring = slab.At<TruthRing>(place.ring),
                                                                  .ring_capacity = place.ring_capacity,
                                                                  .figures = slab.At<SourceStream>(place.figures),
                                                                  .send = std::move(sends[n]),
                                                                  .now = &MonotonicNow}));
    emitters_.back()->Prepare();
  }
}

void Emission::SleepTo(Nanos when) {
  const itimerspec at = {.it_interval = {},
                         .it_value = {.tv_sec = when.count() / 1'000'000'000, .tv_nsec = when.count() % 1'000'000'000}};
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
  pollfd fds[] = {{.fd = timer_.get(), .events = POLLIN, .revents = 0},
                  {.fd = interruption_.fd, .events = POLLIN, .revents = 0}};
  if (poll(fds, 2, -1) > 0 && fds[1].revents != 0) interruption_.on_readable();
}

// Encodes one frame if there is time for it. Returns whether it did.
bool Emission::PrepareOne(Nanos now, Nanos earliest_due) {
  Emitter* next = nullptr;
  for (const auto& emitter : emitters_) {
    if (!emitter->prepared() && (next == nullptr || emitter->next_due() < next->next_due())) next = emitter.get();
  }
  if (next == nullptr) return false;
  // Another stream's frame is due before this one and must not wait for its encoding.
  if (next->next_due() > earliest_due && now + next->encode_time() >= earliest_due) return false;
  next->Prepare();
  return true;
}

void Emission::Run() {
  while (true) {
    const Nanos now = MonotonicNow(), window_end = InstantOf(control_->window_end),
                drain_end = InstantOf(control_->drain_end);
    if (now >= drain_end) return;
    Emitter* next = nullptr;
    Nanos when = Nanos::max();
    for (const auto& emitter : emitters_) {
      ReleaseTheLate(*emitter, window_end, drain_end);
      if (emitter->next_event() < when) next = emitter.get(), when = emitter->next_event();
    }
    if (next == nullptr) return;
    if (now >= when) {
      next->Advance();
    } else if (!PrepareOne(now, when)) {
      SleepTo(when);
    }
  }
}

}  // namespace corerig
