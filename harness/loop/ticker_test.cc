#include "harness/loop/ticker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "harness/os/clock.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

class TickerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto created = EventLoop::Create(&activity);
    ASSERT_TRUE(created) << created.error().message;
    loop = std::move(*created);
  }

  // The first `count` ticks; `during` is called for each.
  std::vector<Tick> Collect(Schedule schedule, std::size_t count, std::function<void(const Tick&)> during = {}) {
    std::vector<Tick> ticks;
    auto ticker = Ticker::Start(*loop, schedule, [&](const Tick& tick) {
      if (ticks.size() == count) return;  // of the wake-up that brought the last one
      ticks.push_back(tick);
      if (during) during(tick);
      if (ticks.size() == count) loop->Stop();
    });
    EXPECT_TRUE(ticker) << ticker.error().message;
    if (ticker) loop->Run();
    return ticks;
  }

  LoopActivity activity;
  std::unique_ptr<EventLoop> loop;
};

TEST_F(TickerTest, TicksAreDueAtWholePeriodsAfterTheFirstAndNeverEarly) {
  const Nanos first = MonotonicNow() + 2ms;
  const auto ticks = Collect({.first = first, .rate = Rate::Hertz(1000)}, 50);
  ASSERT_EQ(ticks.size(), 50u);
  for (std::size_t k = 0; k < ticks.size(); ++k) {
    EXPECT_EQ(ticks[k].index, k);
    EXPECT_EQ(ticks[k].due - first, static_cast<std::int64_t>(k) * 1ms) << "tick " << k;
    EXPECT_GE(ticks[k].begin, ticks[k].due) << "tick " << k << " came early";
  }
}

// Runs all ticks at once, as their due times are past: drift is arithmetic.
TEST_F(TickerTest, PeriodsThatAreNoWholeNumberOfNanosecondsDoNotDriftOverAMillionTicks) {
  constexpr std::uint64_t kTicks = 1'000'001;
  constexpr std::int64_t kMillihertz = 819'200;  // 1220703.125 ns
  const Nanos first = MonotonicNow() - 2000s;    // may lie before the boot: the clock's epoch does not matter
  std::uint64_t count = 0;
  Nanos last{0};
  std::optional<Ticker> running;
  auto started = Ticker::Start(*loop, {.first = first, .rate = {kMillihertz}}, [&](const Tick& tick) {
    if (tick.index >= kTicks) return;
    // An oracle without 128 bits: 8 ticks are exactly 9765625 ns.
    const auto k = static_cast<std::int64_t>(tick.index);
    const Nanos expected(k / 8 * 9'765'625 + k % 8 * 9'765'625 / 8);
    if (tick.due - first != expected) {
      ADD_FAILURE() << "tick " << k << " is due " << (tick.due - first).count() << " ns after the first, expected "
                    << expected.count();
      running.reset();  // one message is enough
      return;
    }
    ++count;
    last = tick.due;
    if (count == kTicks) loop->Stop();
  });
  ASSERT_TRUE(started);
  running.emplace(std::move(*started));
  loop->Run();
  EXPECT_EQ(count, kTicks);
  EXPECT_EQ(last - first, 1'220'703'125us);
}

TEST_F(TickerTest, AThirdOfAMillisecondIsKeptWhileTimePasses) {
  const Nanos first = MonotonicNow();
  const auto ticks = Collect({.first = first, .rate = Rate::Hertz(3000)}, 300);
  ASSERT_EQ(ticks.size(), 300u);
  EXPECT_EQ(ticks[3].due - first, 1ms);
  EXPECT_EQ(ticks[299].due - first, Nanos(99'666'666));
  for (const Tick& tick : ticks) EXPECT_GE(tick.begin, tick.due) << "tick " << tick.index;
}

TEST_F(TickerTest, MissedTicksArriveOneByOneWithTheirOwnDueTime) {
  const Nanos first = MonotonicNow() + 1ms;
  constexpr Nanos kPeriod = 1ms;
  const auto ticks = Collect({.first = first, .rate = Rate::Hertz(1000)}, 30, [&](const Tick& tick) {
    if (tick.index == 3) SleepUntil(tick.due + 10 * kPeriod);  // the stall: ticks 4 to 13 are missed
  });
  ASSERT_EQ(ticks.size(), 30u);
  for (std::size_t k = 0; k < ticks.size(); ++k) {
    EXPECT_EQ(ticks[k].index, k);
    EXPECT_EQ(ticks[k].due, first + static_cast<std::int64_t>(k) * kPeriod);
    if (k > 0) {
      EXPECT_GE(ticks[k].begin, ticks[k - 1].begin) << "begin is read for each tick";
    }
  }
  // Those already due at the wake-up that brought tick 3 (none, unless the machine stalled as well) are still of that
  // wake-up; one more wake-up brings all the rest.
  int wakeups = 0;
  for (std::size_t k = 4; k <= 13; ++k) {
    if (ticks[k].merged == 0) {
      ++wakeups;
    } else {
      EXPECT_EQ(ticks[k].merged, ticks[k - 1].merged + 1) << "tick " << k;
    }
  }
  EXPECT_LE(wakeups, 1);
  EXPECT_GE(ticks[4].begin, ticks[13].due) << "the stall is in the lateness of tick 4";
}

TEST_F(TickerTest, BeginIsReadForEachTickOfOneWakeup) {
  const auto ticks = Collect({.first = MonotonicNow() - 10ms, .rate = Rate::Hertz(1000)}, 10, [](const Tick&) {
    const Nanos begin = MonotonicNow();
    while (MonotonicNow() - begin < 100us) {
    }
  });
  ASSERT_EQ(ticks.size(), 10u);
  for (std::size_t k = 1; k < ticks.size(); ++k) {
    ASSERT_EQ(ticks[k].merged, static_cast<int>(k));
    EXPECT_GE(ticks[k].begin - ticks[k - 1].begin, 100us) << "tick " << k;
  }
}

TEST_F(TickerTest, ACallbackSlowerThanThePeriodLeavesOthersTheirTurn) {
  int ticks = 0;
  bool other_ran = false;
  auto ticker = Ticker::Start(*loop, {.first = MonotonicNow(), .rate = Rate::Hertz(10'000)}, [&](const Tick&) {
    ++ticks;
    SleepUntil(MonotonicNow() + 200us);
  });
  ASSERT_TRUE(ticker);
  ASSERT_TRUE(loop->At(MonotonicNow() + 2ms, [&] {
    other_ran = true;
    loop->Stop();
  }));
  loop->Run();  // A test that hangs has failed.
  EXPECT_TRUE(other_ran);
  EXPECT_GE(ticks, 1);
}

TEST_F(TickerTest, MayBeStoppedInItsOwnCallback) {
  std::optional<Ticker> ticker;
  std::vector<std::uint64_t> indices;
  auto started = Ticker::Start(*loop, {.first = MonotonicNow() - 1s, .rate = Rate::Hertz(1000)}, [&](const Tick& tick) {
    indices.push_back(tick.index);
    if (tick.index == 5) ticker.reset();
  });
  ASSERT_TRUE(started);
  ticker.emplace(std::move(*started));
  loop->Run();  // Returns as nothing is watched any more.
  EXPECT_EQ(indices, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5}));
}

