// Which samples of a stream meet which injected fault: drawn from the seed, so every run of one seed injects the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "harness/plan/plan.h"

namespace corerig {

// At most one fault per sample: samples named by `at` come before shares, then drop before duplicate before reorder
// before bit-flip. `at` counts from `first_in_window`, the first sample due in the window; shares apply to all samples,
// warm-up included.
std::optional<FaultKind> FaultOf(const StreamPlan& stream, std::uint64_t seed, std::uint64_t sequence,
                                 std::uint64_t first_in_window);

// Inverts one bit of the frame of `sequence`, any one with equal probability. An empty frame stays as it is.
void FlipOneBit(const StreamPlan& stream, std::uint64_t seed, std::uint64_t sequence, std::span<std::byte> frame);

}  // namespace corerig
