#include "harness/measure/trace_fold.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "harness/base/philox.h"

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;
using State = TraceEvent::State;
using Role = TraceFold::Role;

// Parts by their number; tasks by their tid: 1000 + part are those of the run, others are foreign.
enum Part { kRig, kWorker, kLoop, kSource };
constexpr int kTaskOf[] = {1000, 1001, 1002, 1003};
constexpr int kForeign = 77;

// A fold of CPUs 0 and 2 with a window of [1000, 2000), and short words for events.
class Folded {
 public:
  explicit Folded(std::int64_t begin = 1000, std::int64_t end = 2000) {
    for (const char* part : {"rig", "worker w.0", "loop l", "source"}) names_.AddPart(part);
    for (int part = 0; part < 4; ++part) names_.SetPart(kTaskOf[part], part);
    Name(kTaskOf[kWorker], "the worker");
    Name(kTaskOf[kLoop], "the loop");
    Name(kForeign, "stranger");
    fold_.SetWindow(Nanos(begin), Nanos(end));
  }
  void Name(int tid, const char* name) {
    TraceNames::Comm comm{};
    std::strncpy(comm.data(), name, comm.size() - 1);
    names_.SetTask(tid, comm);
  }
  Folded& Event(const TraceEvent& event) {
    fold_.OnEvents({&event, 1}, names_, event.at);
    return *this;
  }
  Folded& Switch(std::int64_t at, int from, int to, State state = State::kSleeping, int cpu = 0, int priority = 120) {
    return Event({.at = Nanos(at),
                  .tid = to,
                  .other = from,
                  .cpu = static_cast<std::int16_t>(cpu),
                  .priority = static_cast<std::int16_t>(priority),
                  .kind = Kind::kSwitch,
                  .state = state});
  }
  Folded& Waking(std::int64_t at, int tid, int cpu = 0) {
    return Event({.at = Nanos(at), .tid = tid, .cpu = static_cast<std::int16_t>(cpu), .kind = Kind::kWaking});
  }
  Folded& Wakeup(std::int64_t at, int tid, int target, int cpu = 0) {
    return Event({.at = Nanos(at),
                  .value = target,
                  .tid = tid,
                  .cpu = static_cast<std::int16_t>(cpu),
                  .kind = Kind::kWakeupNew});
  }
  Folded& Migrate(std::int64_t at, int tid, std::int64_t from, int to) {
    return Event({.at = Nanos(at), .value = from << 32 | to, .tid = tid, .kind = Kind::kMigrate});
  }
  Folded& Fork(std::int64_t at, int parent, int child) {
    return Event({.at = Nanos(at), .tid = child, .other = parent, .kind = Kind::kFork});
  }
  Folded& Of(Kind kind, std::int64_t at, std::int64_t value = 0, int cpu = 0, int tid = 0) {
    return Event({.at = Nanos(at), .value = value, .tid = tid, .cpu = static_cast<std::int16_t>(cpu), .kind = kind});
  }
  Folded& Until(std::int64_t at) {
    fold_.OnEvents({}, names_, Nanos(at));
    return *this;
  }
  TraceNames& names() { return names_; }
  TraceFold& fold() { return fold_; }
  TraceRecord Take() const { return fold_.Take(); }
  TraceCoreRecord Core(std::size_t index = 0) const { return Take().cores[index]; }
  TracePartRecord PartOf(int part) const { return Take().parts[static_cast<std::size_t>(part)]; }

 private:
  TraceNames names_;
  TraceFold fold_{
      {{"rig", Role::kRig}, {"worker w.0", Role::kWorker}, {"loop l", Role::kLoop}, {"source", Role::kSource}},
      {CpuId{0}, CpuId{2}}};
};

std::int64_t Sum(const TraceCoreRecord& core) {
  return (core.worker + core.loop + core.source + core.rig + core.foreign + core.irq + core.idle).count();
}

