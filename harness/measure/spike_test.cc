// Each cause of a late sample as a sequence of events laid out by hand, and random ones: whatever the trace says, the
// causes add up to the delay.

#include "harness/measure/spike.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/base/philox.h"

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;
using Cause = SpikeCause::Kind;
using Left = TraceEvent::State;

constexpr int kLoop = 20, kSource = 10, kHog = 4711, kWaker = 30;
constexpr std::int64_t kDue = 1'000'000'000;

// Microseconds after the sample was due.
Nanos At(double micros) { return Nanos(kDue + static_cast<std::int64_t>(micros * 1000)); }

class Spike : public testing::Test {
 protected:
  Spike() {
    subject_.part = "stream.imu";
    subject_.loop = "flight";
    subject_.sample = 10'432;
    subject_.source = {.tid = kSource, .core = 1, .name = "the source (fifo:90)"};
    subject_.thread = {.tid = kLoop, .core = 0, .name = "its loop (flight, fifo:80)"};
    subject_.usual = {.lateness = Nanos(5'000),
                      .transport = Nanos(3'000),
                      .queue = Nanos(10'000),
                      .service = Nanos(3'000),
                      .service_p99 = Nanos(6'000)};
    evidence_.from = At(-1000);
    evidence_.roles = {{kLoop, "loop flight"}, {kSource, "source"}, {30, "worker price.0"}};
    evidence_.tasks = {{kHog, "hog"}, {kLoop, "flight"}, {kSource, "source"}, {30, "price.0"}};
    evidence_.interrupts = {{{Kind::kVectorEntry, 0}, "local_timer"}, {{Kind::kIrqEntry, 24}, "irq 24 virtio0"}};
  }

  void Event(double at, Kind kind, int cpu, int tid = 0, int other = 0, Left state = Left::kSleeping,
             std::int64_t value = 0, int priority = 120) {
    TraceEvent event;
    event.at = At(at);
    event.kind = kind;
    event.cpu = static_cast<std::int16_t>(cpu);
    event.tid = tid;
    event.other = other;
    event.state = state;
    event.value = value;
    event.priority = static_cast<std::int16_t>(priority);
    evidence_.events.push_back(event);
  }
  void Switch(double at, int cpu, int from, int to, Left state = Left::kSleeping, int priority = 120) {
    Event(at, Kind::kSwitch, cpu, to, from, state, 0, priority);
  }
  void Waking(double at, int cpu, int tid, int by) { Event(at, Kind::kWaking, cpu, tid, by); }

  // A source that is on time: sent 3 µs after due, stamped 5 µs after it, and goes to sleep.
  void PunctualSource() {
    subject_.stamps.sent = At(3);
    subject_.stamps.kernel = At(5);
    Event(0.5, Kind::kTimerExpire, 1, 0, 0, Left::kSleeping, kDue);
    Waking(0.8, 1, kSource, 0);
    Switch(1.5, 1, 0, kSource, Left::kPreempted, 9);
    Switch(12, 1, kSource, 0);
  }
  void Stamps(double woken, double begin, double done) {
    subject_.stamps.due = At(0);
    subject_.stamps.woken = At(woken);
    subject_.stamps.begin = At(begin);
    subject_.stamps.done = At(done);
  }
  // A timer's sample has no source.
  void OfTimer() {
    subject_.part = "stream.tick";
    subject_.source = {};
  }

  SpikeRecord Explain() {
    std::stable_sort(evidence_.events.begin(), evidence_.events.end(),
                     [](const TraceEvent& a, const TraceEvent& b) { return a.at < b.at; });
    if (evidence_.until == Nanos(0)) evidence_.until = subject_.stamps.done + Nanos(100'000);
    const SpikeRecord record = ExplainSpike(subject_, evidence_, context_);
    EXPECT_EQ(record.delay, subject_.stamps.done - subject_.stamps.due);
    Nanos sum{0};
    for (const auto& cause : record.causes) {
      EXPECT_GT(cause.duration, Nanos(0)) << cause.text;
      sum += cause.duration;
    }
    EXPECT_EQ(sum, record.delay) << record.text;
    // What is usual is told once, and last.
    for (std::size_t i = 0; i + 1 < record.causes.size(); ++i) EXPECT_NE(record.causes[i].kind, Cause::kUsual) << i;
    return record;
  }
  // The first cause, which is the longest.
  static void ExpectFirst(const SpikeRecord& record, Cause kind, double micros, const std::string& text) {
    ASSERT_FALSE(record.causes.empty());
    EXPECT_EQ(ToText(record.causes[0].kind), ToText(kind)) << record.text;
    EXPECT_EQ(record.causes[0].duration, Nanos(static_cast<std::int64_t>(micros * 1000))) << record.text;
    EXPECT_NE(record.text.find(text), std::string::npos) << record.text;
  }

  SpikeSubject subject_;
  SpikeEvidence evidence_;
  SpikeContext context_;
};

TEST_F(Spike, AnotherTaskHeldTheCore) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Switch(-100, 0, 0, kHog, Left::kPreempted, 9);
  Waking(6, 1, kLoop, kSource);
  Switch(2276, 0, kHog, kLoop, Left::kSleeping, 19);
  Stamps(2280, 2281, 2310);
  subject_.usual.service = Nanos(30'000);
  const SpikeRecord record = Explain();
  EXPECT_EQ(
      record.text,
      "stream imu sample 10432 was 2.31 ms late: its loop (flight, fifo:80) was ready on core 0 but 'hog' (foreign, "
      "fifo:90, pid 4711) held the core for 2.27 ms; the rest, 40.0 µs, is usual");
  ASSERT_EQ(record.causes.size(), 2u);
  EXPECT_EQ(record.causes[0].core, 0);
  EXPECT_EQ(record.causes[0].tid, kHog);
  EXPECT_EQ(record.causes[0].task, "hog");
  EXPECT_EQ(record.causes[0].role, "foreign");
  EXPECT_EQ(record.part, "stream.imu");
  EXPECT_EQ(record.sample, 10'432u);
}

TEST_F(Spike, TheSourceWasKeptFromItsCore) {
  Switch(-50, 1, kSource, 0);
  Event(0.5, Kind::kTimerExpire, 1, 0, 0, Left::kSleeping, kDue);
  Waking(1, 1, kSource, 0);
  Switch(-40, 1, 0, kWaker, Left::kSleeping, 120);
  Switch(901, 1, kWaker, kSource, Left::kPreempted, 9);
  subject_.stamps.sent = At(903);
  subject_.stamps.kernel = At(905);
  Switch(-500, 0, kLoop, 0);
  Waking(906, 1, kLoop, kSource);
  Switch(908, 0, 0, kLoop);
  Stamps(912, 913, 916);
  ExpectFirst(Explain(), Cause::kCoreHeld, 900,
              "the source (fifo:90) was ready on core 1 but 'price.0' (worker price.0, nice 0, pid 30) held");
}

TEST_F(Spike, TheTimerInterruptWasLateOnAnIdleCore) {
  OfTimer();
  Switch(-500, 0, kLoop, 0);
  Event(300, Kind::kVectorEntry, 0);
  Event(301, Kind::kTimerExpire, 0, 0, 0, Left::kSleeping, kDue);
  Waking(302, 0, kLoop, 0);
  Event(304, Kind::kVectorExit, 0);
  Switch(306, 0, 0, kLoop);
  Stamps(310, 310, 312);
  ExpectFirst(Explain(), Cause::kTimerLate, 300,
              "the timer interrupt for its loop (flight, fifo:80) came 300 µs late on core 0 (idle exit)");
}

TEST_F(Spike, ATimerThatAnotherCoreKeptIsToldWithThatCore) {
  OfTimer();
  Switch(-500, 0, kLoop, 0);
  Switch(-400, 1, 0, kHog);
  Event(300, Kind::kTimerExpire, 1, 0, 0, Left::kSleeping, kDue);
  Waking(300, 1, kLoop, kHog);
  Switch(306, 0, 0, kLoop);
  Stamps(310, 310, 312);
  ExpectFirst(Explain(), Cause::kTimerLate, 300, "came 300 µs late on core 1 (which 'hog' had)");
}

TEST_F(Spike, TheTimerOfAnEarlierTickExplainsNothing) {
  OfTimer();
  Switch(-500, 0, kLoop, 0);
  Event(301, Kind::kTimerExpire, 0, 0, 0, Left::kSleeping, kDue - 1'000'000);
  Waking(302, 0, kLoop, kHog);
  Switch(306, 0, 0, kLoop);
  Stamps(310, 310, 312);
  ExpectFirst(Explain(), Cause::kBlocked, 302, "slept for 302 µs until 'hog' woke it");
}

TEST_F(Spike, AnInterruptTookTheCore) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Event(9, Kind::kIrqEntry, 0, kLoop, 0, Left::kSleeping, 24);
  Event(709, Kind::kIrqExit, 0, kLoop, 0, Left::kSleeping, 24);
  Stamps(713, 714, 717);
  ExpectFirst(Explain(), Cause::kInterrupt, 700,
              "irq 24 virtio0 took core 0 from its loop (flight, fifo:80) for 700 µs");
}

TEST_F(Spike, TheSourceWasAtWorkOnEarlierFrames) {
  Switch(-300, 1, 0, kSource);
  subject_.stamps.sent = At(400);
  subject_.stamps.kernel = At(402);
  Switch(420, 1, kSource, 0);
  Switch(-500, 0, kLoop, 0);
  Waking(403, 1, kLoop, kSource);
  Switch(405, 0, 0, kLoop);
  Stamps(409, 410, 413);
  ExpectFirst(Explain(), Cause::kSourceBusy, 400, "the source (fifo:90) was at work on earlier frames for 400 µs");
}

TEST_F(Spike, ASourceThatWasWokenForTheSampleWasNotAtWorkOnEarlierOnes) {
  Switch(-300, 1, kSource, 0);
  Event(0.5, Kind::kTimerExpire, 1, 0, 0, Left::kSleeping, kDue);
  Waking(1, 1, kSource, 0);
  Switch(2, 1, 0, kSource);
  subject_.stamps.sent = At(400);
  subject_.stamps.kernel = At(402);
  Switch(420, 1, kSource, 0);
  Switch(-500, 0, kLoop, 0);
  Waking(403, 1, kLoop, kSource);
  Switch(405, 0, 0, kLoop);
  Stamps(409, 410, 413);
  ExpectFirst(Explain(), Cause::kUnexplained, 393, "on core 1 is unexplained (host or firmware)");
}

TEST_F(Spike, AnEarlierSamplesCallbackWasLong) {
  PunctualSource();
  Switch(-700, 0, 0, kLoop);
  Stamps(1500, 1501, 1504);
  subject_.stamps.earlier_begin = At(-600);
  subject_.stamps.earlier_done = At(1495);
  ExpectFirst(Explain(), Cause::kEarlierCallback, 1490,
              "its loop (flight, fifo:80) was in an earlier sample's callback for 1.49 ms");
}

TEST_F(Spike, ItsOwnCallbackWasLongWhereTimersShowThatTheCoreWorked) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Stamps(12, 13, 9013);
  Event(4000, Kind::kTimerExpire, 0, kLoop, 0, Left::kSleeping, At(3999).count());
  Event(8000, Kind::kTimerExpire, 0, kLoop, 0, Left::kSleeping, At(7998).count());
  ExpectFirst(Explain(), Cause::kCallback, 8997, "its own callback ran 9.00 ms longer than the usual 3.00 µs");
}

TEST_F(Spike, AGapInTheCallbackWithoutAnyEventIsUnexplained) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Stamps(12, 13, 2013);
  context_.steal = {{0, 0.031}};
  ExpectFirst(Explain(), Cause::kUnexplained, 1997,
              "2.00 ms on core 0 is unexplained (host or firmware); the hypervisor took 3.10 % of it in this window");
}

TEST_F(Spike, ACoreThatServesItsTimerLateWasStopped) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Stamps(12, 13, 2013);
  // Punctual, then 1.5 ms late: that part nobody explains, the rest is the callback's.
  Event(100, Kind::kTimerExpire, 0, kLoop, 0, Left::kSleeping, At(100).count());
  Event(1900, Kind::kTimerExpire, 0, kLoop, 0, Left::kSleeping, At(400).count());
  const SpikeRecord record = Explain();
  ExpectFirst(record, Cause::kUnexplained, 1500, "1.50 ms on core 0 is unexplained");
  EXPECT_EQ(record.causes[1].kind, Cause::kCallback);
}

TEST_F(Spike, ACallbackThatOneInAHundredIsAsLongAsIsTheCallbacks) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Stamps(12, 13, 2013);
  subject_.usual.service_p99 = Nanos(2'000'000);
  ExpectFirst(Explain(), Cause::kCallback, 1997, "its own callback ran 2.00 ms longer than the usual 3.00 µs");
  subject_.usual.service_p99 = Nanos(1'999'999);
  ExpectFirst(Explain(), Cause::kUnexplained, 1997, "unexplained");
}

TEST_F(Spike, WhatTheCoresFrequencyDidBesideAGapIsTold) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Stamps(12, 13, 2013);
  Event(-200, Kind::kFrequency, 0, 0, 0, Left::kSleeping, 900'000);
  Event(500, Kind::kFrequency, 0, 0, 0, Left::kSleeping, 600'000);
  Event(600, Kind::kFrequency, 1, 0, 0, Left::kSleeping, 1'200'000);
  context_.steal = {{0, 0.0005}, {1, 0.5}};
  const SpikeRecord record = Explain();
  EXPECT_NE(record.text.find("is unexplained (host or firmware); meanwhile the core went to 600 MHz; the rest"),
            std::string::npos)
      << record.text;
}

TEST_F(Spike, APageFaultOfAnotherTaskIsNoneOfItsOwn) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Stamps(12, 13, 2013);
  Event(500, Kind::kPageFault, 0, kHog);
  Event(500, Kind::kPageFault, 1, kLoop);
  Event(5, Kind::kPageFault, 0, kLoop);
  ExpectFirst(Explain(), Cause::kUnexplained, 1997, "unexplained");
}

TEST_F(Spike, OneThatSleptInItsCallbackWasNotLateForItsTimer) {
  OfTimer();
  Switch(-700, 0, 0, kLoop);
  Event(0.5, Kind::kTimerExpire, 0, 0, 0, Left::kSleeping, kDue);
  Switch(50, 0, kLoop, 0);
  Waking(900, 1, kLoop, kHog);
  Switch(902, 0, 0, kLoop);
  Stamps(905, 906, 909);
  ExpectFirst(Explain(), Cause::kBlocked, 850, "slept for 850 µs until 'hog' woke it");
}

TEST_F(Spike, SleepsThatDifferentTasksEndedAreToldApart) {
  OfTimer();
  Switch(-700, 0, 0, kLoop);
  Switch(50, 0, kLoop, 0);
  Waking(450, 1, kLoop, kHog);
  Switch(450, 0, 0, kLoop);
  Switch(460, 0, kLoop, 0);
  Waking(760, 1, kLoop, kWaker);
  Switch(760, 0, 0, kLoop);
  Stamps(765, 766, 769);
  const SpikeRecord record = Explain();
  ExpectFirst(record, Cause::kBlocked, 400, "slept for 400 µs until 'hog' woke it");
  EXPECT_EQ(record.causes[1].duration, Nanos(300'000)) << record.text;
  EXPECT_NE(record.text.find("slept for 300 µs until 'price.0' woke it"), std::string::npos) << record.text;
}

TEST_F(Spike, ATimerThatIsLateByMoreThanAnIdleStateTakesIsTheHosts) {
  OfTimer();
  Switch(-500, 0, kLoop, 0);
  Event(2001, Kind::kTimerExpire, 0, 0, 0, Left::kSleeping, kDue);
  Waking(2001, 0, kLoop, 0);
  Switch(2006, 0, 0, kLoop);
  Stamps(2010, 2010, 2012);
  ExpectFirst(Explain(), Cause::kTimerLate, 2001,
              "came 2.00 ms late on core 0 (it was idle: idle exit, host or firmware)");
}

TEST_F(Spike, ALoopThatIsWokenWhileItRunsDoesNotHoldItsCoreFromItself) {
  PunctualSource();
  Waking(6, 1, kLoop, kSource);
  Switch(900, 0, kLoop, 0);
  Stamps(7, 8, 890);
  for (const auto& cause : Explain().causes) EXPECT_NE(cause.kind, Cause::kCoreHeld) << cause.text;
}

TEST_F(Spike, ADeliveryThatNobodyWasAtWorkOnIsUnexplained) {
  PunctualSource();  // which sleeps from 12 µs on
  Switch(-500, 0, kLoop, 0);
  Waking(800, 1, kLoop, kHog);
  Switch(802, 0, 0, kLoop);
  Stamps(806, 807, 810);
  ExpectFirst(Explain(), Cause::kUnexplained, 788, "788 µs on core 0 is unexplained (host or firmware)");
}

TEST_F(Spike, ASleepAfterWhichThereWasAPageFaultWasNone) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Event(10, Kind::kPageFault, 0, kLoop);  // before its callback
  Switch(25, 0, kLoop, 0, Left::kUninterruptible);
  Waking(825, 0, kLoop, kHog);
  Switch(830, 0, 0, kLoop);
  Event(832, Kind::kPageFault, 0, kLoop);
  Stamps(12, 13, 840);
  const SpikeRecord record = Explain();
  ExpectFirst(record, Cause::kBlocked, 800, "slept for 800 µs until 'hog' woke it");
}

TEST_F(Spike, PageFaultsInTheCallback) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(8, 0, 0, kLoop);
  Event(20, Kind::kPageFault, 0, kLoop);
  Switch(25, 0, kLoop, 0, Left::kUninterruptible);
  Waking(825, 0, kLoop, 0);
  Switch(830, 0, 0, kLoop);
  Stamps(12, 13, 840);
  // Asleep for 800 µs, and 19 µs more at work than is usual.
  ExpectFirst(Explain(), Cause::kPageFault, 819, "page faults of its loop (flight, fifo:80) took 819 µs");
}

TEST_F(Spike, LeavingIdleTookLong) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  Waking(6, 1, kLoop, kSource);
  Switch(256, 0, 0, kLoop);
  Stamps(260, 261, 264);
  ExpectFirst(Explain(), Cause::kIdleExit, 250, "was ready, and core 0 took 250 µs to leave idle");
}

TEST_F(Spike, ADelayedDeliveryIsTheSourcesDoing) {
  PunctualSource();
  evidence_.events.pop_back();  // the source does not go to sleep, but loses its core before it has told the loop
  Switch(6, 1, kSource, kHog, Left::kPreempted, 5);
  Switch(506, 1, kHog, kSource);
  Waking(508, 1, kLoop, kSource);
  Switch(-500, 0, kLoop, 0);
  Switch(510, 0, 0, kLoop);
  Stamps(514, 515, 518);
  ExpectFirst(Explain(), Cause::kCoreHeld, 500, "the source (fifo:90) was ready on core 1 but 'hog'");
}

TEST_F(Spike, ALoopsDelayBeforeItRan) {
  subject_ = {};
  subject_.part = "loop.flight";
  subject_.loop = "flight";
  subject_.thread = {.tid = kLoop, .core = 0, .name = "it (fifo:80)"};
  subject_.stamps.due = At(0);
  subject_.stamps.done = At(600);
  Switch(-500, 0, kLoop, kHog, Left::kSleeping, 9);
  Waking(0, 1, kLoop, kWaker);
  Switch(600, 0, kHog, kLoop);
  const SpikeRecord record = Explain();
  EXPECT_EQ(record.text,
            "loop flight was ready for 600 µs before it ran: it (fifo:80) was ready on core 0 but 'hog' (foreign, "
            "fifo:90, pid 4711) held the core for 600 µs");
  EXPECT_FALSE(record.sample.has_value());
}

TEST_F(Spike, WithoutEventsNothingIsExplained) {
  Stamps(500, 501, 600);
  subject_.stamps.sent = At(100);
  subject_.stamps.kernel = At(101);
  const SpikeRecord record = Explain();
  ASSERT_FALSE(record.causes.empty());
  for (const auto& cause : record.causes) {
    const bool small = cause.kind == Cause::kUsual && cause.duration < record.delay / 20;
    EXPECT_TRUE(small || cause.kind == Cause::kUnexplained) << cause.text;
  }
}

TEST_F(Spike, WithoutATraceTheStampsAreTold) {
  Stamps(500, 501, 600);
  subject_.stamps.sent = At(100);
  subject_.stamps.kernel = At(101);
  evidence_.absent = "no scheduling trace: tracefs cannot be mounted";
  EXPECT_EQ(
      Explain().text,
      "stream imu sample 10432 was 600 µs late: it waited 400 µs for its loop (flight, fifo:80), it was sent 100 µs "
      "late, its own callback took 99.0 µs, and smaller ones for 1.00 µs; why is unknown: no scheduling trace: "
      "tracefs cannot be mounted");
}

TEST_F(Spike, ALosslessStreamsFrameThatWaitedForRoomIsNotTheSourcesDoing) {
  for (const char* const absent : {"", "no tracefs"}) {
    evidence_ = {};
    evidence_.absent = absent;
    Stamps(905, 906, 910);
    subject_.stamps.ready = At(20);
    subject_.stamps.sent = At(900);
    subject_.stamps.kernel = At(901);
    const SpikeRecord record = Explain();
    ExpectFirst(record, Cause::kNoRoom, 880, "it waited 880 µs for its receiver to make room");
    for (const auto& cause : record.causes) {
      if (cause.kind != Cause::kNoRoom) {
        EXPECT_LE(cause.duration, Nanos(25'000)) << cause.text;
      }
    }
  }
  // One that says it would have been sent after it was is no sample of ours: nothing is made of it.
  Stamps(905, 906, 910);
  subject_.stamps.ready = At(2000);
  subject_.stamps.sent = At(900);
  for (const auto& cause : Explain().causes) EXPECT_NE(cause.kind, Cause::kNoRoom);
}

TEST_F(Spike, WhatIsBeyondTheKeptEventsIsNotBlamedOnTheHost) {
  PunctualSource();
  Switch(-500, 0, kLoop, 0);
  evidence_.until = At(20);
  evidence_.cut = true;
  Stamps(900, 901, 904);
  const SpikeRecord record = Explain();
  ExpectFirst(record, Cause::kUnexplained, 884, "the trace was too long to be kept");
  EXPECT_EQ(record.text.find("host"), std::string::npos) << record.text;
}

// Whatever the events and the stamps, causes are positive and add up; and what no task, interrupt or timer event is
// there for is not blamed on one.
TEST_F(Spike, RandomTracesAddUp) {
  int held = 0, interrupts = 0, late = 0, unexplained = 0;
  for (std::uint32_t run = 0; run < 20'000; ++run) {
    std::uint32_t drawn = 0;
    const auto draw = [&](std::uint32_t below) {
      ++drawn;
      return static_cast<int>(RandomWords(7, run, drawn)[0] % below);
    };
    evidence_.events.clear();
    evidence_.until = Nanos(0);
    const int tids[] = {0, kSource, kLoop, kHog, kWaker};
    const auto any_tid = [&] { return tids[draw(5)]; };
    const int events = draw(40);
    bool any_interrupt = false, any_hog = false, any_expiry = false;
    for (int i = 0; i < events; ++i) {
      const double at = draw(4'000) - 1'000;
      const int cpu = draw(2);
      switch (draw(6)) {
        case 0:
        case 1: {
          const int to = any_tid(), from = any_tid();
          any_hog = any_hog || to == kHog || from == kHog;
          Switch(at, cpu, from, to, static_cast<Left>(draw(6)), draw(140) - 1);
          break;
        }
        case 2:
          Waking(at, cpu, any_tid(), any_tid());
          break;
        case 3:
          any_interrupt = true;
          Event(at, static_cast<Kind>(static_cast<int>(Kind::kIrqEntry) + draw(6)), cpu, 0, 0, Left::kSleeping,
                draw(2));
          break;
        case 4:
          any_expiry = true;
          Event(at, Kind::kTimerExpire, cpu, 0, 0, Left::kSleeping, draw(2) == 0 ? kDue : At(draw(3'000)).count());
          break;
        default:
          Event(at, Kind::kPageFault, cpu, any_tid());
      }
    }
    const auto stamp = [&] { return draw(8) == 0 ? Nanos(0) : At(draw(3'200) - 100); };
    Stamps(0, 0, 0);
    subject_.stamps.sent = stamp();
    subject_.stamps.ready = draw(2) == 0 ? stamp() : Nanos(0);
    subject_.stamps.kernel = stamp();
    subject_.stamps.woken = stamp();
    subject_.stamps.earlier_begin = stamp();
    subject_.stamps.earlier_done = stamp();
    subject_.stamps.begin = stamp();
    subject_.stamps.done = At(draw(3'000));
    subject_.source.tid = draw(2) == 0 ? kSource : 0;
    const SpikeRecord record = Explain();
    ASSERT_FALSE(testing::Test::HasFailure()) << "run " << run << ": " << record.text;
    for (const auto& cause : record.causes) {
      ASSERT_TRUE(any_interrupt || cause.kind != Cause::kInterrupt) << run;
      ASSERT_TRUE(any_expiry || cause.kind != Cause::kTimerLate) << run;
      ASSERT_TRUE(any_hog || cause.tid != kHog) << run;
      if (events == 0) {
        ASSERT_TRUE(cause.kind == Cause::kUnexplained || cause.kind == Cause::kUsual || cause.kind == Cause::kNoRoom)
            << run;  // small change is usual
      }
      held += cause.kind == Cause::kCoreHeld;
      interrupts += cause.kind == Cause::kInterrupt;
      late += cause.kind == Cause::kTimerLate;
      unexplained += cause.kind == Cause::kUnexplained;
    }
  }
  // The cases were there.
  EXPECT_GT(held, 500);
  EXPECT_GT(interrupts, 500);
  EXPECT_GT(late, 100);
  EXPECT_GT(unexplained, 500);
}

TEST(ClassOf, IsWhatAUserWrites) {
  EXPECT_EQ(ClassOf(9), "fifo:90");
  EXPECT_EQ(ClassOf(0), "fifo:99");
  EXPECT_EQ(ClassOf(98), "fifo:1");
  EXPECT_EQ(ClassOf(120), "nice 0");
  EXPECT_EQ(ClassOf(139), "nice 19");
  EXPECT_EQ(ClassOf(100), "nice -20");
  EXPECT_EQ(ClassOf(-1), "");
}

}  // namespace
}  // namespace corerig
