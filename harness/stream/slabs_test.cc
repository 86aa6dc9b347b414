#include "harness/stream/slabs.h"

#include <gtest/gtest.h>

#include <bit>

namespace corerig {
namespace {

StreamPlan StreamOf(std::string name, Rate rate, ChannelKind channel) {
  StreamPlan stream;
  stream.name = std::move(name);
  stream.rate = rate;
  stream.channel = channel;
  return stream;
}

Plan ThreeStreams() {
  Plan plan;
  plan.streams = {StreamOf("imu", Rate::Hertz(1000), ChannelKind::kSeqpacket),
                  StreamOf("tick", Rate::Hertz(1000), ChannelKind::kTimer),
                  StreamOf("gnss", Rate::Hertz(10), ChannelKind::kPty)};
  plan.loops.resize(2);
  return plan;
}

TEST(SourceSlab, HoldsFourSecondsOfTruthAndAtLeast256Entries) {
  const SourceSlabLayout layout(ThreeStreams());
  EXPECT_EQ(layout.streams[0].ring_capacity, 4096u);
  EXPECT_EQ(layout.streams[2].ring_capacity, 256u);
}

TEST(SourceSlab, DuplicatesNeedRoomForBothCopies) {
  Plan plan = ThreeStreams();
  plan.streams[0].faults = {{.kind = FaultKind::kDuplicate, .share = 1, .at = {}}};
  EXPECT_EQ(SourceSlabLayout(plan).streams[0].ring_capacity, 8192u);
}

TEST(SourceSlab, ATimerStreamHasNoPlaceInIt) {
  const SourceSlabLayout layout(ThreeStreams());
  EXPECT_EQ(layout.streams[1].figures, SourceSlabLayout::kNone);
  EXPECT_EQ(layout.streams[1].ring, SourceSlabLayout::kNone);
  EXPECT_EQ(layout.streams[1].ring_capacity, 0u);
}

TEST(SourceSlab, PartsLieOneAfterAnotherOnCacheLines) {
  const SourceSlabLayout layout(ThreeStreams());
  std::size_t end = sizeof(SlabHeader);
  for (const std::size_t i : {0u, 2u}) {
    EXPECT_GE(layout.streams[i].figures, end) << i;
    EXPECT_GE(layout.streams[i].ring, layout.streams[i].figures + sizeof(SourceStream)) << i;
    EXPECT_EQ(layout.streams[i].figures % 64, 0u) << i;
    EXPECT_EQ(layout.streams[i].ring % 64, 0u) << i;
    end = layout.streams[i].ring + TruthRing::SizeFor(layout.streams[i].ring_capacity);
  }
  EXPECT_GE(layout.size, end);
}

TEST(HandlerSlab, PartsLieOneAfterAnotherOnCacheLines) {
  const HandlerSlabLayout layout(ThreeStreams());
  ASSERT_EQ(layout.streams.size(), 3u);
  ASSERT_EQ(layout.loops.size(), 2u);
  std::size_t end = sizeof(SlabHeader);
  for (const std::size_t at : layout.streams) {
    EXPECT_GE(at, end);
    EXPECT_EQ(at % 64, 0u);
    end = at + sizeof(HandlerStream);
  }
  for (const std::size_t at : layout.loops) {
    EXPECT_GE(at, end);
    EXPECT_EQ(at % 64, 0u);
    end = at + sizeof(HandlerLoop);
  }
  EXPECT_GE(layout.size, end);
}

}  // namespace
}  // namespace corerig
