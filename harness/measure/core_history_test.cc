#include "harness/measure/core_history.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;
using State = ThreadSpan::State;

TraceEvent Switch(int at, int from, int to, TraceEvent::State state = TraceEvent::State::kSleeping, int cpu = 0) {
  TraceEvent event;
  event.at = Nanos(at);
  event.kind = Kind::kSwitch;
  event.tid = to;
  event.other = from;
  event.state = state;
  event.cpu = static_cast<std::int16_t>(cpu);
  event.priority = static_cast<std::int16_t>(to == 0 ? 120 : 100 + to);
  return event;
}
TraceEvent Waking(int at, int tid, int cpu = 0) {
  TraceEvent event;
  event.at = Nanos(at);
  event.kind = Kind::kWaking;
  event.tid = tid;
  event.cpu = static_cast<std::int16_t>(cpu);
  return event;
}
TraceEvent Irq(int at, Kind kind, int value = 1) {
  TraceEvent event;
  event.at = Nanos(at);
  event.kind = kind;
  event.value = value;
  return event;
}

TEST(CoreHistory, TheFirstSwitchTellsWhoWasThereBefore) {
  const std::vector<TraceEvent> events = {Switch(10, 5, 7), Switch(20, 7, 0)};
  const auto spans = CoreHistory(events, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].tid, 5);
  EXPECT_EQ(spans[0].priority, CoreSpan::kNotSeen);
  EXPECT_EQ(spans[1].tid, 7);
  EXPECT_EQ(spans[1].priority, 107);
  EXPECT_EQ(spans[2].tid, 0);
  EXPECT_EQ(spans[2].end, Nanos(30));
}

TEST(CoreHistory, WithoutASwitchNobodyIsInvented) {
  const auto spans = CoreHistory(std::vector<TraceEvent>{Switch(10, 5, 7, {}, 1)}, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].tid, CoreSpan::kUnknown);
}

TEST(CoreHistory, TheInnermostInterruptCounts) {
  const std::vector<TraceEvent> events = {Switch(0, 5, 7), Irq(10, Kind::kSoftirqEntry), Irq(12, Kind::kIrqEntry, 24),
                                          Irq(15, Kind::kIrqExit, 24), Irq(20, Kind::kSoftirqExit)};
  const auto spans = CoreHistory(events, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 5u);
  EXPECT_EQ(spans[0].interrupt, nullptr);
  EXPECT_EQ(spans[1].interrupt->kind, Kind::kSoftirqEntry);
  EXPECT_EQ(spans[2].interrupt->value, 24);
  EXPECT_EQ(spans[3].interrupt->kind, Kind::kSoftirqEntry);
  EXPECT_EQ(spans[4].interrupt, nullptr);
}

TEST(CoreHistory, AnInterruptThatOnlyEndsWasServedFromTheBeginning) {
  const auto spans = CoreHistory(std::vector<TraceEvent>{Irq(10, Kind::kVectorExit)}, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 2u);
  ASSERT_NE(spans[0].interrupt, nullptr);
  EXPECT_EQ(spans[1].interrupt, nullptr);
}

TEST(CoreHistory, TheEndOfAnOuterInterruptEndsThoseWithinIt) {
  const std::vector<TraceEvent> events = {Switch(0, 5, 7), Irq(10, Kind::kVectorEntry, 1),
                                          Irq(12, Kind::kVectorEntry, 2), Irq(20, Kind::kVectorExit, 1)};
  const auto spans = CoreHistory(events, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[2].interrupt->value, 2);
  EXPECT_EQ(spans[3].interrupt, nullptr);
}

TEST(CoreHistory, WhereATaskIsSwitchedToNoInterruptIsServed) {
  // The exit of the first was lost, the entry of the second.
  const std::vector<TraceEvent> events = {Irq(5, Kind::kIrqEntry), Switch(10, 5, 7), Irq(20, Kind::kSoftirqExit)};
  const auto spans = CoreHistory(events, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[0].interrupt, nullptr);
  EXPECT_EQ(spans[1].interrupt->kind, Kind::kIrqEntry);
  EXPECT_EQ(spans[2].interrupt, nullptr);
  EXPECT_EQ(spans[3].interrupt, nullptr);
  // Nor where the first that is known of the core is a switch.
  const auto later =
      CoreHistory(std::vector<TraceEvent>{Switch(10, 5, 7), Irq(20, Kind::kSoftirqExit)}, 0, Nanos(0), Nanos(30));
  for (const auto& span : later) EXPECT_EQ(span.interrupt, nullptr);
}

TEST(CoreHistory, APriorityIsThatOfTheTimeAndTheNextOneToldWhereNoneWas) {
  std::vector<TraceEvent> events = {Switch(5, 9, 7), Switch(10, 7, 0), Switch(15, 0, 7), Switch(20, 7, 8),
                                    Switch(25, 8, 9)};
  events[0].priority = -1;  // inferred
  events[2].priority = 50;
  const auto spans = CoreHistory(events, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 6u);
  EXPECT_EQ(spans[0].priority, 109) << "told when it came back";
  EXPECT_EQ(spans[1].priority, 50) << "not the -1 of the switch to it";
  EXPECT_EQ(spans[3].priority, 50);
  EXPECT_EQ(spans[4].priority, 108);
  events[2].priority = 107;
  events[0].priority = 50;
  const auto changed = CoreHistory(events, 0, Nanos(0), Nanos(30));
  EXPECT_EQ(changed[1].priority, 50);
  EXPECT_EQ(changed[3].priority, 107);
}

TEST(CoreHistory, IsThatOfOneCoreAndEndsWhereItIsToEnd) {
  const std::vector<TraceEvent> events = {Switch(10, 5, 7), Switch(12, 8, 9, {}, 1), Switch(40, 7, 6)};
  const auto spans = CoreHistory(events, 0, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[1].tid, 7);
  EXPECT_EQ(spans[1].begin, Nanos(10));
  EXPECT_EQ(spans[1].end, Nanos(30));
}

TEST(ThreadHistory, SleepsIsReadyRunsAndIsPreempted) {
  const std::vector<TraceEvent> events = {Waking(10, 7, 1), Switch(15, 5, 7),
                                          Switch(20, 7, 9, TraceEvent::State::kPreempted), Switch(25, 9, 7),
                                          Switch(28, 7, 0)};
  const auto spans = ThreadHistory(events, 7, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 6u);
  const State states[] = {State::kSleeping, State::kRunnable, State::kRunning,
                          State::kRunnable, State::kRunning,  State::kSleeping};
  for (std::size_t i = 0; i < spans.size(); ++i) EXPECT_EQ(spans[i].state, states[i]) << i;
  EXPECT_EQ(spans[0].waking, &events[0]);
  EXPECT_EQ(spans[1].core, 0);  // where it ran next, not where it was woken
  EXPECT_EQ(spans[5].end, Nanos(30));
}

TEST(ThreadHistory, OfOneThatNoEventNamesNothingIsKnown) {
  const auto spans = ThreadHistory(std::vector<TraceEvent>{Switch(10, 5, 6)}, 7, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].state, State::kUnknown);
}

TEST(ThreadHistory, OneThatIsWokenWhileItRunsGoesOnRunning) {
  const std::vector<TraceEvent> events = {Switch(5, 0, 7), Waking(10, 7), Switch(20, 7, 0)};
  const auto spans = ThreadHistory(events, 7, Nanos(0), Nanos(30));
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[1].state, State::kRunning);
  EXPECT_EQ(spans[1].end, Nanos(20));
}

}  // namespace
}  // namespace corerig