TEST(TraceFold, ACoresTimeIsThatOfWhoRanOnItAndAddsUpToTheWindow) {
  const auto core = Folded()
                        .Switch(900, 0, kForeign)
                        .Switch(1100, kForeign, kTaskOf[kWorker])
                        .Switch(1300, kTaskOf[kWorker], kTaskOf[kLoop])
                        .Switch(1400, kTaskOf[kLoop], kTaskOf[kSource])
                        .Switch(1450, kTaskOf[kSource], kTaskOf[kRig])
                        .Switch(1480, kTaskOf[kRig], 0)
                        .Until(5000)
                        .Core();
  EXPECT_EQ(core.cpu, 0);
  EXPECT_EQ(core.foreign, Nanos(100)) << "of what began before the window, its part in it";
  EXPECT_EQ(core.worker, Nanos(200));
  EXPECT_EQ(core.loop, Nanos(100));
  EXPECT_EQ(core.source, Nanos(50));
  EXPECT_EQ(core.rig, Nanos(30));
  EXPECT_EQ(core.idle, Nanos(520)) << "to the window's end, though no event comes there";
  EXPECT_EQ(core.switches, 5u);
  EXPECT_EQ(Sum(core), 1000);
  ASSERT_EQ(core.foreign_tasks.size(), 1u);
  EXPECT_EQ(core.foreign_tasks[0].task, "stranger");
  EXPECT_EQ(core.foreign_tasks[0].time, Nanos(100));
}

TEST(TraceFold, NothingIsBookedBeforeItIsKnownWhoRuns) {
  Folded folded;
  folded.Switch(1600, 0, kTaskOf[kWorker]).Until(3000);
  EXPECT_EQ(Sum(folded.Core()), 400);
  EXPECT_EQ(folded.Core(1).cpu, 2);
  EXPECT_EQ(Sum(folded.Core(1)), 0) << "a core without events";
}

TEST(TraceFold, EventsOutsideOfTheWindowAndOfOtherCoresCountNothing) {
  Folded folded;
  folded.Switch(500, 0, kTaskOf[kWorker])
      .Switch(600, kTaskOf[kWorker], 0)
      .Switch(1200, 5, 6, State::kSleeping, /*cpu=*/1)
      .Switch(1200, 5, 6, State::kSleeping, /*cpu=*/-1)
      .Switch(1200, 5, 6, State::kSleeping, /*cpu=*/300)
      .Of(Kind::kIrqEntry, 1200, 0, 1)
      .Of(Kind::kIrqExit, 1210, 0, 1)
      .Of(Kind::kFrequency, 1210, 1000, 1)
      .Until(1999)
      .Switch(2000, 0, kTaskOf[kWorker])
      .Switch(2100, kTaskOf[kWorker], 0);
  EXPECT_EQ(folded.Core().idle, Nanos(1000));
  EXPECT_EQ(folded.Core().switches, 0u);
  EXPECT_EQ(folded.PartOf(kWorker).voluntary, 0u);
  EXPECT_EQ(folded.PartOf(kWorker).slice.count(), 0u);
  // The clock has gone on behind the window: it stays as it was.
  folded.Of(Kind::kLost, 2200, 9);
  EXPECT_FALSE(folded.Take().gap);
}

TEST(TraceFold, AWindowThatIsDrawnNearerEndsThere) {
  Folded folded;
  folded.Switch(900, 0, kTaskOf[kWorker]).Until(1200);
  folded.fold().SetWindow(Nanos(1000), Nanos(1500));
  folded.Until(3000);
  EXPECT_EQ(folded.PartOf(kWorker).run, Nanos(500));
}

