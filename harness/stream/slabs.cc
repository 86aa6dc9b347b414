#include "harness/stream/slabs.h"

#include <algorithm>
#include <bit>

namespace corerig {
namespace {

std::size_t RingCapacityOf(const StreamPlan& stream) {
  const auto duplicates = std::any_of(stream.faults.begin(), stream.faults.end(),
                                      [](const FaultPlan& fault) { return fault.kind == FaultKind::kDuplicate; });
  std::uint64_t emissions = MostFramesWithin(stream, std::chrono::seconds(4)) * (duplicates ? 2 : 1);
  if (stream.pace == Pace::kLossless) emissions = std::min(emissions, SourceSlabLayout::kMostKept);
  return static_cast<std::size_t>(std::bit_ceil(std::max<std::uint64_t>(emissions, 256)));
}

}  // namespace

SourceSlabLayout::SourceSlabLayout(const Plan& plan) {
  SlabLayout layout;
  layout.Add<SlabHeader>();
  for (const auto& stream : plan.streams) {
    PerStream place{.figures = kNone, .ring = kNone, .ring_capacity = 0};
    if (stream.channel != ChannelKind::kTimer) {
      place.ring_capacity = RingCapacityOf(stream);
      place.figures = layout.Add<SourceStream>();
      place.ring = layout.AddBytes(TruthRing::SizeFor(place.ring_capacity));
    }
    streams.push_back(place);
  }
  size = layout.size();
}

HandlerSlabLayout::HandlerSlabLayout(const Plan& plan) {
  SlabLayout layout;
  layout.Add<SlabHeader>();
  for (std::size_t i = 0; i < plan.streams.size(); ++i) streams.push_back(layout.Add<HandlerStream>());
  for (std::size_t i = 0; i < plan.loops.size(); ++i) loops.push_back(layout.Add<HandlerLoop>());
  at_break = layout.Add<BreakLatch>();
  size = layout.size();
}

}  // namespace corerig
