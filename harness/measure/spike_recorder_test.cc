#include "harness/measure/spike_recorder.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace corerig {
namespace {

using Kind = TraceEvent::Kind;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kSource = 10, kLoop = 20;

TraceEvent Event(Nanos at, Kind kind, int cpu, int tid = 0, int other = 0) {
  TraceEvent event;
  event.at = at;
  event.kind = kind;
  event.cpu = static_cast<std::int16_t>(cpu);
  event.tid = tid;
  event.other = other;
  return event;
}

class SpikeRecording : public testing::Test {
 protected:
  SpikeRecording() {
    TraceNames::Comm hog = {'h', 'o', 'g'};
    names_.SetTask(99, hog);
  }
  void Hand(std::vector<TraceEvent> events, Nanos complete_until) {
    recorder_.OnEvents(events, names_, complete_until);
  }
  // A sample of 2 ms.
  SampleStamps Late(Nanos due) {
    const SampleStamps sample{.sequence = 5, .due = due, .begin = due + milliseconds(1), .done = due + milliseconds(2)};
    worst_->Add(sample);
    return sample;
  }
  // One switch per core every 100 µs.
  static std::vector<TraceEvent> Traffic(Nanos from, Nanos until, int cores = 3) {
    std::vector<TraceEvent> events;
    for (Nanos at = from; at < until; at += microseconds(100)) {
      for (int cpu = 0; cpu < cores; ++cpu) events.push_back(Event(at, Kind::kSwitch, cpu, 99, 0));
    }
    return events;
  }

  std::unique_ptr<WorstSamples> worst_ = std::make_unique<WorstSamples>();
  SpikeRecorder recorder_{
      {{.worst = worst_.get(), .source = {"source", 1}, .loop = {"loop flight", 0}}}, {{"loop flight", 0}}, seconds(1)};
  static TraceNames Names() {
    TraceNames names;
    names.AddPart("source");
    names.AddPart("loop flight");
    names.SetPart(kSource, 0);
    names.SetPart(kLoop, 1);
    return names;
  }
  TraceNames names_ = Names();
};

TEST_F(SpikeRecording, KeepsWhatHappenedOnTheCoresConcernedFromAMillisecondBefore) {
  const SampleStamps sample = Late(seconds(2));
  Hand(Traffic(seconds(2) - milliseconds(5), seconds(2) + milliseconds(3)), seconds(2) + milliseconds(3));
  const SpikeEvidence evidence = recorder_.EvidenceOfStream(0, sample);
  EXPECT_EQ(evidence.absent, "");
  EXPECT_FALSE(evidence.cut);
  EXPECT_EQ(evidence.tasks.at(99), "hog");
  ASSERT_FALSE(evidence.events.empty());
  // Before that, the last switch of each core tells who had it.
  EXPECT_EQ(evidence.events[0].at, seconds(2) - milliseconds(1) - microseconds(100));
  int on_third = 0;
  for (const auto& event : evidence.events) on_third += event.cpu == 2;
  EXPECT_EQ(on_third, 0);
  EXPECT_GE(evidence.events.size(), 60u);
  EXPECT_LE(evidence.events.size(), 66u);
}

TEST_F(SpikeRecording, WaitsForTheTraceToComeAsFarAsTheSample) {
  const SampleStamps sample = Late(seconds(2));
  Hand(Traffic(seconds(2) - milliseconds(5), seconds(2) + milliseconds(1)), seconds(2) + milliseconds(1));
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "the trace ended before it");
  Hand(Traffic(seconds(2) + milliseconds(1), seconds(2) + milliseconds(3)), seconds(2) + milliseconds(3));
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "");
}

TEST_F(SpikeRecording, ATimerKeptByAnotherCoreBringsThatCoresEventsAlong) {
  const SampleStamps sample = Late(seconds(2));
  auto events = Traffic(seconds(2) - milliseconds(5), seconds(2) + milliseconds(3));
  TraceEvent expiry = Event(seconds(2) + microseconds(10), Kind::kTimerExpire, 2);
  expiry.value = Nanos(seconds(2)).count();
  events.push_back(expiry);
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  Hand(events, seconds(2) + milliseconds(3));
  int on_third = 0;
  for (const auto& event : recorder_.EvidenceOfStream(0, sample).events) on_third += event.cpu == 2;
  EXPECT_GT(on_third, 20);
}

