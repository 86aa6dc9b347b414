#include "harness/stream/loop_thread.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "harness/child/part_marker.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"
#include "harness/plan/parts.h"
#include "harness/stream/sensor_of.h"
#include "harness/stream/ticks.h"

namespace corerig {
namespace {

// Bounded, because a real-time loop's memory is locked: the default of 8 MiB would all be resident.
constexpr std::size_t kStackBytes = 256 << 10;

// A lossless source may be at work when the drain ends, and the accounts hold only once it is not: it is given so long,
// and looked at so often. One that was killed or stopped sends nothing.
constexpr Nanos kSourceEnds = std::chrono::milliseconds(200), kLook = std::chrono::microseconds(500);

// How often a stream's truths are read while nothing arrives: its ring holds four seconds, a lossless one's perhaps
// less.
constexpr Nanos kTruths = std::chrono::seconds(1), kTruthsOfLossless = std::chrono::milliseconds(20);

Nanos InstantOf(const std::atomic<std::int64_t>& instant) { return Nanos(instant.load(std::memory_order_relaxed)); }

}  // namespace

LoopThread::LoopThread(const Plan& plan, const LoopPlan& loop, ChildContext& context, HandlerLoop& figures,
                       int done_event)
    : plan_(plan), loop_plan_(loop), context_(context), figures_(figures), done_event_(done_event) {}

void LoopThread::AddChannel(const StreamPlan& stream, const SensorType& sensor, Fd receiver, Matcher::Source truth,
                            HandlerStream& figures, const StreamBreak& at_break) {
  auto added = std::make_unique<Stream>();
  added->plan = &stream;
  added->figures = &figures;
  added->max_frame_size = LargestFrame(sensor, stream);
  added->end = std::move(receiver);
  const SensorContext context = ContextOf(plan_, stream);
  const ValueLimits limits = sensor.value_limits != nullptr ? sensor.value_limits(context) : ValueLimits();
  added->decoder = sensor.make_decoder(context);
  added->matcher = std::make_unique<Matcher>(context_.control(), truth, stream, limits, *added->decoder,
                                             figures_.activity.turn, figures, &MonotonicNow, at_break);
  streams_.push_back(std::move(added));
}

void LoopThread::AddTicks(const StreamPlan& stream, HandlerStream& figures, const StreamBreak& at_break) {
  auto added = std::make_unique<Stream>();
  added->plan = &stream;
  added->figures = &figures;
  added->at_break = at_break;
  streams_.push_back(std::move(added));
}

Status LoopThread::Start() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  const int error = pthread_create(
      &thread_, &attributes,
      [](void* self) -> void* {
        static_cast<LoopThread*>(self)->Body();
        return nullptr;
      },
      this);
  pthread_attr_destroy(&attributes);
  if (error != 0) return Fail("loop ", loop_plan_.name, ": cannot start its thread: ", ErrnoText(error));
  return {};
}

Status LoopThread::WaitReady() {
  ready_.acquire();
  return status_;
}

void LoopThread::Reconsider() { loop_->Wake(); }

Status LoopThread::Join() {
  pthread_join(thread_, nullptr);
  return status_;
}

void LoopThread::Body() {
  MarkPart(LoopPart(loop_plan_.name));
  status_ = Prepare();
  const bool prepared = status_.has_value();
  ready_.release();
  if (!prepared) return;
  const Nanos start = context_.WaitForSchedule();
  status_ = Begin(start);
  if (status_) loop_->Run();
  for (auto& stream : streams_) {
    stream->receiver.reset();
    stream->ticker.reset();
    if (stream->matcher) {
      stream->matcher->Finish(stream->schedule);
    } else {
      FinishTicks(stream->schedule, context_.control(), *stream->figures);
    }
  }
  eventfd_write(done_event_, 1);
}