TEST(TraceFold, ASliceOverTheWindowsBeginIsWholeAndOneOverItsEndIsNone) {
  Folded folded;
  folded.Switch(700, 0, kTaskOf[kWorker])
      .Switch(1100, kTaskOf[kWorker], 0)
      .Switch(1900, 0, kTaskOf[kWorker])
      .Switch(2300, kTaskOf[kWorker], 0);
  const auto part = folded.PartOf(kWorker);
  EXPECT_EQ(part.run, Nanos(200)) << "the parts of the slices that lie in the window";
  EXPECT_EQ(part.slice.count(), 1u);
  EXPECT_EQ(part.slice.max(), 400);
  EXPECT_EQ(part.voluntary, 1u);
}

TEST(TraceFold, AWokenTaskWaitsUntilItRuns) {
  Folded folded;
  folded.Switch(1000, kTaskOf[kWorker], kForeign)
      .Waking(1100, kTaskOf[kWorker])
      .Waking(1120, kTaskOf[kWorker])  // again, before it came to run
      .Switch(1130, kForeign, kTaskOf[kWorker])
      .Waking(1140, kTaskOf[kWorker])  // while it runs
      .Switch(1150, kTaskOf[kWorker], kForeign, State::kUninterruptible)
      .Switch(1160, kForeign, kTaskOf[kWorker])  // nobody was seen to wake it
      .Until(3000);
  const auto part = folded.PartOf(kWorker);
  EXPECT_EQ(part.wake.count(), 1u);
  EXPECT_EQ(part.wake.max(), 30);
  EXPECT_EQ(part.runqueue.count(), 1u);
  EXPECT_EQ(part.runqueue.max(), 30);
  EXPECT_EQ(part.voluntary, 2u);
  EXPECT_EQ(part.involuntary, 0u);
  EXPECT_EQ(part.preempted, Nanos(0));
  EXPECT_EQ(folded.Core().runqueue.count(), 1u);
  ASSERT_EQ(part.held_by.size(), 1u);
  EXPECT_EQ(part.held_by[0].task, "stranger");
  EXPECT_EQ(part.held_by[0].time, Nanos(30));
}

TEST(TraceFold, AForeignTasksDelayCountsForItsCoreAlone) {
  Folded folded;
  folded.Switch(1000, kForeign, kTaskOf[kWorker])
      .Waking(1100, kForeign)
      .Switch(1150, kTaskOf[kWorker], kForeign, State::kPreempted)
      .Until(1200);
  EXPECT_EQ(folded.Core().runqueue.count(), 1u);
  EXPECT_EQ(folded.Core().runqueue.max(), 50);
  EXPECT_EQ(folded.PartOf(kWorker).runqueue.count(), 0u);
}

TEST(TraceFold, APreemptedTaskIsShownWhoHeldItsCore) {
  Folded folded;
  folded.Switch(1000, 0, kTaskOf[kWorker])
      .Switch(1100, kTaskOf[kWorker], kForeign, State::kPreempted)
      .Switch(1160, kForeign, kTaskOf[kLoop])
      .Switch(1200, kTaskOf[kLoop], kForeign)
      .Switch(1210, kForeign, kTaskOf[kWorker])
      .Until(3000);
  const auto part = folded.PartOf(kWorker);
  EXPECT_EQ(part.involuntary, 1u);
  EXPECT_EQ(part.voluntary, 0u);
  EXPECT_EQ(part.preempted, Nanos(110));
  EXPECT_EQ(part.runqueue.max(), 110);
  EXPECT_EQ(part.wake.count(), 0u);
  ASSERT_EQ(part.held_by.size(), 2u);
  EXPECT_EQ(part.held_by[0].task, "stranger");
  EXPECT_EQ(part.held_by[0].part, "");
  EXPECT_EQ(part.held_by[0].time, Nanos(70));
  EXPECT_EQ(part.held_by[0].times, 2u);
  EXPECT_EQ(part.held_by[1].task, "the loop");
  EXPECT_EQ(part.held_by[1].part, "loop l");
  EXPECT_EQ(part.held_by[1].tid, kTaskOf[kLoop]);
  EXPECT_EQ(part.held_by[1].time, Nanos(40));
}

