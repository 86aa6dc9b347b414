// Faults that a scenario puts into a stream: what is done to its samples between the sensor and the channel.
//
// The meaning of each kind and how the receiver finds it are told in docs/scenario.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/base/units.h"

namespace corerig {

// In the order of precedence: of the faults that would hit one sample, the first does.
enum class FaultKind {
  kOff,
  kIntermittent,
  kSlow,
  kDrop,
  kDuplicate,
  kReorder,
  kBitFlip,
  kTruncate,
  kGarbage,
  kStuck,
  kWrong,
  kDelayed,
  kBurst,
  kDrift,
  kJitter,
};

struct FaultKindInfo {
  // The one key that the kind needs besides when.
  enum class Key { kNone, kBy, kPeriod, kOffset, kRate, kFactor, kFrames };

  FaultKind kind;
  std::string_view name;  // "bit-flip"
  Key key = Key::kNone;
  bool only_scheduled = false;  // it has no meaning for single samples
  bool falsifies = false;       // the sensor itself must show another measurement
  bool holds_back = false;      // frames are sent later because of it
};
std::span<const FaultKindInfo> AllFaultKinds();  // in the order of FaultKind
const FaultKindInfo& InfoOf(FaultKind kind);
std::string_view ToText(FaultKind kind);
std::optional<FaultKind> ParseFaultKind(std::string_view text);

// When: a share of all samples, drawn from the seed; or given samples, counted from the first one due in the window;
// or a span of time.
struct FaultPlan {
  // Samples due in [from, from + length) after the window's begin.
  struct Span {
    Nanos from{0};
    std::optional<Nanos> length = {};  // absent: to the end
    bool operator==(const Span&) const = default;
  };

  FaultKind kind = FaultKind::kDrop;
  double share = 0;
  std::vector<std::uint64_t> at = {};
  std::optional<Span> span = {};
  // What its kind needs (FaultKindInfo::Key); 0 where it does not.
  Nanos by{0};              // delayed, jitter: how much later
  Nanos period{0};          // intermittent: of one time off and one time on
  double amount = 0;        // wrong: the offset; drift: the rate, per second; in the unit of the sensor's value
  std::uint32_t count = 0;  // slow: every so many-th sample comes; burst: frames of one burst
  bool operator==(const FaultPlan&) const = default;
};

inline constexpr std::size_t kMostFaults = 32;  // of one stream

}  // namespace corerig