Status LoopThread::Prepare() {
  const auto named = [&](const Status& failed) { return ForwardWith(failed, "loop ", loop_plan_.name, ": "); };
  if (auto pinned = SetAffinity(0, loop_plan_.core); !pinned) return named(pinned);
  if (auto granted = SetPolicy(0, loop_plan_.policy); !granted) return named(granted);
  SetTimerSlack(Nanos(1));
  figures_.tid.Set(static_cast<std::uint64_t>(gettid()));
  auto loop = EventLoop::Create(&figures_.activity);
  if (!loop) return ForwardWith(loop, "loop ", loop_plan_.name, ": ");
  loop_ = std::move(*loop);
  if (auto set = loop_->OnWake([this] {
        if (auto ends = SetEnds(); !ends) OnDrainEnd();  // no timer any more: end rather than run for ever
      });
      !set) {
    return named(set);
  }
  for (auto& stream : streams_) {
    if (!stream->matcher) continue;
    auto receiver = Receiver::Start(*loop_, stream->plan->channel, std::move(stream->end), stream->max_frame_size,
                                    [matcher = stream->matcher.get()](const Arrival& a) { matcher->OnArrival(a); });
    if (!receiver) return ForwardWith(receiver, "stream ", stream->plan->name, ": ");
    stream->receiver = std::move(*receiver);
  }
  return {};
}

Status LoopThread::Begin(Nanos start) {
  for (auto& stream : streams_) {
    stream->schedule = ScheduleOf(plan_, *stream->plan, start);
    if (stream->matcher) continue;
    auto ticker = Ticker::Start(*loop_, {.first = stream->schedule.first, .rate = stream->schedule.rate},
                                [this, s = stream.get()](const Tick& tick) {
                                  if (tick.due >= InstantOf(context_.control().window_end)) return s->ticker.reset();
                                  CountTick(tick, MonotonicNow(), context_.control(), figures_.activity.turn,
                                            *s->figures, s->at_break);
                                });
    if (!ticker) return ForwardWith(ticker, "stream ", stream->plan->name, ": ");
    stream->ticker = std::move(*ticker);
  }
  for (auto& stream : streams_) {
    if (!stream->matcher) continue;
    if (auto set = LookAgain(*stream); !set) return set;
  }
  if (auto set = loop_->At(InstantOf(context_.control().window_begin), [this] { OnWindowBegin(); }); !set) return set;
  return SetEnds();
}

Status LoopThread::LookAgain(Stream& stream) {
  const Nanos pause = stream.plan->pace == Pace::kLossless ? kTruthsOfLossless : kTruths;
  return loop_->At(MonotonicNow() + pause, [this, &stream] {
    stream.matcher->Look();
    if (!LookAgain(stream)) OnDrainEnd();  // no timer any more: as in Prepare
  });
}

Status LoopThread::SetEnds() {
  if (auto set = loop_->At(InstantOf(context_.control().window_end), [this] { OnWindowEnd(); }); !set) return set;
  return loop_->At(InstantOf(context_.control().drain_end), [this] { OnDrainEnd(); });
}

void LoopThread::OnWindowBegin() {
  for (auto& stream : streams_) {
    if (stream->receiver) stream->overflows_before = stream->receiver->Overflows();
  }
  at_window_begin_ = {.wakeups = figures_.activity.wakeups.Get(), .busy_ns = figures_.activity.busy_ns.Get()};
}

void LoopThread::OnWindowEnd() {
  if (std::exchange(window_ended_, true) || !at_window_begin_) return;
  figures_.wakeups.Set(figures_.activity.wakeups.Get() - at_window_begin_->wakeups);
  figures_.busy_ns.Set(figures_.activity.busy_ns.Get() - at_window_begin_->busy_ns);
}

bool LoopThread::MoreMayCome() const {
  if (MonotonicNow() >= InstantOf(context_.control().drain_end) + kSourceEnds) return false;
  return std::any_of(streams_.begin(), streams_.end(), [](const auto& stream) {
    return stream->plan->pace == Pace::kLossless && stream->matcher && !stream->matcher->source_ended();
  });
}

void LoopThread::OnDrainEnd() {
  if (drained_) return;
  for (auto& stream : streams_) {
    if (stream->matcher) stream->matcher->BeginDrain();
  }
  if (MoreMayCome() && loop_->At(MonotonicNow() + kLook, [this] { OnDrainEnd(); })) return;
  drained_ = true;
  for (auto& stream : streams_) {
    if (!stream->receiver) continue;
    stream->receiver->Drain();
    stream->figures->overflows.Set(stream->receiver->Overflows() - stream->overflows_before);
    stream->figures->stamps_discarded.Set(stream->receiver->discarded_stamps());
  }
  loop_->Stop();
}

}  // namespace corerig
