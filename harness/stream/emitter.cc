#include "harness/stream/emitter.h"

#include <utility>

namespace corerig {
namespace {

// How many frames wait at most: those due within the longest delay (a fast clock of the sensor's makes a few more), the
// one at hand and one to be reordered.
std::size_t MostWaiting(const StreamPlan& stream, Nanos longest_delay) {
  const std::uint64_t held = MostFramesWithin(stream, longest_delay);
  return static_cast<std::size_t>(held + held / 100) + 4;
}

}  // namespace

Emitter::Emitter(const Plan& plan, const StreamPlan& stream, Nanos start, const ControlPage& control,
                 SensorModel& model, std::size_t max_frame_size, Output output)
    : faults_(plan, stream),
      schedule_(ScheduleOf(plan, stream, start)),
      period_(FrameRate(stream).OffsetOf(1)),
      control_(control),
      model_(model),
      output_(std::move(output)),
      due_(schedule_.DueOf(0)),
      frames_(MostWaiting(stream, faults_.LongestDelay())) {
  frame_.bytes.resize(max_frame_size);
  held_.bytes.resize(max_frame_size);
  for (Frame& frame : frames_) frame.bytes.resize(max_frame_size);
}

void Emitter::Prepare() {
  if (prepared_) return;
  const Nanos begin = output_.now();
  auto hit = faults_.Of(next_);
  // There is one place to hold a frame back, and two frames swapped in a row would be in order again.
  if (hit && hit->kind == FaultKind::kReorder && holding_) hit.reset();
  Encode(hit);
  prepared_ = true;
  encode_time_ = std::max(encode_time_, output_.now() - begin);
}

void Emitter::Encode(const std::optional<Faults::Hit>& hit) {
  frame_.sequence = next_;
  frame_.gaps = static_cast<std::uint32_t>(output_.figures->gaps.Get());
  frame_.due = frame_.release = due_;
  frame_.fault = hit ? static_cast<std::uint8_t>(hit->index + 1) : std::uint8_t{0};
  frame_.flags = 0;
  frame_.twice = reorder_ = false;
  const auto falsified = hit && InfoOf(hit->kind).falsifies ? hit : faults_.FalsifiedBy(next_);
  if (falsified) {
    frame_.flags = kTruthFalsified;
    frame_.encoded = model_.EncodeFalsified(next_, faults_.FalsificationOf(*falsified, next_), frame_.bytes);
  } else {
    frame_.encoded = model_.Encode(next_, frame_.bytes);
  }
  frame_.size = frame_.encoded.size;
  if (!hit || frame_.size == 0) return;
  switch (hit->kind) {
    case FaultKind::kOff:
    case FaultKind::kIntermittent:
    case FaultKind::kSlow:
    case FaultKind::kDrop:
      frame_.flags |= kTruthUnsent;
      break;
    case FaultKind::kDuplicate:
      frame_.twice = true;
      break;
    case FaultKind::kReorder:
      reorder_ = true;
      break;
    case FaultKind::kBitFlip:
    case FaultKind::kTruncate:
    case FaultKind::kGarbage:
      frame_.flags |= kTruthSpoiled;
      frame_.size = faults_.Spoil(*hit, next_, std::span(frame_.bytes).first(frame_.encoded.size));
      break;
    case FaultKind::kDelayed:
    case FaultKind::kBurst:
    case FaultKind::kJitter:
      frame_.release = due_ + faults_.DelayOf(*hit, next_);
      break;
    case FaultKind::kStuck:
    case FaultKind::kWrong:
    case FaultKind::kDrift:
      break;
  }
}

void Emitter::Advance() {
  if (next_release() <= due_ || !samples_left()) {
    if (waiting_ > 0) SendFirst();
    return;
  }
  Prepare();
  const Nanos due = due_;
  if (frame_.size == 0) {
    if (control_.InWindow(due)) output_.figures->gaps.Add();
  } else if (reorder_) {
    std::swap(frame_, held_);
    holding_ = true;
  } else {
    const Nanos release = frame_.release;
    Queue(frame_, release);
    if (std::exchange(holding_, false)) Queue(held_, release);
  }
  ++next_;
  due_ = schedule_.DueOf(next_);
  prepared_ = false;
  while (next_release() <= due) SendFirst();
}

void Emitter::Queue(Frame& frame, Nanos release) {
  if (waiting_ == frames_.size()) SendFirst();
  latest_release_ = std::max(latest_release_, release);
  frame.release = latest_release_;
  if (frame.release > frame.due) frame.flags |= kTruthHeld;
  std::swap(frame, frames_[(first_waiting_ + waiting_++) % frames_.size()]);
}

void Emitter::SendFirst() {
  const Frame& frame = frames_[first_waiting_];
  first_waiting_ = (first_waiting_ + 1) % frames_.size();
  --waiting_;
  Put(frame, frame.twice ? 0 : frame.fault, frame.flags);
  if (frame.twice) Put(frame, frame.fault, frame.flags | kTruthCopy);
}

void Emitter::Release() {
  const Nanos now = output_.now();
  if (std::exchange(holding_, false)) Queue(held_, now);
  while (waiting_ > 0) {
    frames_[first_waiting_].release = std::min(frames_[first_waiting_].release, now);
    SendFirst();
  }
}

void Emitter::Put(const Frame& frame, std::uint8_t fault, std::uint8_t flags) {
  const bool sends = (flags & kTruthUnsent) == 0, copy = (flags & kTruthCopy) != 0;
  const Truth truth{.sequence = frame.sequence,
                    .due = frame.due,
                    .release = frame.release,
                    .sent = output_.now(),
                    .wire_key = frame.encoded.wire_key,
                    .offset = offset_,
                    .size = sends ? static_cast<std::uint32_t>(frame.size) : 0,
                    .flags = flags,
                    .fault = fault,
                    .value = frame.encoded.value,
                    .gaps = frame.gaps};
  output_.ring->Append(truth, output_.ring_capacity);
  std::size_t taken = 0;
  bool heard = true;
  if (sends) {
    // A broken channel takes nothing: the receiver is gone, and its own end tells why.
    const auto answer = output_.send(std::span(frame.bytes).first(frame.size));
    heard = answer.has_value();
    taken = answer.value_or(0);
    offset_ += taken;
    if (taken == frame.size) output_.figures->frames_in_all.Add();
    output_.figures->bytes_in_all.Set(offset_);
  }

  SourceStream& figures = *output_.figures;
  if (!control_.InWindow(frame.due)) return;
  figures.bytes.Add(taken);
  if (fault != 0) {
    InjectedFault& injected = figures.faults[fault - 1u];
    injected.samples.Add();
    if (injected.first_due.Get() == 0) injected.first_due.Set(static_cast<std::uint64_t>(frame.due.count()));
  }
  if (copy) return;
  figures.sent.Add();
  if (sends && taken < frame.size) figures.overruns.Add();
  if (!heard) figures.unheard.Add();
  if (truth.sent - truth.release > period_) figures.late.Add();
  figures.lateness.Record(truth.sent - truth.release);
}

}  // namespace corerig
