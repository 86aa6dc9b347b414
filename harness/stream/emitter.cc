#include "harness/stream/emitter.h"

#include <algorithm>
#include <utility>

#include "harness/stream/faults.h"

namespace corerig {

Emitter::Emitter(const Plan& plan, const StreamPlan& stream, Nanos start, const ControlPage& control,
                 SensorModel& model, std::size_t max_frame_size, Output output)
    : stream_(stream),
      seed_(plan.seed),
      schedule_(ScheduleOf(plan, stream, start)),
      first_in_window_(Expected(plan, stream, plan.warmup, plan.warmup + plan.duration).first),
      period_(FrameRate(stream).OffsetOf(1)),
      control_(control),
      model_(model),
      output_(std::move(output)),
      due_(schedule_.DueOf(0)) {
  frame_.bytes.resize(max_frame_size);
  held_.bytes.resize(max_frame_size);
}

void Emitter::Prepare() {
  if (prepared_) return;
  const Nanos begin = output_.now();
  frame_.sequence = next_;
  frame_.due = due_;
  frame_.encoded = model_.Encode(next_, frame_.bytes);
  frame_.gaps = output_.figures->gaps.Get();
  fault_ = FaultOf(stream_, seed_, next_, first_in_window_);
  // There is one place to hold a frame back, and two frames swapped in a row would be in order again.
  if (fault_ == FaultKind::kReorder && holding_) fault_.reset();
  if (fault_ == FaultKind::kBitFlip) {
    FlipOneBit(stream_, seed_, next_, std::span(frame_.bytes).first(frame_.encoded.size));
  }
  prepared_ = true;
  encode_time_ = std::max(encode_time_, output_.now() - begin);
}

void Emitter::Emit() {
  Prepare();
  if (frame_.encoded.size == 0) {
    if (control_.InWindow(frame_.due)) output_.figures->gaps.Add();
    return Advance();
  }
  const bool release = holding_;
  if (!fault_) {
    Put(frame_, 0);
  } else {
    switch (*fault_) {
      case FaultKind::kDrop:
        Put(frame_, kTruthDropped);
        break;
      case FaultKind::kDuplicate:
        Put(frame_, 0);
        Put(frame_, kTruthDuplicate);
        break;
      case FaultKind::kReorder:
        std::swap(frame_, held_);
        holding_ = true;
        break;
      case FaultKind::kBitFlip:
        Put(frame_, kTruthBitFlipped);
        break;
    }
  }
  if (release) Release();
  Advance();
}

void Emitter::Advance() {
  ++next_;
  due_ = schedule_.DueOf(next_);
  prepared_ = false;
}

void Emitter::Release() {
  if (!holding_) return;
  holding_ = false;
  Put(held_, kTruthReordered);
}

void Emitter::Put(const Frame& frame, std::uint32_t flags) {
  const bool sends = (flags & kTruthDropped) == 0, copy = (flags & kTruthDuplicate) != 0;
  const Truth truth{.sequence = frame.sequence,
                    .due = frame.due,
                    .sent = output_.now(),
                    .wire_key = frame.encoded.wire_key,
                    .offset = offset_,
                    .size = sends ? static_cast<std::uint32_t>(frame.encoded.size) : 0,
                    .flags = flags,
                    .value = frame.encoded.value,
                    .gaps = frame.gaps};
  output_.ring->Append(truth, output_.ring_capacity);
  std::size_t taken = 0;
  bool heard = true;
  if (sends) {
    // A broken channel takes nothing: the receiver is gone, and its own end tells why.
    const auto answer = output_.send(std::span(frame.bytes).first(frame.encoded.size));
    heard = answer.has_value();
    taken = answer.value_or(0);
    offset_ += taken;
    if (taken == frame.encoded.size) output_.figures->frames_in_all.Add();
    output_.figures->bytes_in_all.Set(offset_);
  }

  SourceStream& figures = *output_.figures;
  if (!control_.InWindow(frame.due)) return;
  figures.bytes.Add(taken);
  const auto injected = [&](TruthFlag flag, FaultKind kind) {
    if (flags & flag) figures.injected[static_cast<std::size_t>(kind)].Add();
  };
  injected(kTruthDropped, FaultKind::kDrop);
  injected(kTruthDuplicate, FaultKind::kDuplicate);
  injected(kTruthReordered, FaultKind::kReorder);
  injected(kTruthBitFlipped, FaultKind::kBitFlip);
  if (copy) return;
  figures.sent.Add();
  if (sends && taken < frame.encoded.size) figures.overruns.Add();
  if (!heard) figures.unheard.Add();
  if ((flags & kTruthReordered) != 0) return;
  if (truth.sent - truth.due > period_) figures.late.Add();
  figures.lateness.Record(truth.sent - truth.due);
}

}  // namespace corerig
