// Which samples of a stream meet which injected fault, and what it does to them: drawn from the seed and the schedule,
// so every run of one seed injects the same.
//
//   const Faults faults(plan, stream);
//   if (const auto hit = faults.Of(sequence)) ...   // stream.faults[hit->index]
//   faults.Spoil(*hit, sequence, frame);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "harness/base/units.h"
#include "harness/plan/plan.h"
#include "harness/stream/schedule.h"
#include "harness/stream/sensor.h"

namespace corerig {

class Faults {
 public:
  // `stream` is of the plan and outlives it.
  Faults(const Plan& plan, const StreamPlan& stream);

  struct Hit {
    std::size_t index;  // in the stream's list
    FaultKind kind;
  };
  // At most one fault hits a sample. Those named by `at` come before the others, then the order of FaultKind decides,
  // then that of the list. `at` and times count from the window's begin; shares apply to all samples, warm-up included.
  std::optional<Hit> Of(std::uint64_t sequence) const;

  // The scheduled fault, of the kinds stuck, wrong and drift, in whose time the sample lies, whatever else hits it: a
  // sensor that is stuck stays so while its frames are damaged on the way.
  std::optional<Hit> FalsifiedBy(std::uint64_t sequence) const;

  // How much later than due a sample is sent: the kinds delayed, burst and jitter.
  Nanos DelayOf(const Hit& hit, std::uint64_t sequence) const;
  // The most of it that any of the stream's faults can make.
  Nanos LongestDelay() const;
  // From any frame to the one so many later, at the most.
  Nanos LongestTimeOf(std::uint64_t frames) const;

  // What it makes of the measurement: the kinds stuck, wrong and drift.
  Falsification FalsificationOf(const Hit& hit, std::uint64_t sequence) const;

  // What it makes of the frame's bytes: the kinds bit-flip (any one bit with equal probability), garbage (as many
  // random bytes) and truncate (any shorter size from 1 with equal probability). Returns how many bytes are left. A
  // frame too short for it stays as it is.
  std::size_t Spoil(const Hit& hit, std::uint64_t sequence, std::span<std::byte> frame) const;

 private:
  bool IsNamed(const FaultPlan& fault, std::uint64_t sequence) const;
  bool IsInTurn(std::size_t index, std::uint64_t sequence) const;
  bool IsDrawn(const FaultPlan& fault, std::uint64_t sequence) const;
  std::uint32_t Draw(std::uint32_t lane, std::uint64_t sequence) const;

  const StreamPlan& stream_;
  const std::uint64_t seed_;
  const std::uint32_t stream_id_;
  const StreamSchedule schedule_;  // for a start at 0
  const Nanos window_begin_;
  const std::uint64_t first_in_window_;
  std::vector<std::size_t> by_precedence_;  // indices in the stream's list
  std::vector<SampleRange> ranges_;         // of the spans, by index; empty for those without
};

}  // namespace corerig
