// The paths that run for every tick and every arrival take no memory: page faults there would be in the figures.
#include <gtest/gtest.h>

#include <array>

#include "harness/base/allocation_count.h"
#include "harness/loop/channel.h"
#include "harness/loop/ticker.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

TEST(NoAllocation, PerTick) {
  auto loop = EventLoop::Create();
  ASSERT_TRUE(loop);
  long at_first = 0, at_last = -1;
  auto ticker = Ticker::Start(**loop, {.first = MonotonicNow(), .rate = Rate::Hertz(3000)}, [&](const Tick& tick) {
    if (tick.index == 10) at_first = AllocationCount();
    if (tick.index != 100) return;
    at_last = AllocationCount();
    (*loop)->Stop();
  });
  ASSERT_TRUE(ticker);
  (*loop)->Run();
  EXPECT_EQ(at_last, at_first);
}

TEST(NoAllocation, PerArrival) {
  for (const ChannelKind kind : {ChannelKind::kSeqpacket, ChannelKind::kUdp, ChannelKind::kPty, ChannelKind::kPipe,
                                 ChannelKind::kStream, ChannelKind::kTcp, ChannelKind::kShm}) {
    auto loop = EventLoop::Create();
    auto ends = OpenChannel(kind, {.slot_bytes = 16, .slots = 4});
    ASSERT_TRUE(loop && ends);
    auto sender = Sender::Open(kind, std::move(ends->sender));
    ASSERT_TRUE(sender);
    const std::array<std::byte, 16> frame = {};
    std::size_t bytes = 0;
    auto receiver = Receiver::Start(**loop, kind, std::move(ends->receiver), 16, [&](const Arrival& arrival) {
      bytes += arrival.bytes.size();
      if (bytes >= 100 * frame.size()) return (*loop)->Stop();
      if (bytes % frame.size() != 0) return;
      ASSERT_TRUE(sender->Send(frame));
    });
    ASSERT_TRUE(receiver);
    ASSERT_TRUE(sender->Send(frame));
    const long before = AllocationCount();
    (*loop)->Run();
    EXPECT_EQ(AllocationCount(), before) << ToText(kind);
    EXPECT_EQ(bytes, 100 * frame.size());
  }
}

}  // namespace
}  // namespace corerig