TEST(TraceFold, OfAPreemptionOverTheWindowsBeginOnlyThePartInItCounts) {
  Folded folded;
  folded.Switch(800, 0, kTaskOf[kWorker])
      .Switch(900, kTaskOf[kWorker], kForeign, State::kPreempted)
      .Switch(1050, kForeign, kTaskOf[kWorker])
      .Until(1100);
  const auto part = folded.PartOf(kWorker);
  EXPECT_EQ(part.preempted, Nanos(50));
  EXPECT_EQ(part.runqueue.max(), 150) << "the delay itself is whole";
  ASSERT_EQ(part.held_by.size(), 1u);
  EXPECT_EQ(part.held_by[0].time, Nanos(50));
  EXPECT_EQ(part.involuntary, 0u) << "it was before the window";
}

TEST(TraceFold, ATaskThatWaitsForAnIdleCoreIsHeldByIdle) {
  Folded folded;
  folded.Switch(1000, kTaskOf[kWorker], 0).Waking(1100, kTaskOf[kWorker]).Switch(1140, 0, kTaskOf[kWorker]).Until(1200);
  const auto part = folded.PartOf(kWorker);
  ASSERT_EQ(part.held_by.size(), 1u);
  EXPECT_EQ(part.held_by[0].task, "idle");
  EXPECT_EQ(part.held_by[0].time, Nanos(40));
}

TEST(TraceFold, WhoWaitsAndMovesIsHeldByEachCoreInTurn) {
  Folded folded;
  folded.Switch(1000, 0, kForeign, State::kSleeping, /*cpu=*/2)
      .Switch(1000, kTaskOf[kWorker], kTaskOf[kLoop])
      .Waking(1100, kTaskOf[kWorker])
      .Migrate(1130, kTaskOf[kWorker], 0, 2)
      .Switch(1150, kForeign, kTaskOf[kWorker], State::kPreempted, /*cpu=*/2)
      .Until(1200);
  const auto part = folded.PartOf(kWorker);
  EXPECT_EQ(part.migrations, 1u);
  EXPECT_EQ(folded.Core(0).migrations_in, 0u);
  EXPECT_EQ(folded.Core(1).migrations_in, 1u);
  EXPECT_EQ(part.wake.max(), 50) << "it has waited all the time";
  ASSERT_EQ(part.held_by.size(), 2u);
  EXPECT_EQ(part.held_by[0].task, "the loop");
  EXPECT_EQ(part.held_by[0].time, Nanos(30));
  EXPECT_EQ(part.held_by[1].task, "stranger");
  EXPECT_EQ(part.held_by[1].time, Nanos(20));
}

TEST(TraceFold, AMoveToOrFromACoreThatIsNotKeptIsCountedWhereItIsKnown) {
  Folded folded;
  folded.Switch(1000, kTaskOf[kWorker], kTaskOf[kLoop])
      .Migrate(1010, kTaskOf[kWorker], 0, 9)  // asleep
      .Waking(1100, kTaskOf[kWorker])
      .Migrate(1130, kTaskOf[kWorker], 9, 0)
      .Migrate(1140, kTaskOf[kWorker], 0, 9)
      .Migrate(1150, 4711, 9, 0)  // of which nothing is known
      .Until(1200);
  EXPECT_EQ(folded.PartOf(kWorker).migrations, 3u);
  EXPECT_EQ(folded.Core().migrations_in, 2u);
  const auto part = folded.PartOf(kWorker);
  ASSERT_EQ(part.held_by.size(), 1u);
  EXPECT_EQ(part.held_by[0].time, Nanos(10)) << "from its coming to its leaving";
}

