#include "harness/stream/ticks.h"

#include <gtest/gtest.h>

#include <memory>

namespace corerig {
namespace {

class Ticks : public testing::Test {
 protected:
  Ticks() {
    control_.window_begin = 10'000'000;
    control_.window_end = 30'000'000;
  }
  // Delivered 20 µs late and done 3 µs later.
  void Deliver(std::uint64_t k) {
    const Nanos due = schedule_.DueOf(k);
    CountTick({.index = k, .due = due, .begin = due + Nanos(20'000), .merged = 0}, due + Nanos(23'000), control_, turn_,
              *figures_);
  }

  ControlPage control_;
  LoopTurn turn_;
  const StreamSchedule schedule_{.first = Nanos(500'000), .rate = Rate::Hertz(1000)};
  std::unique_ptr<HandlerStream> figures_ = std::make_unique<HandlerStream>();
};

TEST_F(Ticks, ThoseDueInTheWindowCountWithTheirStages) {
  for (std::uint64_t k = 0; k < 40; ++k) Deliver(k);
  FinishTicks(schedule_, control_, *figures_);
  EXPECT_EQ(figures_->received.Get(), 20u);
  EXPECT_EQ(figures_->done.Get(), 20u);
  EXPECT_EQ(figures_->lost.Get(), 0u);
  EXPECT_EQ(figures_->received_in_all.Get(), 40u);
  EXPECT_EQ(figures_->latest_latency_ns.Get(), 23'000u);
  EXPECT_EQ(figures_->latency.Read().max(), 23'000);
  EXPECT_EQ(figures_->queue.Read().max(), 20'000);
  EXPECT_EQ(figures_->service.Read().max(), 3'000);
  EXPECT_EQ(figures_->latency.Read().count(), 20u);
  EXPECT_EQ(figures_->lateness.Read().count(), 0u);
  EXPECT_EQ(figures_->transport.Read().count(), 0u);
}

TEST_F(Ticks, TheWorstAreKeptWithTheirStamps) {
  turn_.OnCallback(schedule_.DueOf(12) + Nanos(5'000));  // of another stream, until the tick's own
  turn_.OnCallback(schedule_.DueOf(12) + Nanos(20'000));
  for (std::uint64_t k = 0; k < 13; ++k) Deliver(k);  // tick 9 is the last before the window
  const auto worst = figures_->worst.Read();
  ASSERT_FALSE(worst.empty());
  for (const auto& sample : worst) EXPECT_GE(sample.sequence, 10u);
  Deliver(12);
  const Nanos due = schedule_.DueOf(14);
  CountTick({.index = 14, .due = due, .begin = due + Nanos(500'000), .merged = 0}, due + Nanos(600'000), control_,
            turn_, *figures_);
  const SampleStamps late = figures_->worst.Read().at(0);
  EXPECT_EQ(late.sequence, 14u);
  EXPECT_EQ(late.due, due);
  EXPECT_EQ(late.sent, Nanos(0));
  EXPECT_EQ(late.begin, due + Nanos(500'000));
  EXPECT_EQ(late.done, due + Nanos(600'000));
  EXPECT_EQ(late.woken, schedule_.DueOf(12) + Nanos(5'000));
  // The callback that runs began before this tick was due and has not ended: it is what the tick waited for.
  EXPECT_EQ(late.earlier_begin, schedule_.DueOf(12) + Nanos(20'000));
  EXPECT_EQ(late.earlier_done, late.begin);
}

TEST_F(Ticks, ThoseNotDeliveredWithinTheDrainAreLost) {
  for (std::uint64_t k = 0; k < 25; ++k) Deliver(k);
  FinishTicks(schedule_, control_, *figures_);
  EXPECT_EQ(figures_->received.Get(), 15u);
  EXPECT_EQ(figures_->lost.Get(), 5u);
}

TEST_F(Ticks, TheFirstInTheWindowThatIsLaterThanTheBreakIsTheLastAmongTheWorst) {
  const auto latch = std::make_unique<BreakLatch>();
  SampleBreak at(*latch, {});  // descriptors that nothing is written to
  const StreamBreak at_break = {.above = Nanos(100'000), .stream = 3, .at = &at};
  const auto deliver = [&](std::uint64_t k, std::int64_t latency) {
    const Nanos due = schedule_.DueOf(k);
    CountTick({.index = k, .due = due, .begin = due + Nanos(10'000), .merged = 0}, due + Nanos(latency), control_,
              turn_, *figures_, at_break);
  };
  deliver(5, 900'000);   // in the warm-up
  deliver(12, 100'000);  // as late as it may be
  EXPECT_FALSE(latch->Read());
  deliver(14, 100'001);
  ASSERT_TRUE(latch->Read());
  EXPECT_EQ(latch->Read()->stream, 3u);
  EXPECT_EQ(latch->Read()->sample.sequence, 14u);
  EXPECT_EQ(latch->Read()->sample.latency(), Nanos(100'001));
  deliver(16, 700'000);  // of which the trace says nothing any more
  EXPECT_EQ(latch->Read()->sample.sequence, 14u);
  EXPECT_EQ(figures_->worst.Read().at(0).sequence, 14u);
  EXPECT_EQ(figures_->latency.Read().count(), 3u) << "it counts all the same";
}

}  // namespace
}  // namespace corerig
