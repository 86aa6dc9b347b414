#include <gtest/gtest.h>

#include <vector>

#include "harness/measure/trace_fold.h"

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;

TraceEvent Frequency(std::int64_t at, std::int64_t kilohertz) {
  TraceEvent event;
  event.at = Nanos(at);
  event.kind = Kind::kFrequency;
  event.value = kilohertz;
  return event;
}

TraceEvent Switch(std::int64_t at, std::int32_t to, std::int32_t from) {
  TraceEvent event;
  event.at = Nanos(at);
  event.tid = to;
  event.other = from;
  event.state = TraceEvent::State::kSleeping;
  return event;
}

class Fold : public testing::Test {
 protected:
  void Send(const std::vector<TraceEvent>& events, std::int64_t complete_until) {
    fold_.OnEvents(events, names_, Nanos(complete_until));
  }
  TraceNames names_;
  TraceFold fold_{{{"rig", TraceFold::Role::kRig}}, {CpuId{0}}};
};

TEST_F(Fold, TheRangeOfAFrequencyIsThatOfTheWindow) {
  fold_.SetWindow(Nanos(1000), Nanos(5000));
  Send({Frequency(100, 800), Frequency(900, 1800), Frequency(2000, 1500), Frequency(6000, 600)}, 10'000);
  const TraceRecord record = fold_.Take();
  EXPECT_EQ(record.cores[0].frequency_max, 1'800'000.0) << "it began with that";
  EXPECT_EQ(record.cores[0].frequency_min, 1'500'000.0) << "600 MHz came after it, 800 before";
  EXPECT_NEAR(record.cores[0].frequency.value_or(0), (1000 * 1.8e6 + 3000 * 1.5e6) / 4000, 1);
}

TEST_F(Fold, AFrequencyThatStaysHasNoRange) {
  fold_.SetWindow(Nanos(1000), Nanos(5000));
  Send({Frequency(100, 800)}, 10'000);
  EXPECT_EQ(fold_.Take().cores[0].frequency_min, fold_.Take().cores[0].frequency_max);
}

TEST_F(Fold, CoversTheWindow) {
  fold_.SetWindow(Nanos(1000), Nanos(5000));
  Send({Switch(500, 7, 0), Switch(3000, 0, 7)}, 10'000);
  const TraceRecord record = fold_.Take();
  EXPECT_EQ(record.covered, Nanos(4000));
  EXPECT_EQ(record.cores[0].foreign, Nanos(2000));
  EXPECT_EQ(record.cores[0].idle, Nanos(2000));
}

TEST_F(Fold, AnEndDrawnNearerEndsIt) {
  fold_.SetWindow(Nanos(1000), Nanos(5000));
  Send({Switch(500, 7, 0)}, 2000);
  fold_.SetWindow(Nanos(1000), Nanos(2500));
  Send({Switch(3000, 0, 7)}, 10'000);
  const TraceRecord record = fold_.Take();
  EXPECT_EQ(record.covered, Nanos(1500));
  EXPECT_EQ(record.cores[0].foreign, Nanos(1500));
}

TEST_F(Fold, WhatCameBeforeAnEndDrawnTooNearStays) {
  fold_.SetWindow(Nanos(1000), Nanos(5000));
  Send({Switch(500, 7, 0), Switch(3000, 0, 7)}, 3500);
  fold_.SetWindow(Nanos(1000), Nanos(2500));
  Send({}, 10'000);
  const TraceRecord record = fold_.Take();
  EXPECT_EQ(record.covered, Nanos(2500));
  EXPECT_EQ(record.cores[0].foreign + record.cores[0].idle, record.covered);
}

}  // namespace
}  // namespace corerig