TEST(TraceFold, InterruptsTimeIsTheirsHoweverDeepTheyAre) {
  Folded folded;
  folded.Switch(1000, 0, kTaskOf[kWorker])
      .Of(Kind::kIrqExit, 1050)  // its entry was not seen
      .Of(Kind::kIrqEntry, 1100)
      .Of(Kind::kVectorEntry, 1110)
      .Of(Kind::kSoftirqEntry, 1120)
      .Of(Kind::kSoftirqExit, 1130)
      .Of(Kind::kVectorExit, 1140)
      .Of(Kind::kIrqExit, 1150)
      .Of(Kind::kSoftirqEntry, 1200)
      .Of(Kind::kSoftirqExit, 1210)
      .Switch(1300, kTaskOf[kWorker], 0)
      .Of(Kind::kVectorEntry, 1400)
      .Of(Kind::kVectorExit, 1440)
      .Until(3000);
  EXPECT_EQ(folded.Core().irq, Nanos(100));
  EXPECT_EQ(folded.Core().worker, Nanos(240));
  EXPECT_EQ(folded.PartOf(kWorker).run, Nanos(240));
  EXPECT_EQ(folded.PartOf(kWorker).slice.max(), 300) << "a slice is from switch to switch";
  EXPECT_EQ(folded.Core().idle, Nanos(660));
  EXPECT_EQ(Sum(folded.Core()), 1000);
}

TEST(TraceFold, AnInterruptOverAnEndOfTheWindowCountsWithItsPartInIt) {
  Folded folded;
  folded.Switch(900, 0, kTaskOf[kWorker])
      .Of(Kind::kIrqEntry, 980)
      .Of(Kind::kIrqExit, 1020)
      .Of(Kind::kIrqEntry, 1990)
      .Of(Kind::kIrqExit, 2010)
      .Until(3000);
  EXPECT_EQ(folded.Core().irq, Nanos(30));
  EXPECT_EQ(Sum(folded.Core()), 1000);
}

TEST(TraceFold, AnInterruptWhoseExitIsMissingEndsWithTheNextSwitch) {
  Folded folded;
  folded.Switch(1000, 0, kTaskOf[kWorker])
      .Of(Kind::kIrqEntry, 1100)
      .Switch(1150, kTaskOf[kWorker], kForeign)
      .Until(3000);
  EXPECT_EQ(folded.Core().irq, Nanos(50));
  EXPECT_EQ(folded.Core().foreign, Nanos(850));
}

TEST(TraceFold, AMarkedTaskIsOfItsPartFromThenOn) {
  Folded folded;
  folded.Switch(1000, 0, 500)
      .Of(Kind::kPart, 1100, kWorker, 0, 500)
      .Switch(1200, 500, 0)
      .Of(Kind::kPart, 1250, kLoop, 0, 501)  // which does not run here as far as is known
      .Of(Kind::kPart, 1260, kLoop, 9, 502)
      .Until(3000);
  EXPECT_EQ(folded.Core().foreign, Nanos(100));
  EXPECT_EQ(folded.Core().worker, Nanos(100));
  EXPECT_EQ(folded.PartOf(kWorker).voluntary, 1u);
}

TEST(TraceFold, AForkedTaskIsOfItsParentsPartWhoeverHadItsNumber) {
  Folded folded;
  folded
      .Fork(1000, kTaskOf[kWorker], 600)  // whose parent has not been seen to do anything
      .Wakeup(1010, 600, /*target=*/0)
      .Switch(1040, 0, 600)
      .Switch(1050, 600, 0, State::kDead)
      .Fork(1060, 600, 601)  // of one that is gone
      .Fork(1100, kForeign, kTaskOf[kLoop])
      .Switch(1110, 0, kTaskOf[kLoop])
      .Switch(1120, kTaskOf[kLoop], 0)
      .Until(3000);
  EXPECT_EQ(folded.PartOf(kWorker).run, Nanos(10));
  EXPECT_EQ(folded.PartOf(kWorker).wake.max(), 30);
  EXPECT_EQ(folded.PartOf(kWorker).voluntary, 1u);
  EXPECT_EQ(folded.PartOf(kLoop).run, Nanos(0)) << "the number is a stranger's now";
  EXPECT_EQ(folded.Core().foreign, Nanos(10));
  // The grandchild of a living one.
  Folded family;
  family.Fork(1000, kTaskOf[kWorker], 600).Fork(1001, 600, 601).Switch(1100, 0, 601).Until(3000);
  EXPECT_EQ(family.PartOf(kWorker).run, Nanos(900));
}

