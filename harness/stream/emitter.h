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
//
// Of a lossless stream a frame that the channel does not take, or not whole, is offered again until it is taken:
// blocked() then, and no further sample is taken up. Those behind it become due meanwhile and are encoded only when it
// is their turn, so waiting takes no memory, however long. How much later they are sent for that is not the source's
// own delay. That one is, by the recursion of Lindley (1952) for a queue with one server, what it would have been
// without the times it was blocked:
//
//   own(n) = max(0, own(n - 1) - (due(n) - due(n - 1))) + (sent(n) - max(due(n), sent(n - 1)) - blocked in between)
#pragma once

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
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
    // Of a lossless stream: what to poll for room once `send` took less than all, and HandlerStream::settled, where a
    // handler receives it.
    std::function<pollfd()> room = {};
    const std::atomic<std::uint64_t>* settled = nullptr;
  };
  // A blocked frame is offered again after this, also where nothing tells of room: a reader that comes, a disk, the
  // slave of a pty, which tells only when it is nearly empty.
  static constexpr Nanos kLook = std::chrono::milliseconds(1);

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
  Nanos next_event() const {
    if (blocked_) return look_at_;
    return std::min(samples_left() ? due_ : Nanos::max(), next_release());
  }
  // Of the frames held back for a time; Nanos::max() if there are none.
  Nanos next_release() const { return waiting_ > 0 ? Waiting(0).release : Nanos::max(); }
  // Does what is next: sends the frames whose time has come; or takes the next sample, and sends it, twice, or not at
  // all, or holds it back, as its fault wants. Where the sensor delivers nothing there is no sample: no fault meets it,
  // and a frame that waits to be sent after its successor's waits on.
  void Advance();

  bool lossless() const { return lossless_; }
  // A frame waits for room.
  bool blocked() const { return blocked_; }
  // What to poll for it; of no descriptor where time alone tells.
  pollfd Room() const;
  // There is some, says that descriptor: Advance at once.
  void OnRoom();

  // Nothing will be sent any more: what waits for room, or was due meanwhile, is the backlog.
  void End();

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
  // Sends the first of those that wait. False: it waits on, for room.
  bool SendFirst();
  bool Put(const Frame& frame, std::uint8_t fault, std::uint8_t flags);
  bool Offer(const Frame& frame, std::uint8_t fault, std::uint8_t flags);
  Truth TruthOf(const Frame& frame, std::uint8_t fault, std::uint8_t flags) const;
  void CountSent(const Frame& frame, std::uint8_t fault, bool copy, Nanos lateness, bool late);

  // Of a lossless stream.
  bool TruthHasRoom() const;
  bool Block(Nanos now, bool told_by_descriptor);
  void CountBlocked(Nanos until);
  Nanos OwnDelay(Nanos due, Nanos sent) const;
  static bool IsOwnDoing(Nanos lateness, Nanos own);
  void CountBacklog(Nanos now);
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

  // Of a lossless stream.
  const bool lossless_;
  struct {
    bool begun = false;       // its truth is published
    bool first_copy = false;  // of a frame to be sent twice the first is out
    std::size_t taken = 0;    // bytes
    Nanos sent{0}, own{0};
    Nanos blocked{0};  // since it was due, or the one before it was out
  } offer_;            // of the first frame that waits
  struct {
    Nanos due{0}, out{0}, own{0};
  } last_;                      // of the frame before it
  std::uint64_t sent_end_ = 0;  // the emission after the last one that was sent
  bool blocked_ = false, polls_ = false, told_ = false;
  Nanos look_at_{0};
  Nanos blocked_until_{0};  // blocked time is counted up to then
};

}  // namespace corerig
