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
    CountTick({.index = k, .due = due, .begin = due + Nanos(20'000), .merged = 0}, due + Nanos(23'000), control_,
              *figures_);
  }

  ControlPage control_;
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

TEST_F(Ticks, ThoseNotDeliveredWithinTheDrainAreLost) {
  for (std::uint64_t k = 0; k < 25; ++k) Deliver(k);
  FinishTicks(schedule_, control_, *figures_);
  EXPECT_EQ(figures_->received.Get(), 15u);
  EXPECT_EQ(figures_->lost.Get(), 5u);
}

}  // namespace
}  // namespace corerig
