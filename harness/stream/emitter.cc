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
      frames_(MostWaiting(stream, faults_.LongestDelay())),
      lossless_(stream.pace == Pace::kLossless),
      last_{.due = due_} {
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
  while (next_release() <= due && SendFirst()) {
  }
}

void Emitter::Queue(Frame& frame, Nanos release) {
  if (waiting_ == frames_.size()) SendFirst();
  latest_release_ = std::max(latest_release_, release);
  frame.release = latest_release_;
  if (frame.release > frame.due) frame.flags |= kTruthHeld;
  std::swap(frame, frames_[(first_waiting_ + waiting_++) % frames_.size()]);
}

bool Emitter::SendFirst() {
  const Frame& frame = frames_[first_waiting_];
  if (!offer_.first_copy && !Put(frame, frame.twice ? 0 : frame.fault, frame.flags)) return false;
  offer_.first_copy = frame.twice;
  if (frame.twice && !Put(frame, frame.fault, frame.flags | kTruthCopy)) return false;
  offer_.first_copy = false;
  first_waiting_ = (first_waiting_ + 1) % frames_.size();
  --waiting_;
  return true;
}

void Emitter::Release() {
  const Nanos now = output_.now();
  if (std::exchange(holding_, false)) Queue(held_, now);
  while (waiting_ > 0) {
    frames_[first_waiting_].release = std::min(frames_[first_waiting_].release, now);
    if (!SendFirst()) return;
  }
}

Truth Emitter::TruthOf(const Frame& frame, std::uint8_t fault, std::uint8_t flags) const {
  return {.sequence = frame.sequence,
          .due = frame.due,
          .release = frame.release,
          .wire_key = frame.encoded.wire_key,
          .offset = offset_,
          .size = (flags & kTruthUnsent) == 0 ? static_cast<std::uint32_t>(frame.size) : 0,
          .flags = flags,
          .fault = fault,
          .value = frame.encoded.value,
          .gaps = frame.gaps};
}

bool Emitter::Put(const Frame& frame, std::uint8_t fault, std::uint8_t flags) {
  if (lossless_) return Offer(frame, fault, flags);
  const bool sends = (flags & kTruthUnsent) == 0, copy = (flags & kTruthCopy) != 0;
  Truth truth = TruthOf(frame, fault, flags);
  truth.sent = output_.now();
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
  if (!control_.InWindow(frame.due)) return true;
  SourceStream& figures = *output_.figures;
  figures.bytes.Add(taken);
  const Nanos lateness = truth.sent - truth.release;
  CountSent(frame, fault, copy, lateness, lateness > period_);
  if (copy) return true;
  if (sends && taken < frame.size) figures.overruns.Add();
  if (!heard) figures.unheard.Add();
  return true;
}

// Of a frame due in the window.
void Emitter::CountSent(const Frame& frame, std::uint8_t fault, bool copy, Nanos lateness, bool late) {
  SourceStream& figures = *output_.figures;
  if (fault != 0) {
    InjectedFault& injected = figures.faults[fault - 1u];
    injected.samples.Add();
    if (injected.first_due.Get() == 0) injected.first_due.Set(static_cast<std::uint64_t>(frame.due.count()));
  }
  if (copy) return;
  figures.sent.Add();
  if (late) figures.late.Add();
  figures.lateness.Record(lateness);
}

