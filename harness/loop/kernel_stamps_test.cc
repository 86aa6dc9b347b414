#include "harness/loop/kernel_stamps.h"

#include <gtest/gtest.h>

#include <chrono>

namespace corerig {
namespace {

using namespace std::chrono_literals;

OffsetBracket Bracket(Nanos monotonic, Nanos offset) {
  return {.before = monotonic, .realtime = monotonic + offset + 50ns, .after = monotonic + 100ns};
}

class KernelStampsTest : public testing::Test {
 protected:
  KernelStamps stamps{RealtimeConverter(Bracket(1s, 1000s))};
};

TEST_F(KernelStampsTest, AreConvertedToMonotonic) {
  stamps.Check(Bracket(2s, 1000s));
  EXPECT_EQ(stamps.Convert(1002s), Nanos(2s));
  EXPECT_EQ(stamps.discarded(), 0u);
}

TEST_F(KernelStampsTest, AreDiscardedAndCountedAfterAStepUntilTheChannelWasEmpty) {
  stamps.Check(Bracket(2s, 1000s + 1h));
  EXPECT_EQ(stamps.Convert(1002s), std::nullopt);
  stamps.Check(Bracket(3s, 1000s + 1h));  // The next burst may still hold messages from before the step.
  EXPECT_EQ(stamps.Convert(1002s), std::nullopt);
  EXPECT_EQ(stamps.discarded(), 2u);
  stamps.ChannelIsEmpty();
  EXPECT_EQ(stamps.Convert(1004s + 1h), Nanos(4s));
  EXPECT_EQ(stamps.discarded(), 2u);
}

TEST_F(KernelStampsTest, AStepBackIsNoticedToo) {
  stamps.Check(Bracket(2s, 1000s - 1ms));
  EXPECT_EQ(stamps.Convert(1002s), std::nullopt);
}

}  // namespace
}  // namespace corerig
