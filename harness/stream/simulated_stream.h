// One stream without processes, kernel or waiting: an Emitter, a channel made of memory and a Matcher on a clock that
// the test moves.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include "harness/stream/emitter.h"
#include "harness/stream/matcher.h"
#include "harness/stream/test_sensor.h"

namespace corerig {

inline constexpr Nanos kMillisecond = std::chrono::milliseconds(1);

struct SimulationSettings {
  ChannelKind channel = ChannelKind::kSeqpacket;
  std::string format = "message";
  std::vector<FaultPlan> faults = {};
  Nanos warmup = 10 * kMillisecond;
  Nanos duration = 100 * kMillisecond;
  std::uint64_t seed = 42;
  std::size_t ring_capacity = 1024;
  bool stamps = true;  // the channel stamps messages
  StreamBreak at_break = {};
  bool limits = true;                           // the receiver knows the sensor's limits
  std::function<bool(std::uint64_t)> gap = {};  // whether the sensor delivers nothing at this sample
  Pace pace = Pace::kRealTime;
};

// The test sensor, which leaves samples out.
class GappyModel final : public SensorModel {
 public:
  GappyModel(const SensorContext& context, std::function<bool(std::uint64_t)> gap)
      : model_(MakeTestModel(context)), gap_(std::move(gap)) {}
  EncodedFrame Encode(std::uint64_t sequence, std::span<std::byte> out) override {
    return EncodeFalsified(sequence, {}, out);
  }
  EncodedFrame EncodeFalsified(std::uint64_t sequence, const Falsification& falsified,
                               std::span<std::byte> out) override {
    return gap_ && gap_(sequence) ? EncodedFrame{} : model_->EncodeFalsified(sequence, falsified, out);
  }

