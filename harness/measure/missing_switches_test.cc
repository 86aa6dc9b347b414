#include "harness/measure/missing_switches.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;

TraceEvent Switch(std::int64_t at, int from, int to) {
  return {.at = Nanos(at), .tid = to, .other = from, .kind = Kind::kSwitch};
}
TraceEvent Of(Kind kind, std::int64_t at) { return {.at = Nanos(at), .kind = kind}; }

std::optional<TraceEvent> Feed(MissingSwitches& switches, int context, const TraceEvent& event) {
  return switches.Before(event.at, context, &event);
}

TEST(MissingSwitches, ATaskThatRunsWhereTheCpuWasIdleWasSwitchedToAfterTheInterruptThatWokeIt) {
  MissingSwitches switches(CpuId{3});
  EXPECT_FALSE(Feed(switches, 70, Switch(100, 70, 0)));
  EXPECT_FALSE(Feed(switches, 0, Of(Kind::kVectorEntry, 200)));
  EXPECT_FALSE(Feed(switches, 0, Of(Kind::kWaking, 205)));
  EXPECT_FALSE(Feed(switches, 0, Of(Kind::kVectorExit, 210)));
  const auto missing = Feed(switches, 71, Switch(500, 71, 0));
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->at, Nanos(210));
  EXPECT_EQ(missing->tid, 71);
  EXPECT_EQ(missing->other, 0);
  EXPECT_EQ(missing->cpu, 3);
  // And again, without an interrupt in the new idle period.
  const auto polled = Feed(switches, 72, Of(Kind::kVectorEntry, 700));
  ASSERT_TRUE(polled);
  EXPECT_EQ(polled->at, Nanos(700));
  EXPECT_FALSE(Feed(switches, 72, Of(Kind::kVectorExit, 710)));
}

TEST(MissingSwitches, WhereSwitchesAreTracedNothingIsPutIn) {
  MissingSwitches switches(CpuId{0});
  EXPECT_FALSE(Feed(switches, 70, Switch(100, 70, 0)));
  EXPECT_FALSE(Feed(switches, 0, Of(Kind::kVectorExit, 150)));
  EXPECT_FALSE(Feed(switches, 0, Switch(200, 0, 71)));
  EXPECT_FALSE(Feed(switches, 71, Of(Kind::kVectorEntry, 250)));
  EXPECT_FALSE(switches.Before(Nanos(260), 71, nullptr));
  EXPECT_FALSE(Feed(switches, 71, Switch(300, 71, 72)));
}

TEST(MissingSwitches, AnInterruptOfATaskThatRanBeforeWokeNobody) {
  MissingSwitches switches(CpuId{0});
  EXPECT_FALSE(Feed(switches, 70, Of(Kind::kVectorExit, 150)));
  EXPECT_FALSE(Feed(switches, 70, Switch(200, 70, 0)));
  const auto missing = switches.Before(Nanos(500), 72, nullptr);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->at, Nanos(500));
}

TEST(MissingSwitches, ATaskThatLeavesUnseenLeftAfterItsLastEvent) {
  MissingSwitches switches(CpuId{0});
  EXPECT_FALSE(Feed(switches, 71, Switch(100, 71, 70)));
  EXPECT_FALSE(Feed(switches, 70, Of(Kind::kVectorEntry, 200)));
  EXPECT_FALSE(Feed(switches, 70, Of(Kind::kWaking, 205)));
  EXPECT_FALSE(switches.Before(Nanos(210), -1, nullptr)) << "an event too short to tell";
  const auto missing = Feed(switches, 72, Switch(500, 72, 73));
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->at, Nanos(210));
  EXPECT_EQ(missing->tid, 72);
  EXPECT_EQ(missing->other, 70);
  EXPECT_EQ(missing->state, TraceEvent::State::kOther);
  // Without an event since it came, by the one that shows it; and into idle as well.
  const auto shown = Feed(switches, 0, Of(Kind::kVectorEntry, 700));
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->at, Nanos(700));
  EXPECT_EQ(shown->tid, 0);
  EXPECT_EQ(shown->other, 73);
}

TEST(MissingSwitches, AfterALossNothingIsConcluded) {
  MissingSwitches switches(CpuId{0});
  EXPECT_FALSE(Feed(switches, 70, Switch(100, 70, 0)));
  switches.Reset();
  EXPECT_FALSE(Feed(switches, 71, Of(Kind::kVectorEntry, 700)));
}

}  // namespace
}  // namespace corerig
