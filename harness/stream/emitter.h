// One stream's emission: encodes ahead, injects faults, publishes the truth and sends, sample by sample.
//
//   Emitter emitter(plan, stream, start, control, *model, 64, output);   // where truth, figures and frames go
//   emitter.Prepare();                                  // while waiting
//   if (MonotonicNow() >= emitter.next_event()) emitter.Advance();
//
// Who calls decides when: this takes no time of its own but the clock reading before each send.
//
// Frames leave in the order of their samples, whatever holds one of them back: later ones wait behind it, as on a line.
// Only the fault `reorder` changes the order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/child/control.h"
#include "harness/plan/plan.h"
#include "harness/stream/faults.h"
#include "harness/stream/schedule.h"
#include "harness/stream/sensor.h"
#include "harness/stream/slabs.h"
#include "harness/stream/truth.h"

namespace corerig {

class Emitter {
 public:
  // As Send() of loop/channel.h, bound to the stream's channel.
  using SendFrame = std::function<Result<std::size_t>(std::span<const std::byte>)>;

  struct Output {
    TruthRing* ring;
    std::size_t ring_capacity;
    SourceStream* figures;
    SendFrame send;
    Nanos (*now)();  // CLOCK_MONOTONIC
  };

  // Everything referred to outlives it; `control` has the start's instants already.
  Emitter(const Plan& plan, const StreamPlan& stream, Nanos start, const ControlPage& control, SensorModel& model,
          std::size_t max_frame_size, Output output);

  // Of the next sample.
  Nanos next_due() const { return due_; }

  // Encodes the next sample's frame unless that is done already.
  void Prepare();
  bool prepared() const { return prepared_; }
  // The longest that encoding one frame has taken so far.
  Nanos encode_time() const { return encode_time_; }

  // When there is something to do next: a sample that is due, or a frame that was held back until then. Nanos::max() if
  // all samples due in the window are sent.
  Nanos next_event() const { return std::min(samples_left() ? due_ : Nanos::max(), next_release()); }
  // Of the frames held back for a time; Nanos::max() if there are none.
  Nanos next_release() const { return waiting_ > 0 ? Waiting(0).release : Nanos::max(); }
  // Does what is next: sends the frames whose time has come; or takes the next sample, and sends it, twice, or not at
  // all, or holds it back, as its fault wants. Where the sensor delivers nothing there is no sample: no fault meets it,
  // and a frame that waits to be sent after its successor's waits on.
  void Advance();

  // A frame is held back, to be sent after the next sample's.
  bool holding() const { return holding_; }
  // Sends all frames that are held back, without waiting any longer.
  void Release();

 private:
  struct Frame {
    std::uint64_t sequence = 0;
    Nanos due{0}, release{0};
    std::size_t size = 0;  // of what is to be sent
    EncodedFrame encoded;
    std::uint8_t fault = 0, flags = 0;  // as in Truth
    bool twice = false;
    std::uint32_t gaps = 0;  // in the window, before it
    std::vector<std::byte> bytes;
  };
  void Encode(const std::optional<Faults::Hit>& hit);
  // Appends the frame to those that wait, not before `release`; `frame` is of no use afterwards.
  void Queue(Frame& frame, Nanos release);
  // One that is to be reordered waits for one more sample than the window has.
  bool samples_left() const { return due_.count() < control_.window_end.load(std::memory_order_relaxed) || holding_; }
  // Sends the first of those that wait.
  void SendFirst();
  void Put(const Frame& frame, std::uint8_t fault, std::uint8_t flags);
  const Frame& Waiting(std::size_t n) const { return frames_[(first_waiting_ + n) % frames_.size()]; }

  const Faults faults_;
  const StreamSchedule schedule_;
  const Nanos period_;
  const ControlPage& control_;
  SensorModel& model_;
  Output output_;

  std::uint64_t next_ = 0;  // sequence
  Nanos due_;
  std::uint64_t offset_ = 0;  // bytes the channel took so far
  Nanos encode_time_{0};
  bool prepared_ = false, holding_ = false;
  Frame frame_;  // the next sample's
  bool reorder_ = false;
  Frame held_;  // until its successor is queued
  // A ring of frames that wait to be sent, in order; as many as delays can make it hold.
  std::vector<Frame> frames_;
  std::size_t first_waiting_ = 0, waiting_ = 0;
  Nanos latest_release_{0};
};

}  // namespace corerig
