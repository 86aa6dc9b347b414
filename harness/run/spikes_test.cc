#include "harness/run/spikes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "harness/os/shared_memory.h"
#include "harness/plan/parts.h"
#include "harness/stream/schedule.h"
#include "harness/stream/slabs.h"

namespace corerig {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = TraceEvent::Kind;

constexpr int kSourceTid = 10, kLoopTid = 20, kHogTid = 99;
const Timeline kTimeline = {
    .start = seconds(100), .window_begin = seconds(101), .window_end = seconds(103), .drain_end = seconds(104)};

Plan Flight() {
  Plan plan;
  plan.seed = 42;
  plan.source = SourcePlan{.core = {0}, .policy = {Policy::Class::kFifo, 90}};
  plan.loops = {{.name = "other", .core = {2}, .policy = {}},
                {.name = "flight", .core = {1}, .policy = {Policy::Class::kFifo, 80}}};
  const auto stream = [](std::string name, std::string loop, Rate rate, ChannelKind channel) {
    StreamPlan made;
    made.name = std::move(name);
    made.loop = std::move(loop);
    made.rate = rate;
    made.channel = channel;
    return made;
  };
  plan.streams = {stream("imu", "flight", Rate::Hertz(1000), ChannelKind::kSeqpacket),
                  stream("tick", "other", Rate::Hertz(100), ChannelKind::kTimer)};
  return plan;
}

class Spikes : public testing::Test {
 protected:
  Spikes() {
    const std::size_t size = HandlerSlabLayout(plan_).size;
    const auto memory = CreateSharedMemory("spikes_test", size);
    handler_.launched.slab = *Mapping::Map(memory->get(), size, Mapping::Access::kReadWrite);
    source_.launched.cores = {CpuId{0}};
    source_.launched.process = ChildProcess{.pid = 1, .start_time = 0, .pidfd = Fd()};
    for (const auto& stream : plan_.streams) {
      StreamRecord record;
      record.name = stream.name;
      for (int i = 0; i < 100; ++i) record.service.Add(4'000), record.lateness.Add(30'000);
      record_.streams.push_back(record);
    }
    record_.cores = {{.cpu = 0, .steal = 0.25}, {.cpu = 1, .steal = 0.5}, {.cpu = 2}};
    names_.AddPart(std::string(kSourcePart));
    names_.AddPart(LoopPart("flight"));
    names_.SetPart(kSourceTid, 0);
    names_.SetPart(kLoopTid, 1);
    names_.SetTask(kHogTid, {'h', 'o', 'g'});
  }

  // Sample `n` of a stream, counted from the start of the run.
  SampleStamps Late(std::size_t stream, std::uint64_t n, Nanos delay, Nanos sent = microseconds(30)) {
    const Nanos due = ScheduleOf(plan_, plan_.streams[stream], kTimeline.start).DueOf(n);
    const SampleStamps stamps{.sequence = n,
                              .due = due,
                              .sent = stream == 0 ? due + sent : Nanos(0),
                              .woken = due + delay - microseconds(10),
                              .begin = due + delay - microseconds(5),
                              .done = due + delay};
    handler_.launched.slab.At<HandlerStream>(HandlerSlabLayout(plan_).streams[stream])->worst.Add(stamps);
    return stamps;
  }
  std::vector<SpikeRecord> Collect(const SpikeRecorder* recorder = nullptr) {
    return CollectSpikes(plan_, {.source = &source_, .handler = &handler_}, kTimeline, record_, recorder);
  }
  static TraceEvent Switch(Nanos at, int cpu, int from, int to, TraceEvent::State left = TraceEvent::State::kSleeping) {
    return {.at = at,
            .tid = to,
            .other = from,
            .cpu = static_cast<std::int16_t>(cpu),
            .priority = static_cast<std::int16_t>(to == kHogTid ? 9 : 19),
            .kind = Kind::kSwitch,
            .state = left};
  }

