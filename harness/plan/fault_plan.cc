#include "harness/plan/fault_plan.h"

#include <algorithm>
#include <iterator>

namespace corerig {
namespace {

using Key = FaultKindInfo::Key;

constexpr FaultKindInfo kKinds[] = {
    {.kind = FaultKind::kOff, .name = "off", .only_scheduled = true},
    {.kind = FaultKind::kIntermittent, .name = "intermittent", .key = Key::kPeriod, .only_scheduled = true},
    {.kind = FaultKind::kSlow, .name = "slow", .key = Key::kFactor, .only_scheduled = true},
    {.kind = FaultKind::kDrop, .name = "drop"},
    {.kind = FaultKind::kDuplicate, .name = "duplicate"},
    {.kind = FaultKind::kReorder, .name = "reorder", .holds_back = true},
    {.kind = FaultKind::kBitFlip, .name = "bit-flip"},
    {.kind = FaultKind::kTruncate, .name = "truncate"},
    {.kind = FaultKind::kGarbage, .name = "garbage"},
    {.kind = FaultKind::kStuck, .name = "stuck", .only_scheduled = true, .falsifies = true},
    {.kind = FaultKind::kWrong, .name = "wrong", .key = Key::kOffset, .falsifies = true},
    {.kind = FaultKind::kDelayed, .name = "delayed", .key = Key::kBy, .holds_back = true},
    {.kind = FaultKind::kBurst, .name = "burst", .key = Key::kFrames, .only_scheduled = true, .holds_back = true},
    {.kind = FaultKind::kDrift, .name = "drift", .key = Key::kRate, .only_scheduled = true, .falsifies = true},
    {.kind = FaultKind::kJitter, .name = "jitter", .key = Key::kBy, .holds_back = true},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < std::size(kKinds); ++i) {
    if (kKinds[i].kind != static_cast<FaultKind>(i)) return false;
  }
  return true;
}
static_assert(InOrder() && kKinds[std::size(kKinds) - 1].kind == FaultKind::kJitter);

}  // namespace

std::span<const FaultKindInfo> AllFaultKinds() { return kKinds; }
const FaultKindInfo& InfoOf(FaultKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view ToText(FaultKind kind) { return InfoOf(kind).name; }

std::optional<FaultKind> ParseFaultKind(std::string_view text) {
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return k.name == text; });
  return found == std::end(kKinds) ? std::nullopt : std::optional(found->kind);
}

}  // namespace corerig
