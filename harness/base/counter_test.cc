#include "harness/base/counter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace corerig {
namespace {

TEST(Counter, StartsAtZeroAndCounts) {
  Counter counter;
  EXPECT_EQ(counter.Get(), 0u);
  counter.Add();
  counter.Add(41);
  EXPECT_EQ(counter.Get(), 42u);
  counter.Set(7);
  EXPECT_EQ(counter.Get(), 7u);
}

TEST(Counter, AReaderNeverSeesATornOrFallingValue) {
  constexpr std::uint64_t kBothHalves = 0x1'0000'0001;  // a torn read would have unequal halves
  constexpr std::uint64_t kTimes = 200'000;
  Counter counter;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < kTimes; ++i) counter.Add(kBothHalves);
  });
  std::uint64_t last = 0;
  while (last < kTimes * kBothHalves) {
    const std::uint64_t now = counter.Get();
    EXPECT_EQ(now >> 32, now & 0xffffffff);
    EXPECT_GE(now, last);
    if (now < last) break;
    last = now;
  }
  writer.join();
  EXPECT_EQ(counter.Get(), kTimes * kBothHalves);
}

}  // namespace
}  // namespace corerig