  const Plan plan_ = Flight();
  SupervisedChild source_, handler_;
  RunRecord record_;
  TraceNames names_;
};

TEST_F(Spikes, AreTheWorstOfAllStreamsLongestFirstAndNumberedFromTheWindow) {
  Late(0, 1500, milliseconds(2));
  Late(1, 150, milliseconds(3));
  Late(0, 1001, milliseconds(1));
  const auto spikes = Collect();
  ASSERT_EQ(spikes.size(), 3u);
  EXPECT_EQ(spikes[0].part, "stream.tick");
  EXPECT_EQ(spikes[0].loop, "other");
  EXPECT_EQ(spikes[0].sample, 150 - Expected(plan_, plan_.streams[1], seconds(1), seconds(3)).first);
  EXPECT_EQ(spikes[0].delay, milliseconds(3));
  EXPECT_EQ(spikes[1].part, "stream.imu");
  EXPECT_EQ(spikes[1].loop, "flight");
  EXPECT_EQ(spikes[1].sample, 1500 - Expected(plan_, plan_.streams[0], seconds(1), seconds(3)).first);
  EXPECT_EQ(spikes[2].delay, milliseconds(1));
  EXPECT_NE(spikes[0].text.find("why is unknown: there is no scheduling trace"), std::string::npos) << spikes[0].text;
}

TEST_F(Spikes, OutsideOfTheWindowThereAreNone) {
  Late(0, 500, milliseconds(2));   // warm-up
  Late(0, 3500, milliseconds(2));  // drain
  EXPECT_TRUE(Collect().empty());
  Late(0, 1500, milliseconds(2));
  EXPECT_EQ(Collect().size(), 1u);
  Timeline cut = kTimeline;
  cut.window_end = cut.window_begin;
  EXPECT_TRUE(CollectSpikes(plan_, {.source = &source_, .handler = &handler_}, cut, record_, nullptr).empty());
  EXPECT_TRUE(CollectSpikes(plan_, {}, kTimeline, record_, nullptr).empty()) << "no handler";
}

TEST_F(Spikes, TheSampleThatARunWasStoppedAtIsTheFirstAndWhatCameAfterItIsLeftOut) {
  const auto first = [this](std::size_t stream) {
    return Expected(plan_, plan_.streams[stream], seconds(1), seconds(3)).first;
  };
  // Another stream's sample of the same number, and a longer delay.
  const SampleStamps worse = Late(0, first(0) + 50, milliseconds(5));
  const SampleStamps broke = Late(1, first(1) + 50, milliseconds(2));
  Late(0, first(0) + 501, milliseconds(9));
  record_.at_break =
      BreakRecord{.stream = "tick", .sample = 50, .due = broke.due, .done = broke.done, .limit = milliseconds(1)};
  const auto spikes = Collect();
  ASSERT_EQ(spikes.size(), 2u);
  EXPECT_EQ(spikes[0].part, "stream.tick");
  EXPECT_EQ(spikes[0].sample, 50u);
  EXPECT_EQ(spikes[1].at, worse.due);
}

TEST_F(Spikes, WhoKeptTheLoopIsNamedWithTheLoopsPolicyAndTheTimeAddsUp) {
  const auto recorder = MakeSpikeRecorder(plan_, {.source = &source_, .handler = &handler_}, kTimeline);
  const SampleStamps late = Late(0, 1500, milliseconds(2));
  const Nanos due = late.due;
  const TraceEvent waking = {
      .at = due + microseconds(35), .value = 1, .tid = kLoopTid, .other = kSourceTid, .kind = Kind::kWaking};
  const std::vector<TraceEvent> events = {
      Switch(due - microseconds(500), 1, kLoopTid, kHogTid), Switch(due - microseconds(400), 0, kHogTid + 1, 0),
      Switch(due + microseconds(20), 0, 0, kSourceTid),      waking,
      Switch(due + microseconds(50), 0, kSourceTid, 0),      Switch(due + microseconds(1990), 1, kHogTid, kLoopTid),
      Switch(due + milliseconds(2), 1, kLoopTid, 0)};
  recorder->OnEvents(events, names_, due + milliseconds(3));
  const auto spikes = Collect(recorder.get());
  ASSERT_FALSE(spikes.empty());
  const SpikeRecord& spike = spikes[0];
  EXPECT_EQ(spike.part, "stream.imu");
  EXPECT_NE(spike.text.find("its loop (flight, fifo:80) was ready on core 1 but 'hog' (foreign, fifo:90, pid 99) held "
                            "the core for 1.96 ms"),
            std::string::npos)
      << spike.text;
  Nanos sum{0};
  for (const auto& cause : spike.causes) sum += cause.duration;
  EXPECT_EQ(sum, spike.delay);
  // The same delay as the loop's own: from being woken to running.
  const auto of_loop =
      std::find_if(spikes.begin(), spikes.end(), [](const auto& each) { return each.part == "loop.flight"; });
  ASSERT_NE(of_loop, spikes.end());
  EXPECT_FALSE(of_loop->sample);
  EXPECT_EQ(of_loop->at, due + microseconds(35));
  EXPECT_EQ(of_loop->delay, microseconds(1955));
  EXPECT_NE(of_loop->text.find("it (fifo:80) was ready on core 1 but 'hog'"), std::string::npos) << of_loop->text;
}

TEST_F(Spikes, ALateSourceIsNamedForAStreamAndNeverForATimer) {
  const auto recorder = MakeSpikeRecorder(plan_, {.source = &source_, .handler = &handler_}, kTimeline);
  const Nanos due = Late(0, 1500, milliseconds(2), microseconds(950)).due;
  const SampleStamps tick = Late(1, 150, milliseconds(3));
  // Of the loops' cores nothing is known.
  recorder->OnEvents(
      std::vector<TraceEvent>{Switch(due - microseconds(500), 0, kSourceTid, kHogTid, TraceEvent::State::kPreempted),
                              Switch(due + microseconds(900), 0, kHogTid, kSourceTid)},
      names_, tick.done + milliseconds(10));
  const auto spikes = Collect(recorder.get());
  ASSERT_EQ(spikes.size(), 2u);
  EXPECT_EQ(spikes[0].part, "stream.tick");
  EXPECT_EQ(spikes[0].text.find("source"), std::string::npos) << spikes[0].text;
  // Of core 2 no steal is known, of core 1 half was taken.
  EXPECT_EQ(spikes[0].text.find("hypervisor"), std::string::npos) << spikes[0].text;
  EXPECT_NE(spikes[1].text.find("the hypervisor took 50.0 % of it"), std::string::npos) << spikes[1].text;
  EXPECT_NE(spikes[1].text.find("the source (fifo:90) was ready on core 0 but 'hog' (foreign, fifo:90, pid 99) held "
                                "the core for 900 µs"),
            std::string::npos)
      << spikes[1].text;
}

TEST_F(Spikes, WhatIsUsualIsThatOfTheStreamsOwnSamples) {
  StreamRecord& seen = record_.streams[0];
  seen.lateness = seen.service = {};
  seen.lateness.Add(400'000, 100);
  seen.service.Add(4'000, 90);
  seen.service.Add(2'000'000, 10);
  const auto recorder = MakeSpikeRecorder(plan_, {.source = &source_, .handler = &handler_}, kTimeline);
  const Nanos due = kTimeline.window_begin;
  const SampleStamps stamps = {.sequence = 1501,
                               .due = due + milliseconds(100),
                               .sent = due + milliseconds(100) + microseconds(400),
                               .woken = due + milliseconds(100) + microseconds(405),
                               .begin = due + milliseconds(100) + microseconds(410),
                               .done = due + milliseconds(100) + microseconds(2000)};
  handler_.launched.slab.At<HandlerStream>(HandlerSlabLayout(plan_).streams[0])->worst.Add(stamps);
  recorder->OnEvents(std::vector<TraceEvent>{Switch(stamps.due - milliseconds(1), 0, kSourceTid, 0),
                                             Switch(stamps.due - milliseconds(1), 1, kLoopTid, 0),
                                             Switch(stamps.due + microseconds(5), 0, 0, kSourceTid),
                                             Switch(stamps.due + microseconds(401), 1, 0, kLoopTid)},
                     names_, stamps.done + milliseconds(10));
  const auto spikes = Collect(recorder.get());
  const auto found =
      std::find_if(spikes.begin(), spikes.end(), [&](const auto& spike) { return spike.at == stamps.due; });
  ASSERT_NE(found, spikes.end());
  EXPECT_NE(found->text.find("its own callback ran 1.59 ms longer than the usual 4.0"), std::string::npos)
      << found->text;
  EXPECT_EQ(found->text.find("the source"), std::string::npos) << found->text;
  EXPECT_EQ(found->text.find("unexplained"), std::string::npos) << found->text;
}

}  // namespace
}  // namespace corerig
