// The paths that run for every tick and every arrival take no memory: page faults there would be in the figures.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

#include "harness/loop/channel.h"
#include "harness/loop/ticker.h"
#include "harness/os/clock.h"

namespace {
std::atomic<long> allocations{0};
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace corerig {
namespace {

TEST(NoAllocation, TheCounterSeesAllocations) {
  const long before = allocations;
  int* volatile seen = new int(1);  // volatile: the compiler may leave out what nobody sees
  delete seen;
  EXPECT_EQ(allocations, before + 1);
}

TEST(NoAllocation, PerTick) {
  auto loop = EventLoop::Create();
  ASSERT_TRUE(loop);
  long at_first = 0, at_last = -1;
  auto ticker = Ticker::Start(**loop, {.first = MonotonicNow(), .rate = Rate::Hertz(3000)}, [&](const Tick& tick) {
    if (tick.index == 10) at_first = allocations;
    if (tick.index != 100) return;
    at_last = allocations;
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
    const long before = allocations;
    (*loop)->Run();
    EXPECT_EQ(allocations, before) << ToText(kind);
    EXPECT_EQ(bytes, 100 * frame.size());
  }
}

}  // namespace
}  // namespace corerig