TEST(TraceFold, APartThatIsNotOfThisFoldIsForeign) {
  Folded folded;
  folded.names().AddPart("worker x.0");
  folded.names().SetPart(900, 4);
  folded.Switch(1000, 0, 900).Until(3000);
  EXPECT_EQ(folded.Core().foreign, Nanos(1000));
}

TEST(TraceFold, ALossLeavesAGapInWhichNothingIsBooked) {
  Folded folded;
  folded.Switch(900, 0, kTaskOf[kLoop])
      .Switch(1000, kTaskOf[kLoop], kTaskOf[kWorker])
      .Waking(1050, kTaskOf[kLoop])
      .Of(Kind::kIrqEntry, 1090)
      .Of(Kind::kLost, 1100, 17)
      .Switch(1300, kTaskOf[kWorker], kTaskOf[kLoop])
      .Until(3000);
  const auto record = folded.Take();
  EXPECT_TRUE(record.gap);
  EXPECT_EQ(record.cores[0].lost, 17u);
  EXPECT_EQ(record.cores[0].worker + record.cores[0].irq, Nanos(0))
      << "what was last known is not known to have gone on";
  EXPECT_EQ(record.cores[0].loop, Nanos(700));
  EXPECT_EQ(record.parts[kWorker].slice.count(), 0u);
  EXPECT_EQ(record.parts[kLoop].runqueue.count(), 0u) << "it may have run in between";
  // A loss before the window is told, and leaves no gap in it; one of a core that is not kept does.
  Folded early;
  early.Of(Kind::kLost, 500, 3).Until(3000);
  EXPECT_FALSE(early.Take().gap);
  EXPECT_EQ(early.Take().cores[0].lost, 3u);
  Folded elsewhere;
  elsewhere.Of(Kind::kLost, 1500, 3, /*cpu=*/7).Until(3000);
  EXPECT_TRUE(elsewhere.Take().gap);
}

TEST(TraceFold, ALossOfOneCoreTellsNothingOfTheTasksOfOthers) {
  Folded folded;
  folded.Switch(800, kTaskOf[kLoop], 0, State::kSleeping, 2)
      .Switch(810, kTaskOf[kWorker], kForeign, State::kSleeping, 0)
      .Waking(820, kTaskOf[kWorker])
      .Waking(900, kTaskOf[kLoop], 2)
      .Of(Kind::kLost, 950, 3, /*cpu=*/0)
      .Switch(960, 0, kForeign, State::kSleeping, 0)
      .Switch(1100, 0, kTaskOf[kLoop], State::kSleeping, 2)
      .Until(3000);
  EXPECT_FALSE(folded.Take().gap);
  ASSERT_EQ(folded.PartOf(kLoop).wake.count(), 1u);
  EXPECT_EQ(folded.PartOf(kLoop).wake.max(), 200);
  // Whether the worker still waits nobody knows, and so nobody holds it.
  EXPECT_TRUE(folded.PartOf(kWorker).held_by.empty());
}

TEST(TraceFold, OfATaskThatDiedNothingIsLeftForAnotherOfItsNumber) {
  Folded folded;
  folded.Switch(900, 0, kTaskOf[kWorker]).Switch(1100, kTaskOf[kWorker], 0, State::kDead);
  folded.names().ForgetTask(kTaskOf[kWorker]);
  folded.Switch(1200, 0, kTaskOf[kWorker]).Switch(1250, kTaskOf[kWorker], 0).Until(3000);
  EXPECT_EQ(folded.Core().worker, Nanos(100));
  EXPECT_EQ(folded.Core().foreign, Nanos(50));
}

