#include "harness/stream/faults.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "harness/base/philox.h"

namespace corerig {
namespace {

// Lanes of the harness's own random numbers; schedule.cc has another.
constexpr std::uint32_t kShareLane = 0xFA000000;  // + ShareLaneOf
constexpr std::uint32_t kBitLane = 0xFA000010;
constexpr std::uint32_t kSizeLane = 0xFA000011;
constexpr std::uint32_t kJitterLane = 0xFA000012;
constexpr std::uint32_t kGarbageLane = 0xFA010000;  // + which 16 bytes of the frame

// Of its own for every kind that can have a share, and the same for ever: a seed stands for its faults.
std::uint32_t ShareLaneOf(FaultKind kind) {
  constexpr FaultKind kLanes[] = {FaultKind::kDrop,    FaultKind::kDuplicate, FaultKind::kReorder,
                                  FaultKind::kBitFlip, FaultKind::kTruncate,  FaultKind::kGarbage,
                                  FaultKind::kWrong,   FaultKind::kDelayed,   FaultKind::kJitter};
  const auto found = std::find(std::begin(kLanes), std::end(kLanes), kind);
  return kShareLane + static_cast<std::uint32_t>(found - std::begin(kLanes));
}

// A word scaled to [0, n): n is far less than 2^32, so no number is favoured noticeably.
std::uint64_t Scaled(std::uint32_t word, std::uint64_t n) { return (std::uint64_t{word} * n) >> 32; }

bool Contains(const SampleRange& range, std::uint64_t sequence) {
  return sequence >= range.first && sequence - range.first < range.count;
}

}  // namespace

Faults::Faults(const Plan& plan, const StreamPlan& stream)
    : stream_(stream),
      seed_(plan.seed),
      stream_id_(StreamId(stream.name)),
      schedule_(ScheduleOf(plan, stream, Nanos(0))),
      window_begin_(plan.warmup),
      first_in_window_(schedule_.DueIn(plan.warmup, plan.warmup + plan.duration).first),
      by_precedence_(stream.faults.size()) {
  std::iota(by_precedence_.begin(), by_precedence_.end(), std::size_t{0});
  std::stable_sort(by_precedence_.begin(), by_precedence_.end(),
                   [&](std::size_t a, std::size_t b) { return stream.faults[a].kind < stream.faults[b].kind; });
  for (const FaultPlan& fault : stream.faults) {
    if (!fault.span) {
      ranges_.emplace_back();
      continue;
    }
    const Nanos begin = plan.warmup + std::min(fault.span->from, plan.duration);
    const Nanos rest = plan.warmup + plan.duration - begin;
    ranges_.push_back(schedule_.DueIn(begin, begin + std::min(fault.span->length.value_or(rest), rest)));
  }
}

std::optional<Faults::Hit> Faults::Of(std::uint64_t sequence) const {
  const auto hit = [&](std::size_t index) { return Hit{index, stream_.faults[index].kind}; };
  for (const std::size_t index : by_precedence_) {
    if (IsNamed(stream_.faults[index], sequence)) return hit(index);
  }
  for (const std::size_t index : by_precedence_) {
    if (IsInTurn(index, sequence) || IsDrawn(stream_.faults[index], sequence)) return hit(index);
  }
  return std::nullopt;
}

std::optional<Faults::Hit> Faults::FalsifiedBy(std::uint64_t sequence) const {
  for (const std::size_t index : by_precedence_) {
    const FaultKind kind = stream_.faults[index].kind;
    if (InfoOf(kind).falsifies && IsInTurn(index, sequence)) return Hit{index, kind};
  }
  return std::nullopt;
}

bool Faults::IsNamed(const FaultPlan& fault, std::uint64_t sequence) const {
  return sequence >= first_in_window_ &&
         std::find(fault.at.begin(), fault.at.end(), sequence - first_in_window_) != fault.at.end();
}

bool Faults::IsInTurn(std::size_t index, std::uint64_t sequence) const {
  const SampleRange& range = ranges_[index];
  if (!Contains(range, sequence)) return false;
  const FaultPlan& fault = stream_.faults[index];
  const std::uint64_t number = sequence - range.first;
  switch (fault.kind) {
    case FaultKind::kIntermittent: {
      const Nanos since = schedule_.DueOf(sequence) - window_begin_ - fault.span->from;
      return since % fault.period < fault.period / 2;
    }
    case FaultKind::kSlow:
      return number % fault.count != 0;
    case FaultKind::kBurst:  // the last one of a burst is sent when it is due, the others with it
      return number % fault.count != fault.count - 1 && number != range.count - 1;
    default:
      return true;
  }
}

bool Faults::IsDrawn(const FaultPlan& fault, std::uint64_t sequence) const {
  if (fault.share <= 0) return false;
  return UniformOpen(Draw(ShareLaneOf(fault.kind), sequence)) < fault.share;
}

std::uint32_t Faults::Draw(std::uint32_t lane, std::uint64_t sequence) const {
  return RandomWords(seed_, stream_id_, sequence, lane)[0];
}

Nanos Faults::DelayOf(const Hit& hit, std::uint64_t sequence) const {
  const FaultPlan& fault = stream_.faults[hit.index];
  switch (hit.kind) {
    case FaultKind::kDelayed:
      return fault.by;
    case FaultKind::kJitter:
      return Nanos(
          static_cast<std::int64_t>(UniformOpen(Draw(kJitterLane, sequence)) * static_cast<double>(fault.by.count())));
    case FaultKind::kBurst: {
      const SampleRange& range = ranges_[hit.index];
      const std::uint64_t number = sequence - range.first;
      const std::uint64_t last = std::min(number - number % fault.count + fault.count - 1, range.count - 1);
      return schedule_.DueOf(range.first + last) - schedule_.DueOf(sequence);
    }
    default:
      return Nanos(0);
  }
}

Nanos Faults::LongestTimeOf(std::uint64_t frames) const {
  Nanos longest = schedule_.rate.OffsetOf(frames);
  for (std::uint64_t first = 0; first < schedule_.pattern.size(); ++first) {
    longest = std::max(longest, schedule_.DueOf(first + frames) - schedule_.DueOf(first));
  }
  return longest;
}

Nanos Faults::LongestDelay() const {
  Nanos longest{0};
  for (const FaultPlan& fault : stream_.faults) {
    longest = std::max(longest, fault.by);
    if (fault.kind == FaultKind::kBurst) longest = std::max(longest, LongestTimeOf(fault.count));
  }
  return longest;
}

Falsification Faults::FalsificationOf(const Hit& hit, std::uint64_t sequence) const {
  const FaultPlan& fault = stream_.faults[hit.index];
  switch (hit.kind) {
    case FaultKind::kStuck: {
      const std::uint64_t first = ranges_[hit.index].first;
      return {.measurement_of = first > 0 ? first - 1 : 0};
    }
    case FaultKind::kWrong:
      return {.bias = fault.amount};
    case FaultKind::kDrift: {
      const Nanos since = schedule_.DueOf(sequence) - window_begin_ - fault.span->from;
      return {.bias = fault.amount * static_cast<double>(since.count()) * 1e-9};
    }
    default:
      return {};
  }
}

std::size_t Faults::Spoil(const Hit& hit, std::uint64_t sequence, std::span<std::byte> frame) const {
  if (frame.empty()) return 0;
  switch (hit.kind) {
    case FaultKind::kBitFlip: {
      const std::uint64_t bit = Scaled(Draw(kBitLane, sequence), frame.size() * 8);
      frame[bit / 8] ^= std::byte{1} << (bit % 8);
      return frame.size();
    }
    case FaultKind::kGarbage:
      for (std::size_t at = 0; at < frame.size(); at += 16) {
        const auto lane = kGarbageLane + static_cast<std::uint32_t>(at / 16);
        const auto words = RandomWords(seed_, stream_id_, sequence, lane);
        for (std::size_t i = 0; i < 16 && at + i < frame.size(); ++i) {
          frame[at + i] = static_cast<std::byte>(words[i / 4] >> (8 * (i % 4)));
        }
      }
      return frame.size();
    case FaultKind::kTruncate:
      return frame.size() < 2 ? frame.size() : 1 + Scaled(Draw(kSizeLane, sequence), frame.size() - 1);
    default:
      return frame.size();
  }
}

}  // namespace corerig