 private:
  const std::unique_ptr<SensorModel> model_;
  const std::function<bool(std::uint64_t)> gap_;
};

class SimulatedStream {
 public:
  static constexpr Nanos kStart{1'000'000'000};

  explicit SimulatedStream(const SimulationSettings& settings)
      : settings_(settings),
        ring_memory_(std::aligned_alloc(64, TruthRing::SizeFor(settings.ring_capacity)), &std::free) {
    std::memset(ring_memory_.get(), 0, TruthRing::SizeFor(settings.ring_capacity));
    plan_.seed = settings.seed;
    plan_.warmup = settings.warmup;
    plan_.duration = settings.duration;
    StreamPlan stream;
    stream.name = "imu";
    stream.rate = Rate::Hertz(1000);
    stream.format = settings.format;
    stream.channel = settings.channel;
    stream.faults = settings.faults;
    stream.pace = settings.pace;
    plan_.streams = {stream};
    control_.window_begin = (kStart + plan_.warmup).count();
    control_.window_end = (kStart + plan_.warmup + plan_.duration).count();
    control_.drain_end = control_.window_end + 1'000'000'000;
    const SensorContext context{.seed = 42, .stream_id = 1, .rate = stream.rate, .format = settings_.format};
    model_ = std::make_unique<GappyModel>(context, settings.gap);
    decoder_ = MakeTestDecoder(context);
    clock() = kStart;
    emitter_ = std::make_unique<Emitter>(
        plan_, plan_.streams[0], kStart, control_, *model_, kTestFrameSize,
        Emitter::Output{.ring = &ring(),
                        .ring_capacity = settings.ring_capacity,
                        .figures = &source,
                        .send = [this](std::span<const std::byte> frame) { return Send(frame); },
                        .now = &Now,
                        .room = {},
                        .settled = &handler.settled});
    matcher_ = std::make_unique<Matcher>(control_, Matcher::Source{&ring(), settings.ring_capacity}, this->stream(),
                                         settings.limits ? TestLimits(context) : ValueLimits(), *decoder_, turn,
                                         handler, &Now, settings.at_break);
  }

  // Time goes on by a microsecond at every reading.
  static Nanos& clock() {
    static Nanos now;
    return now;
  }
  static Nanos Now() { return clock() += std::chrono::microseconds(1); }

  const Plan& plan() const { return plan_; }
  const StreamPlan& stream() const { return plan_.streams[0]; }
  TruthRing& ring() { return *static_cast<TruthRing*>(ring_memory_.get()); }
  ControlPage& control() { return control_; }
  StreamSchedule schedule() const { return ScheduleOf(plan_, stream(), kStart); }
  SampleRange window() const { return schedule().DueIn(Nanos(control_.window_begin), Nanos(control_.window_end)); }

  // Does what the emitter has to do next, when it is to be done or `late` after it: the next sample, or a frame that
  // was held back.
  void Emit(Nanos late = Nanos(0)) {
    clock() = std::max(clock(), emitter_->next_event() + late);
    emitter_->Advance();
  }
  bool emitting() const { return emitter_->next_event() < Nanos::max(); }
  Emitter& emitter() { return *emitter_; }

  // What a send call does to a frame; nothing set: the channel takes it whole.
  struct Fate {
    std::size_t taken = SIZE_MAX;  // at most
    bool lost = false;             // taken, but it never arrives
    bool gone = false;             // the receiver is
  };
  std::function<Fate()> next_fate = [] { return Fate{}; };

  // What the loop does now and then, also while nothing arrives.
  void Look() { matcher_->Look(); }
  // Hands over everything the channel holds; a byte channel's in pieces of at most `piece` bytes.
  void Receive(std::size_t piece = SIZE_MAX, std::size_t arrivals = SIZE_MAX) {
    if (IsDatagram(settings_.channel)) {
      for (; !messages.empty() && arrivals > 0; --arrivals) {
        const Message message = messages.front();
        messages.pop_front();
        matcher_->OnArrival({.bytes = message.bytes, .offset = 0, .kernel_stamp = message.stamp, .begin = Now()});
      }
      return;
    }
    for (; !bytes.empty() && arrivals > 0; --arrivals) {
      const std::vector<std::byte> now(bytes.begin(), bytes.begin() + std::min(piece, bytes.size()));
      bytes.erase(bytes.begin(), bytes.begin() + now.size());
      matcher_->OnArrival({.bytes = now, .offset = received_, .kernel_stamp = {}, .begin = Now()});
      received_ += now.size();
    }
  }
  // Ends the run: what the channel still holds is unread.
  void Finish(std::size_t piece = SIZE_MAX) {
    emitter_->End();
    matcher_->BeginDrain();
    Receive(piece);
    matcher_->Finish(schedule());
  }
  // All samples, each received before the next is sent.
  void RunAll(std::size_t piece = SIZE_MAX) {
    while (emitting()) {
      Emit();
      Receive(piece);
    }
    Finish(piece);
  }

  struct Message {
    std::vector<std::byte> bytes;
    std::optional<Nanos> stamp;
  };
  std::deque<Message> messages;  // in the channel
  std::deque<std::byte> bytes;   // in the channel
  SourceStream source;
  HandlerStream handler;
  LoopTurn turn;  // of the loop that receives: moved by the test

 private:
  Result<std::size_t> Send(std::span<const std::byte> frame) {
    const Fate fate = next_fate();
    if (fate.gone) return Fail("gone");
    const std::size_t taken = std::min(fate.taken, frame.size());
    if (IsDatagram(settings_.channel)) {
      if (taken < frame.size()) return 0;
      if (!fate.lost) {
        messages.push_back({{frame.begin(), frame.end()}, settings_.stamps ? std::optional(Now()) : std::nullopt});
      }
    } else {
      bytes.insert(bytes.end(), frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    return taken;
  }

  const SimulationSettings settings_;
  std::unique_ptr<void, decltype(&std::free)> ring_memory_;
  Plan plan_;
  ControlPage control_;
  std::unique_ptr<SensorModel> model_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<Emitter> emitter_;
  std::unique_ptr<Matcher> matcher_;
  std::uint64_t received_ = 0;
};

// All counts of a stream, to compare and to print.
struct Counts {
  std::uint64_t sent = 0, received = 0, duplicated = 0, reordered = 0, corrupt = 0, lost = 0, lost_injected = 0,
                unread = 0, ambiguous = 0, truth_lost = 0, done = 0, overruns = 0;
  bool operator==(const Counts&) const = default;
};

inline Counts CountsOf(const SourceStream& source, const HandlerStream& handler) {
  return {.sent = source.sent.Get(),
          .received = handler.received.Get(),
          .duplicated = handler.duplicated.Get(),
          .reordered = handler.reordered.Get(),
          .corrupt = handler.corrupt.Get(),
          .lost = handler.lost.Get(),
          .lost_injected = handler.lost_injected.Get(),
          .unread = handler.unread.Get(),
          .ambiguous = handler.ambiguous.Get(),
          .truth_lost = handler.truth_lost.Get(),
          .done = handler.done.Get(),
          .overruns = source.overruns.Get()};
}
inline Counts CountsOf(const SimulatedStream& stream) { return CountsOf(stream.source, stream.handler); }

inline bool AddsUp(const Counts& c) {
  return c.sent == c.received - c.duplicated + c.lost + c.unread && c.done == c.received - c.duplicated;
}

inline std::ostream& operator<<(std::ostream& out, const Counts& c) {
  return out << "sent " << c.sent << " received " << c.received << " duplicated " << c.duplicated << " reordered "
             << c.reordered << " corrupt " << c.corrupt << " lost " << c.lost << " (injected " << c.lost_injected
             << ") unread " << c.unread << " ambiguous " << c.ambiguous << " truth_lost " << c.truth_lost << " done "
             << c.done << " overruns " << c.overruns;
}

struct FaultCounts {
  std::uint64_t injected = 0, detected = 0, undetected = 0, undetectable = 0, ambiguous = 0;
  bool operator==(const FaultCounts&) const = default;
};

inline FaultCounts FaultOf(const SourceStream& source, const HandlerStream& handler, std::size_t index) {
  const FoundFault& found = handler.faults[index];
  return {.injected = source.faults[index].samples.Get(),
          .detected = found.detected.Get(),
          .undetected = found.undetected.Get(),
          .undetectable = found.undetectable.Get(),
          .ambiguous = found.ambiguous.Get()};
}

// Of all faults of one kind.
inline FaultCounts FaultsOf(const StreamPlan& stream, const SourceStream& source, const HandlerStream& handler,
                            FaultKind kind) {
  FaultCounts sum;
  for (std::size_t i = 0; i < stream.faults.size(); ++i) {
    if (stream.faults[i].kind != kind) continue;
    const FaultCounts one = FaultOf(source, handler, i);
    sum.injected += one.injected;
    sum.detected += one.detected;
    sum.undetected += one.undetected;
    sum.undetectable += one.undetectable;
    sum.ambiguous += one.ambiguous;
  }
  return sum;
}
inline FaultCounts FaultsOf(const SimulatedStream& stream, FaultKind kind) {
  return FaultsOf(stream.stream(), stream.source, stream.handler, kind);
}

inline bool AddsUp(const FaultCounts& f) {
  return f.injected == f.detected + f.undetected && f.undetectable + f.ambiguous <= f.undetected;
}

inline std::ostream& operator<<(std::ostream& out, const FaultCounts& f) {
  return out << "injected " << f.injected << " detected " << f.detected << " undetected " << f.undetected
             << " (undetectable " << f.undetectable << ", ambiguous " << f.ambiguous << ")";
}

}  // namespace corerig
