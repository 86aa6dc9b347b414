#include "harness/stream/source.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "harness/child/child_context.h"
#include "harness/loop/channel.h"
#include "harness/os/clock.h"
#include "harness/os/fd.h"
#include "harness/os/scheduling.h"
#include "harness/plan/plan_json.h"
#include "harness/stream/emitter.h"
#include "harness/stream/sensor_of.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

// The sending ends stay open this long after the drain: the handler then reads what is left, and the slave of a pty
// loses what it has not read when the master is closed.
constexpr Nanos kLinger = std::chrono::milliseconds(100);

// Sleeps to absolute instants; SIGTERM, which the caller has blocked, ends a sleep early.
class Alarm {
 public:
  static Result<Alarm> Create(const sigset_t& signals) {
    Alarm alarm;
    alarm.timer_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!alarm.timer_.valid()) return Fail("cannot create a timerfd: ", ErrnoText(errno));
    alarm.signal_ = Fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!alarm.signal_.valid()) return Fail("cannot create a signalfd: ", ErrnoText(errno));
    return alarm;
  }

  // Returns at the instant, or earlier if there was a signal.
  void Until(Nanos when) {
    const itimerspec at = {
        .it_interval = {},
        .it_value = {.tv_sec = when.count() / 1'000'000'000, .tv_nsec = when.count() % 1'000'000'000}};
    timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
    pollfd fds[] = {{.fd = timer_.get(), .events = POLLIN, .revents = 0},
                    {.fd = signal_.get(), .events = POLLIN, .revents = 0}};
    if (poll(fds, 2, -1) <= 0 || fds[1].revents == 0) return;
    signalfd_siginfo received;
    while (read(signal_.get(), &received, sizeof received) == sizeof received) {
    }
  }

 private:
  Fd timer_, signal_;
};

Nanos InstantOf(const std::atomic<std::int64_t>& instant) { return Nanos(instant.load(std::memory_order_relaxed)); }

// Encodes one frame if there is time for it. Returns whether it did.
bool PrepareOne(std::vector<std::unique_ptr<Emitter>>& emitters, Nanos now, Nanos earliest_due) {
  Emitter* next = nullptr;
  for (const auto& emitter : emitters) {
    if (!emitter->prepared() && (next == nullptr || emitter->next_due() < next->next_due())) next = emitter.get();
  }
  if (next == nullptr) return false;
  // Another stream's frame is due before this one and must not wait for its encoding.
  if (next->next_due() > earliest_due && now + next->encode_time() >= earliest_due) return false;
  next->Prepare();
  return true;
}

// What was held back waits for its time, or for one more sample, if that is not too late for anyone to see.
void ReleaseTheLate(Emitter& emitter, Nanos window_end, Nanos drain_end) {
  if (emitter.next_due() < window_end) return;
  const bool waits = emitter.next_release() < Nanos::max();
  if ((emitter.holding() && emitter.next_due() >= drain_end) || (waits && emitter.next_release() >= drain_end)) {
    emitter.Release();
  }
}

// Emits every sample due before the window's end, all of them, however late.
void EmitAll(std::vector<std::unique_ptr<Emitter>>& emitters, const ControlPage& control, Alarm& alarm) {
  while (true) {
    const Nanos now = MonotonicNow(), window_end = InstantOf(control.window_end),
                drain_end = InstantOf(control.drain_end);
    if (now >= drain_end) return;
    Emitter* next = nullptr;
    Nanos when = Nanos::max();
    for (const auto& emitter : emitters) {
      ReleaseTheLate(*emitter, window_end, drain_end);
      if (emitter->next_event() < when) next = emitter.get(), when = emitter->next_event();
    }
    if (next == nullptr) return;
    if (now >= when) {
      next->Advance();
    } else if (!PrepareOne(emitters, now, when)) {
      alarm.Until(when);
    }
  }
}

Status Run(ChildContext& context, std::span<const SensorType> sensors, const sigset_t& signals) {
  const auto plan = PlanFromJson(context.job());
  if (!plan) return ForwardWith(plan, "the source's job: ");
  const SourceSlabLayout layout(*plan);
  if (context.slab().size() < layout.size) {
    return Fail("the source's slab has ", context.slab().size(), " bytes; its layout needs ", layout.size);
  }
  auto alarm = Alarm::Create(signals);
  if (!alarm) return Forward(alarm);
  if (plan->source && plan->source->policy.scheduling_class == Policy::Class::kFifo) {
    if (!LockMemory()) context.header().not_locked.Set(1);
  }
  SetTimerSlack(Nanos(1));

  std::vector<std::unique_ptr<SensorModel>> models;
  std::vector<std::size_t> frame_sizes;
  std::vector<Sender> senders;
  for (const auto& stream : plan->streams) {
    if (stream.channel == ChannelKind::kTimer) continue;
    auto sender = Sender::Open(stream.channel, Fd(kFirstRoleFd + static_cast<int>(senders.size())));
    if (!sender) return ForwardWith(sender, "stream ", stream.name, ": ");
    senders.push_back(std::move(*sender));
    const auto sensor = SensorOf(sensors, stream);
    if (!sensor) return Forward(sensor);
    models.push_back((*sensor)->make_model(ContextOf(*plan, stream)));
    frame_sizes.push_back((*sensor)->max_frame_size);
  }

  context.Arm();
  const Nanos start = context.WaitForSchedule();
  std::vector<std::unique_ptr<Emitter>> emitters;
  for (std::size_t i = 0; i < plan->streams.size(); ++i) {
    const auto& place = layout.streams[i];
    if (place.ring == SourceSlabLayout::kNone) continue;
    const std::size_t n = emitters.size();
    emitters.push_back(std::make_unique<Emitter>(
        *plan, plan->streams[i], start, context.control(), *models[n], frame_sizes[n],
        Emitter::Output{
            .ring = context.slab().At<TruthRing>(place.ring),
            .ring_capacity = place.ring_capacity,
            .figures = context.slab().At<SourceStream>(place.figures),
            .send = [sender = &senders[n]](std::span<const std::byte> frame) { return sender->Send(frame); },
            .now = &MonotonicNow}));
    emitters.back()->Prepare();
  }
  SleepUntil(start);
  context.MarkBegun();
  EmitAll(emitters, context.control(), *alarm);
  context.MarkEnded();
  for (Nanos until; MonotonicNow() < (until = InstantOf(context.control().drain_end) + kLinger);) alarm->Until(until);
  return {};
}

}  // namespace

int SourceMain(std::span<const SensorType> sensors) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);  // see Send
  return RunChild("source", [&](ChildContext& context) { return Run(context, sensors, signals); });
}

}  // namespace corerig