TEST(TraceFold, ASwitchOutOfIdleThatIsInferredLateTakesItsTimeBackFromIdle) {
  for (const int tid : {kTaskOf[kWorker], kForeign}) {
    Folded folded;
    folded.Switch(1000, kForeign, 0)
        .Waking(1350, kTaskOf[kLoop])
        .Migrate(1351, kTaskOf[kLoop], 2, 0)  // books the core up to here
        .Switch(1300, 0, tid, State::kPreempted, 0, -1)
        .Switch(1400, tid, 0)
        .Until(3000);
    EXPECT_EQ(folded.Core().worker + folded.Core().foreign, Nanos(100)) << tid;
    EXPECT_EQ(folded.Core().idle, Nanos(900)) << tid;
    EXPECT_EQ(folded.PartOf(kWorker).run, Nanos(tid == kForeign ? 0 : 100));
    EXPECT_EQ(Sum(folded.Core()), 1000);
  }
}

TEST(TraceFold, AnInferredSwitchBehindTheWindowsBeginTakesNoMoreThanTheWindowHas) {
  Folded folded;
  folded.Switch(500, kForeign, 0)
      .Until(1200)
      .Switch(900, 0, kTaskOf[kWorker], State::kPreempted, 0, -1)
      .Switch(1300, kTaskOf[kWorker], 0)
      .Until(3000);
  EXPECT_EQ(folded.Core().worker, Nanos(300));
  EXPECT_EQ(folded.Core().idle, Nanos(700));
}

TEST(TraceFold, LateSwitchesInARowTakeNoMoreFromIdleThanItHad) {
  Folded folded;
  folded.Switch(1000, kForeign, kTaskOf[kWorker])
      .Switch(1300, kTaskOf[kWorker], 0)
      .Waking(1400, kTaskOf[kLoop])
      .Migrate(1400, kTaskOf[kLoop], 2, 0)  // books the core up to here
      .Switch(1310, 0, kForeign, State::kPreempted, 0, -1)
      .Switch(1311, kForeign, 0)
      .Switch(1312, 0, kForeign, State::kPreempted, 0, -1)
      .Until(3000);
  EXPECT_GE(folded.Core().idle, Nanos(0));
  EXPECT_EQ(folded.Core().worker, Nanos(300));
  EXPECT_EQ(Sum(folded.Core()), 1000);
}

TEST(TraceFold, TheFrequencyIsTheMeanOverTheTimeItIsKnown) {
  Folded folded;
  EXPECT_FALSE(folded.Core().frequency);
  folded.Switch(900, 0, kTaskOf[kWorker])
      .Of(Kind::kFrequency, 1200, 1'000'000)
      .Of(Kind::kFrequency, 1600, 2'000'000)
      .Until(3000);
  ASSERT_TRUE(folded.Core().frequency);
  EXPECT_DOUBLE_EQ(*folded.Core().frequency, 1.5e9);
}

TEST(TraceFold, EventsThatTellNoTimeChangeNothing) {
  Folded folded;
  folded.Switch(1000, 0, kTaskOf[kWorker]);
  for (const Kind kind :
       {Kind::kExec, Kind::kExit, Kind::kTimerExpire, Kind::kPageFault, Kind::kIdleEnter, Kind::kIdleExit}) {
    folded.Of(kind, 1100, 3, 0, kTaskOf[kWorker]);
  }
  folded.Until(3000);
  EXPECT_EQ(folded.Core().worker, Nanos(1000));
}

