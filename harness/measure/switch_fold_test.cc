#include "harness/measure/switch_fold.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

using Kind = SwitchEvent::Kind;
constexpr Nanos kBegin(1000), kEnd(2000);

class Folded : public testing::Test {
 protected:
  Folded() { fold_.SetWindow(kBegin, kEnd); }
  void Event(int at, Kind kind, int cpu = 0, int tid = 7, std::size_t part = 0) {
    fold_.OnEvent({.at = Nanos(at), .part = part, .tid = tid, .cpu = cpu, .kind = kind});
  }
  TracePartRecord Part(std::size_t part = 0, int until = 3000) { return fold_.Take(Nanos(until)).parts[part]; }

  SwitchFold fold_{{"worker price.0", "loop flight"}};
};

TEST_F(Folded, SlicesAndRunTimeAreFromInToOut) {
  Event(1100, Kind::kIn);
  Event(1130, Kind::kOut);
  Event(1200, Kind::kIn);
  Event(1250, Kind::kPreempted);
  const auto part = Part();
  EXPECT_EQ(part.run, Nanos(80));
  EXPECT_EQ(part.voluntary, 1u);
  EXPECT_EQ(part.involuntary, 1u);
  EXPECT_EQ(part.slice.count(), 2u);
  EXPECT_EQ(part.slice.min(), 30);
  EXPECT_EQ(part.slice.max(), 50);
}

TEST_F(Folded, OnlyAPreemptedTaskIsKeptAway) {
  Event(1100, Kind::kIn);
  Event(1200, Kind::kPreempted);
  Event(1240, Kind::kIn);
  Event(1300, Kind::kOut);
  Event(1500, Kind::kIn);
  EXPECT_EQ(Part().preempted, Nanos(40));
}

TEST_F(Folded, MigrationsAreChangesOfTheCpuBetweenIns) {
  Event(1100, Kind::kIn, 0);
  Event(1110, Kind::kOut, 0);
  Event(1120, Kind::kIn, 0);
  Event(1130, Kind::kOut, 0);
  Event(1140, Kind::kIn, 1);
  Event(1150, Kind::kOut, 1);
  EXPECT_EQ(Part().migrations, 1u);
}

TEST_F(Folded, TheWindowCutsTimesAndCountsWhatEndsInIt) {
  Event(900, Kind::kIn);
  Event(1010, Kind::kOut);  // a slice of 110, of which 10 are in the window
  Event(1990, Kind::kIn);
  Event(2100, Kind::kPreempted);
  Event(2200, Kind::kIn);
  const auto part = Part();
  EXPECT_EQ(part.run, Nanos(20));
  EXPECT_EQ(part.voluntary, 1u);
  EXPECT_EQ(part.involuntary, 0u);
  EXPECT_EQ(part.slice.count(), 1u);
  EXPECT_EQ(part.slice.max(), 110);
  EXPECT_EQ(part.preempted, Nanos(0));
}

TEST_F(Folded, ATaskThatIsFirstSeenLeavingHadBeenRunningSinceBeforeTheWindow) {
  Event(1300, Kind::kPreempted);
  const auto part = Part();
  EXPECT_EQ(part.run, Nanos(300));
  EXPECT_EQ(part.involuntary, 1u);
  EXPECT_EQ(part.slice.count(), 0u) << "nobody knows how long it had been running";
}

TEST_F(Folded, WhoRunsOrWaitsAtTheEndDoesSoUntilThen) {
  Event(1900, Kind::kIn);
  Event(1100, Kind::kIn, 0, 8, 1);
  Event(1950, Kind::kPreempted, 0, 8, 1);
  EXPECT_EQ(Part(0).run, Nanos(100));
  EXPECT_EQ(Part(1).preempted, Nanos(50));
  EXPECT_EQ(Part(0, 1940).run, Nanos(40));
}

TEST_F(Folded, ThreadsOfAPartAddUpAndPartsStandApart) {
  Event(1100, Kind::kIn, 0, 7, 0);
  Event(1100, Kind::kIn, 1, 8, 0);
  Event(1150, Kind::kOut, 0, 7, 0);
  Event(1160, Kind::kOut, 1, 8, 0);
  Event(1170, Kind::kIn, 0, 9, 1);
  Event(1175, Kind::kOut, 0, 9, 1);
  EXPECT_EQ(Part(0).run, Nanos(110));
  EXPECT_EQ(Part(1).run, Nanos(5));
}

TEST_F(Folded, WhoEndsHasRunUntilThenAndIsForgotten) {
  Event(1100, Kind::kIn);
  Event(1150, Kind::kExit);
  Event(1400, Kind::kIn);  // another task of the same number
  Event(1410, Kind::kOut);
  const auto part = Part();
  EXPECT_EQ(part.run, Nanos(60));
  EXPECT_EQ(part.migrations, 0u);
  EXPECT_EQ(part.voluntary, 1u);
}

TEST_F(Folded, LostRecordsAreAGapUnlessTheyCameAfterTheWindow) {
  Event(1100, Kind::kIn);
  EXPECT_FALSE(fold_.Take(kEnd).gap);
  Event(2500, Kind::kLost);
  EXPECT_FALSE(fold_.Take(kEnd).gap);
  Event(1500, Kind::kLost);
  EXPECT_TRUE(fold_.Take(kEnd).gap);
  Event(1700, Kind::kPreempted);
  EXPECT_EQ(Part().slice.count(), 0u) << "it may have left and come back";
}

}  // namespace
}  // namespace corerig
