#include "harness/stream/matcher.h"

#include <algorithm>
#include <span>

namespace corerig {
namespace {

// Channels keep the order of frames, so an emission that was passed over by a later one will not come. It is given up
// this much later, in case a transport does not quite keep it.
constexpr Nanos kGrace = std::chrono::milliseconds(250);

void AddSquare(std::atomic<double>& sum, double error) {
  sum.store(sum.load(std::memory_order_relaxed) + error * error, std::memory_order_relaxed);
}

bool Has(const Truth& truth, TruthFlag flag) { return (truth.flags & flag) != 0; }

}  // namespace

Nanos LateAfter(const StreamPlan& stream) {
  return std::clamp<Nanos>(FrameRate(stream).OffsetOf(1) / 10, std::chrono::microseconds(100),
                           std::chrono::milliseconds(1));
}

Matcher::Matcher(const ControlPage& control, Source source, const StreamPlan& stream, const ValueLimits& limits,
                 Decoder& decoder, const LoopTurn& turn, HandlerStream& figures, Nanos (*now)(),
                 const StreamBreak& at_break)
    : control_(control),
      source_(source),
      stream_(stream),
      datagrams_(IsDatagram(stream.channel)),
      lossless_(stream.pace == Pace::kLossless),
      late_after_(LateAfter(stream)),
      can_repeat_(limits.repeats == 0),
      decoder_(decoder),
      turn_(turn),
      figures_(figures),
      now_(now),
      break_(at_break),
      emissions_(source.capacity),
      watch_(limits) {}

void Matcher::OnArrival(const Arrival& arrival) {
  TakeTruths();
  figures_.bytes_in_all.Add(arrival.bytes.size());
  arrival_ = &arrival;
  begin_ = arrival.begin;
  received_end_ = arrival.offset + arrival.bytes.size();
  found_frame_ = found_corrupt_ = false;
  if (lossless_ && datagrams_) {
    message_ = std::max(next_message_, head_);
    while (message_ < tail_ && At(message_).truth.size == 0) ++message_;
    next_message_ = std::min(message_ + 1, tail_);
    if (message_ == tail_) message_ = kNone;
  }
  decoder_.Feed(arrival.bytes, arrival.offset, *this);
  if (datagrams_) {
    if (!found_frame_) {
      AttributeCorruptDatagram();  // a message in which the decoder found nothing is no frame either
    } else if (found_corrupt_) {
      CountUnattributed(figures_.corrupt);
    }
  }
  arrival_ = nullptr;
  CloseSettled(arrival.begin);
}

void Matcher::Look() {
  TakeTruths();
  CloseSettled(now_());
}

void Matcher::OnFrame(const DecodedFrame& frame) {
  found_frame_ = true;
  std::uint64_t position = !datagrams_ ? FindAtOffset(frame)
                           : lossless_ ? FindInOrder(frame.wire_key)
                                       : FindDatagram(frame.wire_key);
  if (position == kNone) {
    CountUnattributed(figures_.ambiguous);
    // It may be what is left of a frame that was damaged on purpose.
    const auto is_damaged = [](const Emission& e) {
      return e.state == State::kOpen && Has(e.truth, kTruthSpoiled) && !e.ambiguous;
    };
    const std::uint64_t damaged = !datagrams_ || (message_ != kNone && !is_damaged(At(message_))) ? kNone
                                  : message_ != kNone                                             ? message_
                                                      : NearestInTime(is_damaged);
    if (damaged != kNone) At(damaged).ambiguous = true;
    begin_ = now_();
    return;
  }
  // Of two copies the one that comes first is the sample, whichever it was.
  if (position > head_ && Has(At(position).truth, kTruthCopy) && At(position - 1).state == State::kOpen &&
      At(position - 1).truth.sequence == At(position).truth.sequence) {
    At(position).answered = true;
    --position;
  }
  MatchedUpTo(position + 1);
  const Nanos done = now_();
  Count(At(position), frame, done);
  begin_ = done;
}

void Matcher::OnCorrupt(std::uint64_t begin, std::uint64_t end) {
  found_corrupt_ = true;
  if (datagrams_) return;  // counted once per datagram
  bool attributed = false;
  // The channel may have taken only part of a frame: its bytes end where the next emission's begin.
  std::uint64_t next_offset = UINT64_MAX;
  const std::uint64_t after = FirstNot([&](const Emission& emission) { return emission.truth.offset < end; });
  if (after < tail_) next_offset = At(after).truth.offset;
  for (std::uint64_t position = after; position-- > head_;) {
    Emission& emission = At(position);
    const std::uint64_t emission_end = std::min(emission.truth.offset + emission.truth.size, next_offset);
    if (emission_end > std::max(begin, emission.truth.offset) && emission.state == State::kOpen) {
      emission.corrupt = attributed = true;
      emission.found = arrival_->begin;
    }
    if (emission.truth.offset < begin) break;
    next_offset = emission.truth.offset;
  }
  if (attributed) return;
  if (begin != unattributed_end_) CountUnattributed(figures_.corrupt);
  unattributed_end_ = end;
}

void Matcher::TakeTruths() {
  const std::uint64_t published = source_.ring->published();
  if (lossless_ && tail_ > head_) {
    // The latest truth may have been read long before there was room for its frame, or withdrawn since. It is final
    // where another was published meanwhile.
    if (const auto again = source_.ring->Read(next_truth_ - 1, source_.capacity)) {
      Truth& latest = At(tail_ - 1).truth;
      latest.release = again->release;
      latest.sent = again->sent;
      latest.flags = again->flags;
    }
  }
  std::uint64_t missed = 0;
  while (next_truth_ < published) {
    const auto truth = source_.ring->Read(next_truth_, source_.capacity);
    if (!truth) {
      const std::uint64_t oldest = std::max(source_.ring->oldest(source_.capacity), next_truth_ + 1);
      missed += oldest - next_truth_;
      next_truth_ = oldest;
      continue;
    }
    ++next_truth_;
    if (missed > 0) {
      truths_missed_ = true;
      const bool before_window = truth->due.count() < control_.window_begin.load(std::memory_order_relaxed);
      const bool after_window =
          any_truth_ && latest_due_.count() >= control_.window_end.load(std::memory_order_relaxed);
      if (!before_window && !after_window) figures_.truth_lost.Add(missed);
      missed = 0;
    }
    any_truth_ = true;
    latest_due_ = truth->due;
    highest_taken_ = std::max(highest_taken_, truth->sequence);
    gaps_taken_ = std::max<std::uint64_t>(gaps_taken_, truth->gaps);
    if (!Has(*truth, kTruthCopy) && control_.InWindow(truth->due)) ++samples_taken_;
    if (tail_ - head_ == emissions_.size()) Close(At(head_++));
    At(tail_++) = Emission{.truth = *truth};
  }
}

void Matcher::CloseSettled(Nanos now) {
  while (head_ < tail_) {
    const Emission& emission = At(head_);
    if (emission.state == State::kOpen && !IsPassed(emission, now)) break;
    Close(emission);
    ++head_;
  }
  figures_.settled.store(next_truth_ - (tail_ - head_), std::memory_order_release);
}

// Whether the oldest emission, which is open, will not come any more.
bool Matcher::IsPassed(const Emission& emission, Nanos now) const {
  const bool passed_over = head_ < latest_match_;
  if (passed_over && emission.truth.sent + kGrace < now) return true;
  const std::uint64_t half = emissions_.size() / 2;
  if (!lossless_ || tail_ - head_ <= half) return false;
  // The source waits for us. Its channel keeps the order, and what was damaged may never be matched: where it has
  // come as something else, or half of all that we keep lies behind it and was read, it is over.
  return passed_over || emission.ambiguous || (!datagrams_ && At(head_ + half).truth.offset <= received_end_);
}

void Matcher::Close(const Emission& emission) {
  const Truth& truth = emission.truth;
  if (!control_.InWindow(truth.due) || Has(truth, kTruthWithdrawn)) return;
  const bool came = emission.state == State::kGood || emission.state == State::kUnread;
  const bool corrupt = emission.corrupt && !came;
  if (corrupt) figures_.corrupt.Add();
  if (!came && !Has(truth, kTruthCopy)) {
    figures_.lost.Add();
    if (Has(truth, kTruthUnsent) || Has(truth, kTruthSpoiled)) figures_.lost_injected.Add();
  }
  if (truth.fault != 0) Judge(emission, came, corrupt);
}

void Matcher::Judge(const Emission& emission, bool came, bool corrupt) {
  const bool good = emission.state == State::kGood;
  bool detected = false;
  switch (KindOf(emission.truth.fault)) {
    case FaultKind::kOff:
    case FaultKind::kIntermittent:
    case FaultKind::kSlow:
    case FaultKind::kDrop:
      detected = !came;
      break;
    case FaultKind::kDuplicate:
      detected = good;
      break;
    case FaultKind::kReorder:
      detected = emission.out_of_order;
      break;
    case FaultKind::kBitFlip:
    case FaultKind::kTruncate:
    case FaultKind::kGarbage:
      detected = corrupt || emission.implausible;
      break;
    case FaultKind::kStuck:
      if (good) return;  // settled with the run of values that it belongs to
      break;
    case FaultKind::kWrong:
    case FaultKind::kDrift:
      detected = emission.implausible;
      break;
    case FaultKind::kDelayed:
    case FaultKind::kBurst:
    case FaultKind::kJitter:
      detected = emission.late;
      break;
  }
  if (detected && emission.found == Nanos(0)) {
    // Given up before anything came that shows it is missing: what comes next will.
    figures_.faults[emission.truth.fault - 1u].detected.Add();
    not_yet_found_ |= 1u << (emission.truth.fault - 1u);
    return;
  }
  Settle(emission.truth.fault, detected ? std::optional(emission.found) : std::nullopt, good,
         emission.ambiguous || (!came && emission.answered && !Has(emission.truth, kTruthCopy)));
}

void Matcher::Settle(std::uint8_t fault, std::optional<Nanos> found, bool arrived, bool ambiguous) {
  FoundFault& figures = figures_.faults[fault - 1u];
  if (found) {
    figures.detected.Add();
    Found(figures, *found);
    return;
  }
  figures.undetected.Add();
  if (arrived) {
    figures.undetectable.Add();
  } else if (ambiguous) {
    figures.ambiguous.Add();
  }
}

void Matcher::Found(FoundFault& figures, Nanos at) {
  const auto instant = static_cast<std::uint64_t>(at.count());
  if (figures.first_found.Get() == 0 || instant < figures.first_found.Get()) figures.first_found.Set(instant);
}

void Matcher::FoundAtLast(Nanos at) {
  for (std::size_t i = 0; not_yet_found_ != 0; ++i, not_yet_found_ >>= 1) {
    if ((not_yet_found_ & 1) != 0) Found(figures_.faults[i], at);
  }
}

void Matcher::MatchedUpTo(std::uint64_t end) {
  FoundAtLast(arrival_->begin);
  for (std::uint64_t position = std::max(latest_match_, head_); position + 1 < end; ++position) {
    if (At(position).state == State::kOpen && At(position).found == Nanos(0)) At(position).found = arrival_->begin;
  }
  latest_match_ = std::max(latest_match_, end);
}

template <typename Before>
std::uint64_t Matcher::FirstNot(const Before& before) const {
  // Mostly it is near the latest match, and there may be thousands of emissions behind: steps that double, from there.
  std::uint64_t low = head_, high = tail_;
  const std::uint64_t near = std::clamp(latest_match_, low, high);
  for (std::uint64_t step = 1; near + step <= high; step *= 2) {
    if (!before(At(near + step - 1))) {
      high = near + step - 1;
      break;
    }
    low = near + step;
  }
  if (low == head_ && near > low) {
    for (std::uint64_t step = 1; step <= near - head_; step *= 2) {
      if (before(At(near - step))) {
        low = near - step + 1;
        break;
      }
      high = std::min(high, near - step);
    }
  }
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (before(At(middle))) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

template <typename Eligible>
std::uint64_t Matcher::NearestInTime(const Eligible& eligible) const {
  const Nanos reference = arrival_->kernel_stamp.value_or(arrival_->begin);
  // Most often all that is known was sent before.
  const bool all = tail_ > head_ && At(tail_ - 1).truth.sent <= arrival_->begin;
  const std::uint64_t end = all ? tail_ : FirstNot([&](const Emission& e) { return e.truth.sent <= arrival_->begin; });
  const std::uint64_t middle = std::min(end, FirstNot([&](const Emission& e) { return e.truth.sent <= reference; }));
  std::uint64_t nearest = kNone;
  Nanos distance = Nanos::max();
  for (std::uint64_t position = middle; position-- > head_;) {
    if (!eligible(At(position))) continue;
    nearest = position;
    distance = reference - At(position).truth.sent;
    break;
  }
  // The stamp is converted from another clock and may be a trifle too early.
  for (std::uint64_t position = middle; position < end && At(position).truth.sent - reference < distance; ++position) {
    if (eligible(At(position))) return position;
  }
  return nearest;
}

std::uint64_t Matcher::FindDatagram(std::uint64_t wire_key) const {
  const auto eligible = [wire_key](const Emission& emission) {
    return emission.state == State::kOpen && emission.truth.size > 0 && emission.truth.wire_key == wire_key;
  };
  const std::uint64_t nearest = NearestInTime(eligible);
  if (nearest == kNone || At(nearest).truth.sent <= arrival_->kernel_stamp.value_or(arrival_->begin)) return nearest;
  // It was sent after the stamp. Where one that looks the same was sent before and is still to come, it is that one:
  // its stamp was made late in the send call, and the next frame sent right after.
  for (std::uint64_t position = nearest; position-- > std::max(head_, latest_match_);) {
    if (eligible(At(position))) return position;
  }
  return nearest;
}

std::uint64_t Matcher::FindInOrder(std::uint64_t wire_key) {
  if (message_ != kNone && At(message_).state == State::kOpen) {
    const Truth& truth = At(message_).truth;
    if (truth.wire_key == wire_key) return message_;
    if (Has(truth, kTruthSpoiled)) return kNone;
  }
  const std::uint64_t position = FindDatagram(wire_key);
  if (position != kNone) next_message_ = position + 1;
  return position;
}

std::uint64_t Matcher::FindAtOffset(const DecodedFrame& frame) {
  // Emissions that the channel refused share their offset with the next one, which it took: so the last one counts.
  std::uint64_t position = FirstNot([&](const Emission& e) { return e.truth.offset <= frame.begin; });
  while (position-- > head_ && At(position).truth.offset == frame.begin) {
    Emission& emission = At(position);
    if (emission.truth.size == 0) continue;
    if (emission.truth.wire_key != frame.wire_key) emission.answered = true;
    return emission.state == State::kOpen && !emission.answered ? position : kNone;
  }
  return kNone;
}

void Matcher::AttributeCorruptDatagram() {
  const auto open = [](const Emission& emission) { return emission.state == State::kOpen && emission.truth.size > 0; };
  std::uint64_t position = message_ != kNone && open(At(message_)) ? message_ : kNone;
  if (position == kNone) {
    position = NearestInTime([&](const Emission& e) { return open(e) && Has(e.truth, kTruthSpoiled); });
  }
  if (position == kNone) position = NearestInTime(open);
  if (position == kNone) return CountUnattributed(figures_.corrupt);
  At(position).state = State::kCorrupt;
  At(position).corrupt = true;
  At(position).found = arrival_->begin;
  MatchedUpTo(position + 1);
}

void Matcher::Count(Emission& emission, const DecodedFrame& frame, Nanos done) {
  const Truth& truth = emission.truth;
  const bool in_window = control_.InWindow(truth.due), copy = Has(truth, kTruthCopy);
  if (draining_) {
    emission.state = State::kUnread;
    if (in_window && !copy) figures_.unread.Add();
    return;
  }
  emission.state = State::kGood;
  figures_.received_in_all.Add();
  if (in_window) figures_.received.Add();
  if (copy) {
    emission.found = done;
    if (in_window) figures_.duplicated.Add();
    return;
  }
  // Of a lossless stream `release` is the blame's, not the sample's.
  const Nanos release = lossless_ ? truth.due : truth.release;
  const Nanos latency = done - release;
  figures_.latest_latency_ns.Set(static_cast<std::uint64_t>(std::max(latency, Nanos(0)).count()));
  emission.out_of_order = any_good_ && truth.sequence < highest_good_;
  highest_good_ = any_good_ ? std::max(highest_good_, truth.sequence) : truth.sequence;
  any_good_ = true;
  CheckRules(emission, frame, done);
  if (control_.InWindow(done)) figures_.done_in_window.Add();
  if (!in_window) return;

  figures_.done.Add();
  if (emission.out_of_order) figures_.reordered.Add();
  const auto stamp = arrival_->kernel_stamp;
  figures_.latency.Record(latency);
  figures_.lateness.Record(truth.sent - release);
  if (stamp) figures_.transport.Record(*stamp - truth.sent);
  figures_.queue.Record(begin_ - stamp.value_or(truth.sent));
  figures_.service.Record(done - begin_);
  figures_.since_sent.Record(lossless_ ? done - truth.release : done - truth.sent);
  AddSquare(figures_.value_error_squares, frame.value - truth.value);
  // Later than any limit for a break, as no sample before was, it is among the worst.
  if (figures_.worst.Qualifies(latency) && control_.InWindow(release) && !break_.Over()) {
    const LoopTurn::Span earlier = turn_.LongestBetween(release, begin_);
    const SampleStamps stamps = {.sequence = truth.sequence,
                                 .due = release,
                                 .ready = lossless_ ? truth.release : Nanos(0),
                                 .sent = truth.sent,
                                 .kernel = stamp.value_or(Nanos(0)),
                                 .woken = turn_.woken,
                                 .earlier_begin = earlier.begin,
                                 .earlier_done = earlier.end,
                                 .begin = begin_,
                                 .done = done};
    figures_.worst.Add(stamps);
    if (break_.Hits(latency)) break_.Fire(stamps);
  }
}

void Matcher::CheckRules(Emission& emission, const DecodedFrame& frame, Nanos done) {
  const Truth& truth = emission.truth;
  const bool in_window = control_.InWindow(truth.due);
  emission.late = arrival_->kernel_stamp.value_or(arrival_->begin) - truth.due > late_after_;
  const ValueWatch::Finding value = watch_.Look(frame.value, truth.due);
  emission.implausible = value.implausible;
  if (emission.late || emission.implausible || emission.out_of_order) emission.found = done;
  if (in_window) {
    if (truth.fault != 0) {
      FoundFault& figures = figures_.faults[truth.fault - 1u];
      figures.done.Add();
      AddSquare(figures.value_error_squares, frame.value - truth.value);
    } else {
      if (emission.implausible && !Has(truth, kTruthFalsified)) figures_.false_implausible.Add();
      if (emission.late && !Has(truth, kTruthHeld)) figures_.late_arrivals.Add();
    }
  }

  const OfRun member = {.fault = truth.fault, .flags = truth.flags, .in_window = in_window};
  if (value.first_of_run) {
    SettleRun(std::nullopt);
    run_[run_size_++] = member;
    SettleRun(std::nullopt);  // it repeats nothing
    return;
  }
  if (run_size_ == run_.size()) SettleRun(std::nullopt);  // a sensor that allows more than anybody waits for
  run_[run_size_++] = member;
  if (value.repeating > 0) {
    SettleRun(done);
  } else if (can_repeat_) {
    SettleRun(std::nullopt);
  }
}

void Matcher::SettleRun(std::optional<Nanos> found) {
  for (const OfRun& member : std::span(run_).first(run_size_)) {
    if (!member.in_window) continue;
    if (member.fault != 0 && KindOf(member.fault) == FaultKind::kStuck) {
      Settle(member.fault, found, true, false);
    } else if (member.fault == 0 && (member.flags & kTruthFalsified) == 0 && found) {
      figures_.false_repeating.Add();
    }
  }
  run_size_ = 0;
}

void Matcher::CountUnattributed(Counter& counter) {
  if (arrival_->begin.count() >= control_.window_begin.load(std::memory_order_relaxed)) counter.Add();
}

void Matcher::MarkUnfinishedAsCorrupt() {
  std::uint64_t next_offset = UINT64_MAX;
  for (std::uint64_t position = tail_; position-- > head_;) {
    Emission& emission = At(position);
    const std::uint64_t end = emission.truth.offset + emission.truth.size;
    const bool came_whole = emission.truth.size > 0 && end <= next_offset && end <= received_end_;
    if (came_whole && emission.state == State::kOpen && !emission.answered) emission.corrupt = true;
    next_offset = emission.truth.offset;
  }
}

void Matcher::Finish(const StreamSchedule& schedule) {
  TakeTruths();
  // A decoder may still be waiting for the rest of a frame whose length was falsified. Nothing more comes: bytes that
  // have made no frame by now never will.
  if (!datagrams_) MarkUnfinishedAsCorrupt();
  while (head_ < tail_) Close(At(head_++));
  SettleRun(std::nullopt);
  if (!truths_missed_) return;
  // Samples are emitted one by one, so those up to the highest one known were emitted, but for the gaps; the truths
  // that were not read are theirs.
  const SampleRange window = schedule.DueIn(Nanos(control_.window_begin.load(std::memory_order_relaxed)),
                                            Nanos(control_.window_end.load(std::memory_order_relaxed)));
  if (highest_taken_ < window.first) return;
  const std::uint64_t due = std::min(window.count, highest_taken_ - window.first + 1);
  const std::uint64_t emitted = due - std::min(due, gaps_taken_);
  if (emitted > samples_taken_) figures_.lost.Add(emitted - samples_taken_);
}

}  // namespace corerig