TEST(TraceFold, TenThousandTasksAreToldInBoundedSpace) {
  Folded folded(0, 100'000'000);
  std::int64_t at = 1000;
  folded.Switch(at, 0, kTaskOf[kWorker]);
  for (int i = 0; i < 10'000; ++i) {
    const int tid = 5000 + i;
    folded.Name(tid, ("t" + std::to_string(i)).c_str());
    folded.Switch(at += 10, kTaskOf[kWorker], tid, State::kPreempted);
    folded.Switch(at += 10 + (i == 9'000 ? 500 : 0), tid, kTaskOf[kWorker], State::kDead);
  }
  folded.Until(200'000'000);
  const auto part = folded.PartOf(kWorker);
  EXPECT_EQ(part.involuntary, 10'000u);
  ASSERT_EQ(part.held_by.size(), 5u);
  EXPECT_EQ(part.held_by[0].task, "(others)") << "beyond the first 256 they count together";
  EXPECT_EQ(part.held_by[0].part, "");
  const Nanos all = Nanos(10'000 * 10 + 500);
  EXPECT_EQ(part.preempted, all);
  EXPECT_GE(part.held_by[0].time, all - Nanos(256 * 10));
  const auto core = folded.Core();
  EXPECT_EQ(core.foreign, all);
  ASSERT_EQ(core.foreign_tasks.size(), 5u);
  EXPECT_EQ(core.foreign_tasks[0].task, "(others)");
}

// Any sequence at all, in order of time or not: no time is negative, and from the first event of a core on its times
// add up to the window.
TEST(TraceFold, ForAnySequenceTheTimesOfACoreAreNotNegativeAndAddUp) {
  for (std::uint32_t round = 0; round < 400; ++round) {
    const bool late = round % 2 == 1;
    // In a short one, a few late events are much.
    const std::int64_t end = round % 4 < 2 ? 50'000 : 3'000;
    Folded folded(1'000, end);
    // Both cores are known from before the window.
    folded.Switch(1, 0, kForeign).Switch(1, 0, kTaskOf[kWorker], State::kSleeping, 2);
    const int tids[] = {0, 1000, 1001, 1002, 1003, 77, 78, 79};
    std::int64_t now = 2;
    for (std::uint32_t i = 0; i < 600; ++i) {
      const auto words = RandomWords(5, round, i), more = RandomWords(6, round, i);
      now += words[0] % 200;
      const std::int64_t at = late && words[1] % 4 == 0 ? std::max<std::int64_t>(1, now - words[2] % 900) : now;
      TraceEvent event = {.at = Nanos(at),
                          .value = words[3] % 4,
                          .tid = tids[more[0] % 8],
                          .other = tids[more[1] % 8],
                          .cpu = static_cast<std::int16_t>(more[2] % 3),
                          .priority = 120,
                          .kind = static_cast<Kind>(more[3] % (static_cast<std::uint32_t>(Kind::kPart) + 1)),
                          .state = static_cast<State>(words[2] % 6)};
      if (words[2] % 3 == 0) event.kind = Kind::kSwitch;
      if (event.kind == Kind::kMigrate) event.value = std::int64_t{words[3] % 3} << 32 | (words[3] >> 8) % 3;
      folded.Event(event);
    }
    folded.Until(60'000);
    for (const auto& core : folded.Take().cores) {
      EXPECT_EQ(Sum(core), end - 1'000) << "round " << round << " core " << core.cpu;
      for (const Nanos time : {core.worker, core.loop, core.source, core.rig, core.foreign, core.irq, core.idle}) {
        EXPECT_GE(time, Nanos(0)) << "round " << round << " core " << core.cpu;
      }
    }
    Nanos run{0}, shares{0};
    for (const auto& part : folded.Take().parts) {
      run += part.run;
      EXPECT_GE(part.run, Nanos(0)) << round;
      EXPECT_GE(part.preempted, Nanos(0)) << round;
      for (const auto& holder : part.held_by) EXPECT_GT(holder.time, Nanos(0));
    }
    for (const auto& core : folded.Take().cores) shares += core.worker + core.loop + core.source + core.rig;
    EXPECT_EQ(run, shares) << round;
  }
}

}  // namespace
}  // namespace corerig