TEST_F(SpikeRecording, LostEventsOfACoreConcernedAreAGapAndThoseOfOthersAreNot) {
  const SampleStamps sample = Late(seconds(2));
  auto events = Traffic(seconds(2) - milliseconds(5), seconds(2) + milliseconds(3));
  TraceEvent lost = Event(seconds(2) + microseconds(550), Kind::kLost, 2);
  lost.value = 12;
  const auto put = [&] {
    events.push_back(lost);
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  };
  put();
  Hand(events, seconds(2) + milliseconds(3));
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "");

  const SampleStamps again = Late(seconds(3));
  events = Traffic(seconds(3) - milliseconds(5), seconds(3) + milliseconds(3));
  lost.at = seconds(3) + microseconds(550);
  lost.cpu = 1;
  put();
  Hand(events, seconds(3) + milliseconds(3));
  EXPECT_EQ(recorder_.EvidenceOfStream(0, again).absent, "the trace has a gap there (12 events of core 1 lost)");
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "");
}

TEST_F(SpikeRecording, ALossBeforeOrAfterTheSampleIsNoGapInIt) {
  for (const auto& [second, lost_at] : {std::pair(2, -microseconds(950)), std::pair(3, microseconds(2450))}) {
    const SampleStamps sample = Late(seconds(second));
    auto events = Traffic(seconds(second) - milliseconds(5), seconds(second) + milliseconds(3));
    TraceEvent lost = Event(seconds(second) + lost_at, Kind::kLost, 1);
    lost.value = 12;
    events.push_back(lost);
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
    Hand(events, seconds(second) + milliseconds(3));
    EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "") << lost_at.count();
  }
}

TEST_F(SpikeRecording, WaitsForTheEventsThatACoreWritesAMomentLate) {
  const SampleStamps sample = Late(seconds(2));
  Hand(Traffic(seconds(2) - milliseconds(5), sample.done), sample.done + microseconds(199));
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "the trace ended before it");
  Hand({}, sample.done + microseconds(200));
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "");
}

TEST_F(SpikeRecording, TheEventsOfACoreThatAreHandedOverLateAreKept) {
  const SampleStamps sample = Late(seconds(2));
  for (const int cpu : {0, 1}) {
    std::vector<TraceEvent> events;
    for (Nanos at = seconds(2) - milliseconds(30); at < seconds(2) + milliseconds(3); at += microseconds(100)) {
      events.push_back(Event(at, Kind::kSwitch, cpu, 99, 0));
    }
    Hand(events, cpu == 0 ? seconds(1) : seconds(2) + milliseconds(3));
  }
  int of_core[2] = {0, 0};
  for (const auto& event : recorder_.EvidenceOfStream(0, sample).events) ++of_core[event.cpu];
  EXPECT_GE(of_core[0], 30);
  EXPECT_EQ(of_core[0], of_core[1]);
}

TEST_F(SpikeRecording, WakingsOfOthersTakeNoPlace) {
  const SampleStamps sample = Late(seconds(2));
  auto events = Traffic(seconds(2) - milliseconds(5), seconds(2) + milliseconds(3));
  events.push_back(Event(seconds(2) + microseconds(10), Kind::kWaking, 0, 99, 98));
  events.push_back(Event(seconds(2) + microseconds(20), Kind::kWaking, 2, kLoop, 98));
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  Hand(events, seconds(2) + milliseconds(3));
  std::vector<int> woken;
  for (const auto& event : recorder_.EvidenceOfStream(0, sample).events) {
    if (event.kind == Kind::kWaking) woken.push_back(event.tid);
  }
  EXPECT_EQ(woken, std::vector<int>{kLoop}) << "wherever it was woken";
}

