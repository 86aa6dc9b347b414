#include "harness/stream/emission.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include <algorithm>
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

// The kernel ends a real-time task that has not slept for three seconds of CPU time (RLIMIT_RTTIME, spawn.cc). A source
// whose receiver takes frames as fast as it makes them would not; and who else is on its core, the rig perhaps, would
// have what the kernel keeps from real-time tasks, or nothing.
constexpr Nanos kUnbroken = std::chrono::milliseconds(50), kPause = std::chrono::milliseconds(1);

// How often this thread has given up its CPU to wait.
long TimesSlept() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
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

void Emission::Begin(Nanos start, const ControlPage& control, const Mapping& slab, std::vector<Outlet> outlets) {
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
                                                                  .send = std::move(outlets[n].send),
                                                                  .now = &MonotonicNow,
                                                                  .room = std::move(outlets[n].room),
                                                                  .settled = outlets[n].settled}));
    emitters_.back()->Prepare();
    if (emitters_.back()->lossless()) patient_.push_back({emitters_.back().get()});
  }
  polled_.resize(2 + patient_.size());
}

void Emission::SleepTo(Nanos when) { Sleep(when, /*for_room=*/true); }

void Emission::Sleep(Nanos when, bool for_room) {
  const std::size_t patient = for_room ? patient_.size() : 0;
  const itimerspec at = {.it_interval = {},
                         .it_value = {.tv_sec = when.count() / 1'000'000'000, .tv_nsec = when.count() % 1'000'000'000}};
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
  polled_.resize(2 + patient);
  polled_[0] = {.fd = timer_.get(), .events = POLLIN, .revents = 0};
  polled_[1] = {.fd = interruption_.fd, .events = POLLIN, .revents = 0};
  for (std::size_t i = 0; i < patient; ++i) polled_[2 + i] = patient_[i].emitter->Room();
  const int ready = poll(polled_.data(), polled_.size(), -1);
  if (!patient_.empty()) {
    // Where there was room already, it has not.
    const long before = std::exchange(times_slept_, TimesSlept());
    if (times_slept_ != before) slept_at_ = MonotonicNow();
  }
  if (ready <= 0) return;
  if (polled_[1].revents != 0) interruption_.on_readable();
  for (std::size_t i = 0; i < patient; ++i) {
    if (polled_[2 + i].revents != 0) patient_[i].emitter->OnRoom();
  }
}

// Encodes one frame if there is time for it. Returns whether it did.
bool Emission::PrepareOne(Nanos now, Nanos earliest_due) {
  Emitter* next = nullptr;
  for (const auto& emitter : emitters_) {
    // One that waits for room is behind, and cannot use it soon.
    if (emitter->prepared() || emitter->blocked()) continue;
    if (next == nullptr || emitter->next_due() < next->next_due()) next = emitter.get();
  }
  if (next == nullptr) return false;
  // Another stream's frame is due before this one and must not wait for its encoding.
  if (next->next_due() > earliest_due && now + next->encode_time() >= earliest_due) return false;
  next->Prepare();
  return true;
}

Emission::Patient* Emission::NextInTurn(Nanos now) {
  for (std::size_t i = 1; i <= patient_.size(); ++i) {
    Patient& candidate = patient_[(turn_ + i) % patient_.size()];
    if (candidate.emitter->next_event() <= now) return &candidate;
  }
  return nullptr;
}

// Lets a lossless stream send a frame that may be late already, unless a real-time one is due before it would be done.
// Having waited for one of those it goes whatever it takes: else what took long once would never be tried again.
void Emission::GoOn(Patient& patient, Nanos now, Nanos urgent_at) {
  if (now - slept_at_ > kUnbroken) return Sleep(std::min(now + kPause, urgent_at), /*for_room=*/false);
  const bool fits = urgent_at == Nanos::max() || now + patient.took <= urgent_at;
  if (!fits && !std::exchange(patient.gave_way, true)) return SleepTo(urgent_at);
  patient.emitter->Advance();
  patient.gave_way = false;
  patient.took = MonotonicNow() - now;
  turn_ = static_cast<std::size_t>(&patient - patient_.data());
}

void Emission::Run() {
  slept_at_ = MonotonicNow();
  while (true) {
    const Nanos now = MonotonicNow(), window_end = InstantOf(control_->window_end),
                drain_end = InstantOf(control_->drain_end);
    if (now >= drain_end) break;
    Emitter* urgent = nullptr;
    Nanos urgent_at = Nanos::max(), when = Nanos::max();
    for (const auto& emitter : emitters_) {
      ReleaseTheLate(*emitter, window_end, drain_end);
      const Nanos event = emitter->next_event();
      when = std::min(when, event);
      if (!emitter->lossless() && event < urgent_at) urgent = emitter.get(), urgent_at = event;
    }
    if (when == Nanos::max()) break;
    if (now >= urgent_at) {
      urgent->Advance();
    } else if (Patient* const patient = NextInTurn(now)) {
      // There may be no other time for it.
      if (urgent != nullptr) urgent->Prepare();
      GoOn(*patient, now, urgent_at);
    } else if (!PrepareOne(now, when)) {
      SleepTo(std::min(when, drain_end));
    }
  }
  for (const auto& emitter : emitters_) emitter->End();
}

}  // namespace corerig
