#include "sensors/stamped_frames.h"

#include <algorithm>
#include <cmath>

namespace corerig {

double StampClock::Between(std::uint64_t from, std::uint64_t to) const {
  const int unused = 64 - bits;
  const auto ticks = static_cast<std::int64_t>((to - from) << unused) >> unused;
  return static_cast<double>(ticks) * tick;
}

bool StampClock::InStep(std::uint64_t from, std::uint64_t to, double period) const {
  const double between = Between(from, to);
  return std::abs(between - std::round(between / period) * period) <= tolerance;
}

bool StampClock::IsNext(std::uint64_t from, std::uint64_t to, double period) const {
  return std::abs(Between(from, to) - period) <= tolerance;
}

StampedFrameDecoder::StampedFrameDecoder(std::unique_ptr<FrameFormat> format, StampClock clock, double period,
                                         bool datagrams)
    : format_(std::move(format)), clock_(clock), period_(period), datagrams_(datagrams), needed_(format_->size()) {
  // Twice what is looked at, so that bytes seldom need to be moved to the front.
  if (!datagrams_) kept_.resize(4 * format_->size());
}

void StampedFrameDecoder::Feed(std::span<const std::byte> bytes, std::uint64_t offset, FrameSink& sink) {
  if (datagrams_) return FeedMessage(bytes, offset, sink);
  if (offset != offset_ + (end_ - begin_)) {  // bytes are missing: what was begun cannot be finished
    PassOver(end_ - begin_, sink);
    offset_ = offset;
  }
  while (!bytes.empty()) {
    if (end_ == kept_.size()) {
      std::copy(kept_.begin() + static_cast<std::ptrdiff_t>(begin_), kept_.end(), kept_.begin());
      end_ -= begin_;
      begin_ = 0;
    }
    const std::size_t count = std::min(bytes.size(), kept_.size() - end_);
    std::copy_n(bytes.begin(), count, kept_.begin() + static_cast<std::ptrdiff_t>(end_));
    end_ += count;
    bytes = bytes.subspan(count);
    TakeFrames(sink);  // leaves less than two frames, so there is room again
  }
}

void StampedFrameDecoder::FeedMessage(std::span<const std::byte> message, std::uint64_t offset, FrameSink& sink) {
  const std::uint64_t end = offset + message.size();
  if (message.empty()) return;
  if (message.size() != format_->size() || !format_->Plausible(message)) return sink.OnCorrupt(offset, end);
  sink.OnFrame({.wire_key = format_->Stamp(message), .value = format_->Value(message), .begin = offset, .end = end});
}

void StampedFrameDecoder::TakeFrames(FrameSink& sink) {
  std::size_t passed = 0;  // bytes at the front that no frame begins in
  const auto pass = [&] {
    PassOver(passed, sink);
    passed = 0;
  };
  while (end_ - begin_ - passed >= needed_) {
    begin_ += passed;
    const Look look = LookAtFront();
    begin_ -= passed;
    if (look == Look::kUndecided) {
      needed_ = 2 * format_->size();
      break;
    }
    needed_ = format_->size();
    if (look == Look::kBad) {
      aligned_ = false;
      ++searched_;
      ++passed;
      continue;
    }
    pass();
    const std::span<const std::byte> frame(kept_.data() + begin_, format_->size());
    last_good_ = format_->Stamp(frame);
    any_good_ = aligned_ = true;
    searched_ = 0;
    const std::uint64_t begin = offset_;
    begin_ += frame.size();
    offset_ += frame.size();
    sink.OnFrame({.wire_key = last_good_, .value = format_->Value(frame), .begin = begin, .end = offset_});
  }
  pass();
}

StampedFrameDecoder::Look StampedFrameDecoder::LookAtFront() const {
  const std::size_t size = format_->size();
  const std::span<const std::byte> frame(kept_.data() + begin_, size);
  if (!format_->Plausible(frame)) return Look::kBad;
  const std::uint64_t stamp = format_->Stamp(frame);
  const bool in_step = !any_good_ || clock_.InStep(last_good_, stamp, period_);
  if (aligned_ && in_step) return Look::kGood;
  // In a search, a plausible frame out of step begins at a wrong sample; unless the stamps have lost count.
  constexpr std::size_t kLostCount = 8;  // frames
  if (!aligned_ && !in_step && searched_ < kLostCount * size) return Look::kBad;
  if (end_ - begin_ < 2 * size) return Look::kUndecided;
  const std::span<const std::byte> next(kept_.data() + begin_ + size, size);
  return format_->Plausible(next) && clock_.InStep(stamp, format_->Stamp(next), period_) ? Look::kGood : Look::kBad;
}

void StampedFrameDecoder::PassOver(std::size_t count, FrameSink& sink) {
  if (count == 0) return;
  sink.OnCorrupt(offset_, offset_ + count);
  begin_ += count;
  offset_ += count;
  aligned_ = false;
  needed_ = format_->size();
}

}  // namespace corerig