TEST_F(TickerTest, MayBeReplacedInItsOwnCallback) {
  std::optional<Ticker> ticker;
  int old_ticks = 0, new_ticks = 0;
  auto started = Ticker::Start(*loop, {.first = MonotonicNow(), .rate = Rate::Hertz(1000)}, [&](const Tick&) {
    ++old_ticks;
    auto next = Ticker::Start(*loop, {.first = MonotonicNow(), .rate = Rate::Hertz(1000)}, [&](const Tick&) {
      if (++new_ticks == 3) loop->Stop();
    });
    ASSERT_TRUE(next);
    *ticker = std::move(*next);
  });
  ASSERT_TRUE(started);
  ticker.emplace(std::move(*started));
  loop->Run();
  EXPECT_EQ(old_ticks, 1);
  EXPECT_GE(new_ticks, 3);
}

TEST_F(TickerTest, AssignmentStopsTheOneThatWasThere) {
  int old_ticks = 0, new_ticks = 0;
  const Schedule now = {.first = MonotonicNow(), .rate = Rate::Hertz(1000)};
  auto replaced = Ticker::Start(*loop, now, [&](const Tick&) { ++old_ticks; });
  auto kept = Ticker::Start(*loop, now, [&](const Tick&) {
    if (++new_ticks == 5) loop->Stop();
  });
  ASSERT_TRUE(replaced && kept);
  *replaced = std::move(*kept);
  loop->Run();
  EXPECT_EQ(old_ticks, 0);
  EXPECT_GE(new_ticks, 5);
}

TEST_F(TickerTest, OneWakeupServesOneTickWhenNothingStalls) {
  const auto ticks = Collect({.first = MonotonicNow() + 1ms, .rate = Rate::Hertz(500)}, 20);
  std::size_t wakeups = 0;
  for (const Tick& tick : ticks) wakeups += tick.merged == 0 ? 1 : 0;
  EXPECT_EQ(activity.wakeups.Get(), wakeups) << "a wake-up without a tick is one too many";
}

TEST_F(TickerTest, AFirstTickAtTheClocksEpochIsDelivered) {
  const auto ticks = Collect({.first = Nanos(0), .rate = Rate::Hertz(1)}, 2);
  ASSERT_EQ(ticks.size(), 2u);
  EXPECT_EQ(ticks[0].due, 0s);
  EXPECT_EQ(ticks[1].due, 1s);
}

TEST_F(TickerTest, RefusesARateThatIsNotPositive) {
  EXPECT_EQ(Ticker::Start(*loop, {.first = {}, .rate = {0}}, [](const Tick&) {}).error().message,
            "the rate of ticks is 0 Hz; it must be positive");
  EXPECT_EQ(Ticker::Start(*loop, {.first = {}, .rate = {-500}}, [](const Tick&) {}).error().message,
            "the rate of ticks is -0.5 Hz; it must be positive");
}

}  // namespace
}  // namespace corerig
