// One stream's emission: encodes ahead, injects faults, publishes the truth and sends, sample by sample.
//
//   Emitter emitter(plan, stream, start, control, *model, 64, output);   // where truth, figures and frames go
//   emitter.Prepare();                                  // while waiting
//   if (MonotonicNow() >= emitter.next_due()) emitter.Emit();
//
// Who calls decides when: this takes no time of its own but the clock reading before each send.
#pragma once

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

  // Emits the next sample: sends it, twice, or not at all, or holds it back, as its fault wants; then sends the sample
  // before it if that one was held back. Where the sensor delivers nothing there is no sample: no fault meets it, and
  // what is held back waits on.
  void Emit();

  // A frame is held back, to be sent after the next sample's.
  bool holding() const { return holding_; }
  // Sends it without waiting for the next sample.
  void Release();

 private:
  struct Frame {
    std::uint64_t sequence = 0;
    Nanos due{0};
    EncodedFrame encoded;
    std::uint64_t gaps = 0;  // in the window, before it
    std::vector<std::byte> bytes;
  };
  void Put(const Frame& frame, std::uint32_t flags);
  void Advance();  // to the next sample

  const StreamPlan& stream_;
  const std::uint64_t seed_;
  const StreamSchedule schedule_;
  const std::uint64_t first_in_window_;
  const Nanos period_;
  const ControlPage& control_;
  SensorModel& model_;
  Output output_;

  std::uint64_t next_ = 0;  // sequence
  Nanos due_;
  std::uint64_t offset_ = 0;  // bytes the channel took so far
  Nanos encode_time_{0};
  bool prepared_ = false, holding_ = false;
  Frame frame_, held_;
  std::optional<FaultKind> fault_;  // of frame_
};

}  // namespace corerig