// Offers what of the frame has not been taken. The truth is published with the first offer, before it; it is told anew
// when the frame is offered again, before its first byte is taken.
bool Emitter::Offer(const Frame& frame, std::uint8_t fault, std::uint8_t flags) {
  const bool sends = (flags & kTruthUnsent) == 0, copy = (flags & kTruthCopy) != 0;
  SourceStream& figures = *output_.figures;
  const Nanos now = output_.now();
  CountBlocked(now);
  if (!offer_.begun && !TruthHasRoom()) return Block(now, false);
  if (offer_.taken == 0) {
    offer_.sent = now;
    offer_.own = OwnDelay(frame.due, now);
    if (offer_.begun) {
      output_.ring->Restamp(frame.due + offer_.own, now, output_.ring_capacity);
    } else {
      Truth truth = TruthOf(frame, fault, flags);
      truth.release = frame.due + offer_.own;
      truth.sent = now;
      output_.ring->Append(truth, output_.ring_capacity);
      offer_.begun = true;
    }
  }
  if (sends) {
    const auto answer = output_.send(std::span(frame.bytes).first(frame.size).subspan(offer_.taken));
    const std::size_t taken = answer.value_or(0);
    offset_ += taken;
    figures.bytes_in_all.Set(offset_);
    if (control_.InWindow(frame.due)) figures.bytes.Add(taken);
    // Without a receiver it waits for one, who is to begin at a frame's border.
    offer_.taken = answer ? offer_.taken + taken : 0;
    if (offer_.taken < frame.size) return Block(now, answer && (taken > 0 || !told_));
    figures.frames_in_all.Add();
    if (!copy && control_.InWindow(now)) figures.taken_in_window.Add();
    sent_end_ = output_.ring->published();
  }
  if (control_.InWindow(frame.due)) {
    const Nanos lateness = offer_.sent - frame.due;
    CountSent(frame, fault, copy, lateness, offer_.own > period_ && IsOwnDoing(lateness, offer_.own));
  }
  last_ = {.due = frame.due, .out = now, .own = offer_.own};
  offer_ = {.first_copy = offer_.first_copy};
  blocked_ = told_ = false;
  return true;
}

// Room for one more truth. Where none of what was sent is under way any more, there is nothing to wait for.
bool Emitter::TruthHasRoom() const {
  if (output_.settled == nullptr) return true;
  const std::uint64_t published = output_.ring->published();
  // As the handler tells it: it may be wrong.
  const std::uint64_t settled = std::min(published, output_.settled->load(std::memory_order_acquire));
  return published - settled < output_.ring_capacity || settled >= sent_end_;
}

bool Emitter::Block(Nanos now, bool told_by_descriptor) {
  if (!std::exchange(blocked_, true)) blocked_until_ = now;
  look_at_ = now + kLook;
  // One that said there was room when there was none would say so for ever.
  polls_ = told_by_descriptor;
  told_ = false;
  return false;
}

void Emitter::CountBlocked(Nanos until) {
  if (!blocked_) return;
  offer_.blocked += until - blocked_until_;
  const Nanos begin = std::max(blocked_until_, Nanos(control_.window_begin.load(std::memory_order_relaxed)));
  const Nanos end = std::min(until, Nanos(control_.window_end.load(std::memory_order_relaxed)));
  if (end > begin) output_.figures->blocked_ns.Add(static_cast<std::uint64_t>((end - begin).count()));
  blocked_until_ = until;
}

Nanos Emitter::OwnDelay(Nanos due, Nanos sent) const {
  const Nanos left = std::max(Nanos(0), last_.own - (due - last_.due));
  return left + std::max(Nanos(0), sent - std::max(due, last_.out) - offer_.blocked);
}

pollfd Emitter::Room() const {
  return blocked_ && polls_ && output_.room ? output_.room() : pollfd{.fd = -1, .events = 0, .revents = 0};
}

void Emitter::OnRoom() {
  look_at_ = Nanos(0);
  told_ = true;
}

void Emitter::End() {
  if (lossless_) {
    const Nanos now = output_.now();
    CountBlocked(now);
    if (offer_.begun) output_.ring->Withdraw(output_.ring_capacity);
    CountBacklog(now);
    blocked_ = false;
  }
  output_.ring->Close();
}

// Most of the lateness is not the wait for room. Where that is longer the receiver was the limit, however busy we were.
bool Emitter::IsOwnDoing(Nanos lateness, Nanos own) { return own > lateness - own; }

// Of what was due in the window and is not sent, as much as the source would have sent had it never been blocked. The
// rest is its own doing, and stays unexplained here.
void Emitter::CountBacklog(Nanos now) {
  std::uint64_t left = 0;
  for (std::size_t i = 0; i < waiting_; ++i)
    left += control_.InWindow(Waiting(i).due) && !(i == 0 && offer_.first_copy);
  const SampleRange window = schedule_.DueIn(Nanos(control_.window_begin.load(std::memory_order_relaxed)),
                                             Nanos(control_.window_end.load(std::memory_order_relaxed)));
  const std::uint64_t end = window.first + window.count;
  if (end > next_) left += end - std::max(next_, window.first);
  const Nanos due = waiting_ > 0 ? Waiting(0).due : due_, own = OwnDelay(due, now);
  if (IsOwnDoing(now - due, own)) left -= std::min(left, static_cast<std::uint64_t>(own / period_));
  output_.figures->backlog.Set(left);
}

}  // namespace corerig
