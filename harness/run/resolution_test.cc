#include "harness/run/resolution.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/base/text.h"
#include "harness/plan/budget.h"

namespace corerig {
namespace {

constexpr ClockResolution kFine = {.timer = Nanos(1), .step = Nanos(20), .read = Nanos(31)};
constexpr ClockResolution kJiffies = {.timer = Nanos(4'000'000), .step = Nanos(20), .read = Nanos(31)};

Plan PlanWith(const std::string& limit) {
  Plan plan;
  plan.duration = std::chrono::seconds(10);
  plan.loops = {{.name = "flight", .core = {0}, .policy = {}}};
  StreamPlan imu;
  imu.name = "imu";
  imu.loop = "flight";
  plan.streams = {imu};
  WorkerPlan price;
  price.name = "price";
  price.cores = {{1}};
  plan.workers = {price};
  plan.cores = {{0}, {1}};
  const auto budget = ParseBudget(limit, MetricsOf(plan));
  EXPECT_TRUE(budget) << budget.error().message;
  if (budget) plan.budgets = {*budget};
  return plan;
}

// "" if it is taken.
std::string Refusal(const std::string& limit, const ClockResolution& clock = kFine) {
  const auto checked = CheckResolution(PlanWith(limit), {.clock = clock});
  return checked ? "" : checked.error().message;
}

TEST(Resolution, ATimeThatTheClockCannotTellIsRefused) {
  EXPECT_EQ(
      Refusal("stream.imu.latency.p99 < 10ns"),
      "budget \"stream.imu.latency.p99 < 10ns\": this board's clock is read in 31 ns and advances by 20 ns; write "
      "at least 31ns");
  EXPECT_EQ(Refusal("stream.imu.latency.p99 < 31ns"), "");
  EXPECT_NE(Refusal("stream.imu.latency.p99 < 30ns"), "");
  EXPECT_NE(Refusal("loop.*.wake.p99 <= 5ns"), "");
  EXPECT_NE(Refusal("stream.imu.latency.p99 < 0ns"), "") << "nothing can be less";
  EXPECT_EQ(Refusal("stream.imu.latency.p99 <= 0ns"), "");
  EXPECT_EQ(Refusal("stream.imu.latency.p99 >= 10ns"), "");
  EXPECT_EQ(Refusal("stream.imu.latency.p99 > 10ns"), "") << "anything that is measured is more";
}

TEST(Resolution, WithoutHighResolutionTimersMicrosecondsAreRefused) {
  EXPECT_EQ(Refusal("loop.flight.wake.p99 < 500us", kJiffies),
            "budget \"loop.flight.wake.p99 < 500us\": this board's timers have a resolution of 4.00 ms (no "
            "high-resolution timers); write at least 4ms");
  EXPECT_EQ(Refusal("loop.flight.wake.p99 < 4ms", kJiffies), "");
}

TEST(Resolution, MemoryComesInPages) {
  EXPECT_EQ(Refusal("worker.price.*.uss.max < 1KiB"),
            "budget \"worker.price.*.uss.max < 1KiB\": memory comes in pages of 4.00 KiB; write at least 4KiB");
  EXPECT_EQ(Refusal("worker.price.*.uss.max < 4KiB"), "");
  EXPECT_EQ(Refusal("worker.price.*.swap.max <= 0B"), "") << "none at all can be told from some";
}

TEST(Resolution, GrowthBelowAPageInTheWindowIsRefused) {
  EXPECT_EQ(Refusal("worker.price.*.uss.growth < 1KiB/min"),
            "budget \"worker.price.*.uss.growth < 1KiB/min\": one page of 4.00 KiB over a window of 10.0 s is 24.0 KiB "
            "per minute; write at least 24KiB/min");
  EXPECT_EQ(Refusal("worker.price.*.uss.growth < 24KiB/min"), "");
  EXPECT_EQ(Refusal("worker.price.*.uss.growth <= 0B/min"), "");
}

TEST(Resolution, StealBelowATickOfTheWindowIsRefused) {
  EXPECT_EQ(Refusal("core.0.steal < 0.05%"),
            "budget \"core.0.steal < 0.05%\": steal is counted in ticks of 10.0 ms, and one is 0.100 % of a window of "
            "10.0 s; write at least 0.1%");
  EXPECT_EQ(Refusal("core.0.steal <= 0.1%"), "");
  EXPECT_EQ(Refusal("core.0.idle < 0.05%"), "") << "of the trace, in nanoseconds";
  EXPECT_EQ(Refusal("stream.imu.lost < 1"), "");
}

TEST(Resolution, OfThisBoardIsWhatTheSystemSays) {
  const BoardResolution board = MeasureBoard();
  EXPECT_EQ(board.tick * sysconf(_SC_CLK_TCK), Nanos(std::chrono::seconds(1)));
  EXPECT_EQ(board.page.count, static_cast<std::uint64_t>(getpagesize()));
  EXPECT_GT(board.clock.finest(), Nanos(0));
  EXPECT_LT(board.clock.finest(), Nanos(std::chrono::milliseconds(11)));
}

TEST(Resolution, ABreakFinerThanTheClockIsRefused) {
  Plan plan = PlanWith("stream.imu.lost == 0");
  plan.streams[0].break_above = Nanos(10);
  const auto checked = CheckResolution(plan, {.clock = kFine});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message,
            "stream imu: break \"10ns\": this board's clock is read in 31 ns and advances by 20 ns; write at least "
            "\"31ns\"");
  plan.streams[0].break_above = Nanos(31);
  EXPECT_TRUE(CheckResolution(plan, {.clock = kFine}));
}

}  // namespace
}  // namespace corerig