TEST_F(SpikeRecording, StampsThatCannotBeHaveNoEvidence) {
  const auto of = [&](Nanos due, Nanos done) {
    const SampleStamps sample{.sequence = 5, .due = due, .done = done};
    worst_->Add(sample);
    Hand(Traffic(seconds(9), seconds(9) + milliseconds(3)), seconds(9) + milliseconds(3));
    return recorder_.EvidenceOfStream(0, sample).absent;
  };
  EXPECT_EQ(of(seconds(2), seconds(1)), "its stamps are not those of a sample");
  EXPECT_EQ(of(-seconds(3), -seconds(2)), "its stamps are not those of a sample");
  EXPECT_EQ(of(-seconds(4'000), seconds(3)), "its stamps are not those of a sample");
}

TEST_F(SpikeRecording, WhatAWorseSampleReplacesGivesItsPlaceBack) {
  // One stall that gets worse forty times, each time with as many events as are kept of one: a quarter of all.
  SampleStamps sample;
  for (int i = 0; i < 40; ++i) {
    sample = {.sequence = 5, .due = seconds(2), .done = seconds(2) + milliseconds(2 + i)};
    worst_->Add(sample);
    std::vector<TraceEvent> events;
    if (i == 0) {
      for (Nanos at = seconds(2) - milliseconds(2); at < seconds(2) + milliseconds(1); at += Nanos(500)) {
        events.push_back(Event(at, Kind::kSwitch, 0, 99, 0));
      }
    }
    Hand(events, seconds(3));
    ASSERT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "") << i;
  }
  ASSERT_EQ(worst_->Read().size(), 1u);
}

TEST_F(SpikeRecording, ALoopsDelayIsFromTheFirstWakingAndNotAcrossALoss) {
  auto slept = Event(milliseconds(1000), Kind::kSwitch, 0, 0, kLoop);
  slept.state = TraceEvent::State::kSleeping;
  Hand({slept, Event(milliseconds(1100), Kind::kWaking, 1, kLoop, kSource),
        Event(milliseconds(1101), Kind::kWaking, 1, kLoop, kSource),
        Event(milliseconds(1103), Kind::kSwitch, 0, kLoop, 0)},
       milliseconds(1200));
  ASSERT_EQ(recorder_.WorstDelays(0).size(), 1u);
  EXPECT_EQ(recorder_.WorstDelays(0)[0].latency(), milliseconds(3));
  slept.at = milliseconds(1300);
  Hand({slept, Event(milliseconds(1400), Kind::kWaking, 1, kLoop, kSource), Event(milliseconds(1401), Kind::kLost, 0),
        Event(milliseconds(1500), Kind::kSwitch, 0, kLoop, 0)},
       milliseconds(1600));
  EXPECT_EQ(recorder_.WorstDelays(0).size(), 1u) << "it may have run in between";
}

TEST_F(SpikeRecording, AnOverwrittenTimeIsAGap) {
  const SampleStamps sample = Late(seconds(2));
  Hand(Traffic(seconds(2) - milliseconds(5), seconds(2) + milliseconds(1)), seconds(2) + milliseconds(1));
  Hand(Traffic(seconds(2) + milliseconds(1), seconds(4)), seconds(4));  // 60,000 events
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent,
            "the trace has a gap there (so many events came that they were overwritten)");
}

TEST_F(SpikeRecording, ATraceThatBeginsLaterSaysSo) {
  const SampleStamps sample = Late(seconds(2));
  Hand(Traffic(seconds(2) + milliseconds(1), seconds(2) + milliseconds(3)), seconds(2) + milliseconds(3));
  EXPECT_EQ(recorder_.EvidenceOfStream(0, sample).absent, "the trace begins later");
}

TEST_F(SpikeRecording, ASliceIsCutWhereItIsTooLong) {
  const SampleStamps sample = Late(seconds(2));
  std::vector<TraceEvent> events;
  for (Nanos at = seconds(2) - milliseconds(2); at < seconds(2) + milliseconds(3); at += Nanos(500)) {
    events.push_back(Event(at, Kind::kSwitch, 0, 99, 0));
  }
  Hand(events, seconds(2) + milliseconds(3));
  const SpikeEvidence evidence = recorder_.EvidenceOfStream(0, sample);
  EXPECT_TRUE(evidence.cut);
  EXPECT_EQ(evidence.events.size(), SpikeRecorder::kMostOfOne);
  EXPECT_LT(evidence.until, sample.done);
}

TEST_F(SpikeRecording, InAllNoMoreIsKeptThanItsLimit) {
  std::vector<SampleStamps> samples;
  for (int i = 0; i < 8; ++i) {
    const Nanos due = seconds(2 + i);
    const SampleStamps sample{
        .sequence = 5, .due = due, .begin = due + milliseconds(1), .done = due + milliseconds(2) + microseconds(i)};
    worst_->Add(sample);
    samples.push_back(sample);
    std::vector<TraceEvent> events;
    for (Nanos at = due - milliseconds(2); at < due + milliseconds(3); at += Nanos(500)) {
      events.push_back(Event(at, Kind::kSwitch, 0, 99, 0));
    }
    Hand(events, due + milliseconds(3));
  }
  std::size_t kept = 0;
  for (const auto& sample : samples) kept += recorder_.EvidenceOfStream(0, sample).events.size();
  EXPECT_LE(kept, SpikeRecorder::kMostInAll);
  EXPECT_GT(kept, SpikeRecorder::kMostInAll / 2);
  EXPECT_EQ(recorder_.EvidenceOfStream(0, samples[0]).absent,
            "its part of the trace was let go for that of worse samples");
  EXPECT_EQ(recorder_.EvidenceOfStream(0, samples[7]).absent, "");
}

TEST_F(SpikeRecording, ALoopsWorstDelaysComeFromTheTraceAlone) {
  std::vector<TraceEvent> events;
  const auto wake_and_run = [&](Nanos at, Nanos delay) {
    events.push_back(Event(at, Kind::kWaking, 1, kLoop, kSource));
    events.push_back(Event(at + delay, Kind::kSwitch, 0, kLoop, 99));
    events.push_back(Event(at + delay + microseconds(50), Kind::kSwitch, 0, 0, kLoop));
    events.back().state = TraceEvent::State::kSleeping;
  };
  wake_and_run(milliseconds(900), milliseconds(40));  // before the window
  wake_and_run(milliseconds(1100), microseconds(300));
  wake_and_run(milliseconds(1200), microseconds(700));
  // Preempted, and back after 2 ms.
  events.push_back(Event(milliseconds(1300), Kind::kWaking, 1, kLoop, kSource));
  events.push_back(Event(milliseconds(1300) + microseconds(5), Kind::kSwitch, 0, kLoop, 0));
  events.push_back(Event(milliseconds(1301), Kind::kSwitch, 0, 99, kLoop));
  events.push_back(Event(milliseconds(1303), Kind::kSwitch, 0, kLoop, 99));
  Hand(events, seconds(2));
  const auto delays = recorder_.WorstDelays(0);
  ASSERT_EQ(delays.size(), 3u);
  EXPECT_EQ(delays[0].due, milliseconds(1301));
  EXPECT_EQ(delays[0].done, milliseconds(1303));
  EXPECT_EQ(delays[1].latency(), microseconds(700));
  EXPECT_EQ(recorder_.EvidenceOfLoop(0, delays[1]).absent, "");
}

// Evidence and explanation together: what a run does with them.
TEST_F(SpikeRecording, WhatIsKeptExplainsTheSample) {
  const Nanos due = seconds(2);
  const SampleStamps sample{.sequence = 9,
                            .due = due,
                            .sent = due + microseconds(3),
                            .kernel = due + microseconds(5),
                            .woken = due + microseconds(1510),
                            .begin = due + microseconds(1511),
                            .done = due + microseconds(1514)};
  worst_->Add(sample);
  const auto at = [&](int micros) { return due + microseconds(micros); };
  std::vector<TraceEvent> events = {
      Event(at(-40'000), Kind::kSwitch, 0, 0, kLoop),   Event(at(-30'000), Kind::kSwitch, 0, 99, 0),
      Event(at(-20'000), Kind::kSwitch, 1, 0, kSource), Event(at(1), Kind::kWaking, 1, kSource),
      Event(at(2), Kind::kSwitch, 1, kSource, 0),       Event(at(6), Kind::kWaking, 1, kLoop, kSource),
      Event(at(9), Kind::kSwitch, 1, 0, kSource),       Event(at(1506), Kind::kSwitch, 0, kLoop, 99)};
  events[0].state = events[2].state = events[6].state = TraceEvent::State::kSleeping;
  events[1].priority = 4;
  Hand(events, due + milliseconds(10));
  SpikeSubject subject;
  subject.part = "stream.imu";
  subject.sample = 4;
  subject.stamps = sample;
  subject.source = {.tid = kSource, .core = 1, .name = "the source"};
  subject.thread = {.tid = kLoop, .core = 0, .name = "its loop"};
  const SpikeRecord record = ExplainSpike(subject, recorder_.EvidenceOfStream(0, sample), {});
  ASSERT_FALSE(record.causes.empty());
  EXPECT_EQ(record.causes[0].kind, SpikeCause::Kind::kCoreHeld) << record.text;
  EXPECT_EQ(record.causes[0].task, "hog");
  EXPECT_EQ(record.causes[0].duration, microseconds(1500));
  EXPECT_NE(record.text.find("fifo:95"), std::string::npos) << record.text;
}

}  // namespace
}  // namespace corerig
