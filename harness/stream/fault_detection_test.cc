// Every kind of fault, end to end over a channel made of memory: what is injected, by which rule it is found, what is
// left undetected and why.

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "harness/stream/simulated_stream.h"

namespace corerig {
namespace {

using Span = FaultPlan::Span;

constexpr FaultCounts Detected(std::uint64_t n) { return {.injected = n, .detected = n}; }
constexpr FaultCounts Undetectable(std::uint64_t n) { return {.injected = n, .undetected = n, .undetectable = n}; }

std::uint64_t Alarms(const HandlerStream& handler) {
  return handler.false_repeating.Get() + handler.false_implausible.Get() + handler.late_arrivals.Get();
}

// 100 samples at 1 kHz; over messages and over bytes.
class Detection : public testing::TestWithParam<ChannelKind> {
 protected:
  SimulationSettings Settings(std::vector<FaultPlan> faults = {}) const {
    return {.channel = GetParam(), .format = IsDatagram(GetParam()) ? "message" : "bytes", .faults = std::move(faults)};
  }
  // Runs it; every sample is accounted for, and no rule fires for a clean one.
  std::unique_ptr<SimulatedStream> RunOf(const SimulationSettings& settings) const {
    auto stream = std::make_unique<SimulatedStream>(settings);
    stream->RunAll();
    const Counts counts = CountsOf(*stream);
    EXPECT_TRUE(AddsUp(counts)) << counts;
    EXPECT_EQ(counts.sent, 100u) << counts;
    EXPECT_EQ(counts.truth_lost + counts.overruns + counts.unread, 0u) << counts;
    EXPECT_EQ(counts.lost, counts.lost_injected) << counts;
    EXPECT_EQ(Alarms(stream->handler), 0u);
    EXPECT_EQ(stream->source.late.Get(), 0u) << "what is late on purpose is not the source's lateness";
    EXPECT_LT(stream->handler.latency.Read().max(), 100'000);
    EXPECT_LT(stream->handler.lateness.Read().max(), 50'000);
    return stream;
  }
  std::unique_ptr<SimulatedStream> Run(std::vector<FaultPlan> faults) const {
    return RunOf(Settings(std::move(faults)));
  }

  // How long after the due time of its first sample the first fault was found.
  static Nanos FoundAfter(const SimulatedStream& stream) {
    return Nanos(static_cast<std::int64_t>(stream.handler.faults[0].first_found.Get() -
                                           stream.source.faults[0].first_due.Get()));
  }
};
INSTANTIATE_TEST_SUITE_P(Channels, Detection, testing::Values(ChannelKind::kUdp, ChannelKind::kPty),
                         [](const auto& info) { return std::string(ToText(info.param)); });

TEST_P(Detection, ACleanStreamRaisesNoAlarm) { EXPECT_EQ(Run({})->handler.done.Get(), 100u); }

TEST_P(Detection, OffIsAGapFoundByTheFirstFrameAfterIt) {
  const auto stream = Run({{.kind = FaultKind::kOff, .span = Span{20 * kMillisecond, 30 * kMillisecond}}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kOff), Detected(30));
  EXPECT_EQ(stream->handler.lost.Get(), 30u);
  EXPECT_NEAR(FoundAfter(*stream).count(), 30e6, 0.1e6);
}

TEST_P(Detection, OffUntilTheEndIsFoundAtTheEnd) {
  const auto stream = Run({{.kind = FaultKind::kOff, .span = Span{90 * kMillisecond, {}}}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kOff), Detected(10));
}

TEST_P(Detection, IntermittentAndSlowAreGaps) {
  const auto intermittent = Run({{.kind = FaultKind::kIntermittent,
                                  .span = Span{20 * kMillisecond, 40 * kMillisecond},
                                  .period = 10 * kMillisecond}});
  EXPECT_EQ(FaultsOf(*intermittent, FaultKind::kIntermittent), Detected(20));
  EXPECT_NEAR(FoundAfter(*intermittent).count(), 5e6, 0.1e6);
  const auto slow = Run({{.kind = FaultKind::kSlow, .span = Span{20 * kMillisecond, 40 * kMillisecond}, .count = 4}});
  EXPECT_EQ(FaultsOf(*slow, FaultKind::kSlow), Detected(30));
  EXPECT_EQ(slow->handler.lost.Get(), 30u);
}

TEST_P(Detection, ATruncatedFrameIsCorruptAndItsNeighboursAreNot) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimulationSettings settings = Settings({{.kind = FaultKind::kTruncate, .at = {3, 40, 41, 99}}});
    settings.seed = seed;
    const auto stream = RunOf(settings);
    EXPECT_EQ(FaultsOf(*stream, FaultKind::kTruncate), Detected(4)) << "seed " << seed;
    EXPECT_EQ(stream->handler.corrupt.Get(), 4u) << "seed " << seed;
    EXPECT_EQ(stream->handler.done.Get(), 96u) << "seed " << seed;
  }
}

TEST_P(Detection, GarbageIsCorruptAndItsNeighboursAreNot) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimulationSettings settings = Settings({{.kind = FaultKind::kGarbage, .at = {3, 40, 41, 99}}});
    settings.seed = seed;
    const auto stream = RunOf(settings);
    EXPECT_EQ(FaultsOf(*stream, FaultKind::kGarbage), Detected(4)) << "seed " << seed;
    EXPECT_EQ(stream->handler.done.Get(), 96u) << "seed " << seed;
  }
}

TEST_P(Detection, AStuckMeasurementIsFoundWithTheFourthEqualValueAndWholeThen) {
  const auto stream = Run({{.kind = FaultKind::kStuck, .span = Span{20 * kMillisecond, 30 * kMillisecond}}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kStuck), Detected(30));
  EXPECT_NEAR(FoundAfter(*stream).count(), 2e6, 0.1e6) << "the measurement, and three that repeat it";
  EXPECT_EQ(stream->handler.done.Get(), 100u) << "counters and stamps go on";
  EXPECT_GT(stream->handler.faults[0].value_error_squares.load(), 0);
  EXPECT_EQ(stream->handler.faults[0].value_error_squares.load(), stream->handler.value_error_squares.load());
}

TEST_P(Detection, AMeasurementStuckTooShortlyIsUndetectable) {
  const auto stream = Run({{.kind = FaultKind::kStuck, .span = Span{20 * kMillisecond, 2 * kMillisecond}},
                           {.kind = FaultKind::kStuck, .span = Span{60 * kMillisecond, 3 * kMillisecond}}});
  EXPECT_EQ(FaultOf(stream->source, stream->handler, 0), Undetectable(2));
  EXPECT_EQ(FaultOf(stream->source, stream->handler, 1), Detected(3));
}

TEST_P(Detection, AMeasurementStuckToTheEndIsFound) {
  const auto stream = Run({{.kind = FaultKind::kStuck, .span = Span{97 * kMillisecond, {}}}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kStuck), Detected(3));
  const auto shorter = Run({{.kind = FaultKind::kStuck, .span = Span{98 * kMillisecond, {}}}});
  EXPECT_EQ(FaultsOf(*shorter, FaultKind::kStuck), Undetectable(2));
}

TEST_P(Detection, AWrongValueThatCannotBeIsFoundAndOneThatCanIsNot) {
  const auto far = Run({{.kind = FaultKind::kWrong, .at = {10, 11, 70}, .amount = 0x1000000}});
  EXPECT_EQ(FaultsOf(*far, FaultKind::kWrong), Detected(3));
  EXPECT_EQ(far->handler.faults[0].value_error_squares.load(), 3 * std::pow(0x1000000, 2));
  const auto near = Run({{.kind = FaultKind::kWrong, .at = {10, 11, 70}, .amount = 1}});
  EXPECT_EQ(FaultsOf(*near, FaultKind::kWrong), Undetectable(3));
  EXPECT_EQ(near->handler.faults[0].value_error_squares.load(), 3);
  EXPECT_EQ(near->handler.faults[0].done.Get(), 3u);
}

TEST_P(Detection, ADriftIsUndetectableUntilItLeavesWhatCanBe) {
  const auto stream = Run({{.kind = FaultKind::kDrift, .span = Span{0 * kMillisecond, {}}, .amount = 0x10000000}});
  const FaultCounts drift = FaultsOf(*stream, FaultKind::kDrift);
  EXPECT_EQ(drift.injected, 100u);
  EXPECT_TRUE(AddsUp(drift)) << drift;
  EXPECT_EQ(drift.undetectable, drift.undetected);
  EXPECT_GE(drift.detected, 37u) << "after 62.5 ms every value is above 2^24";
  EXPECT_GT(drift.undetectable, 10u);
}

TEST_P(Detection, WithoutLimitsNoValueIsWrongOrStuck) {
  SimulationSettings settings =
      Settings({{.kind = FaultKind::kWrong, .at = {10}, .amount = 0x1000000},
                {.kind = FaultKind::kStuck, .span = Span{20 * kMillisecond, 30 * kMillisecond}}});
  settings.limits = false;
  const auto stream = RunOf(settings);
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kWrong), Undetectable(1));
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kStuck), Undetectable(30));
}

TEST_P(Detection, ADelayedSampleIsLateLaterOnesWaitBehindItAndNoneOvertakes) {
  const auto stream = Run({{.kind = FaultKind::kDelayed, .at = {10, 50}, .by = 5 * kMillisecond}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kDelayed), Detected(2));
  EXPECT_EQ(stream->handler.reordered.Get(), 0u);
  EXPECT_EQ(stream->handler.done.Get(), 100u);
  EXPECT_NEAR(FoundAfter(*stream).count(), 5e6, 0.1e6);
  const std::uint64_t first = stream->window().first;
  Nanos previous{0};
  for (std::uint64_t i = 0; i < stream->ring().published(); ++i) {
    const Truth truth = *stream->ring().Read(i, 1024);
    const bool waits = truth.sequence >= first + 10 && truth.sequence < first + 15;
    if (truth.sequence > first + 16) break;
    EXPECT_EQ((truth.flags & kTruthHeld) != 0, waits) << i;
    EXPECT_EQ(truth.release, waits ? stream->schedule().DueOf(first + 10) + 5 * kMillisecond : truth.due) << i;
    EXPECT_GE(truth.sent, previous);
    EXPECT_GE(truth.sent, truth.release);
    previous = truth.sent;
  }
}

TEST_P(Detection, ADelayWithinTheToleranceIsUndetectable) {
  EXPECT_EQ(LateAfter(SimulatedStream(Settings()).stream()), Nanos(100'000));
  const auto within = Run({{.kind = FaultKind::kDelayed, .at = {10}, .by = std::chrono::microseconds(80)}});
  EXPECT_EQ(FaultsOf(*within, FaultKind::kDelayed), Undetectable(1));
  const auto beyond = Run({{.kind = FaultKind::kDelayed, .at = {10}, .by = std::chrono::microseconds(120)}});
  EXPECT_EQ(FaultsOf(*beyond, FaultKind::kDelayed), Detected(1));
}

TEST_P(Detection, JitterIsFoundWhereItIsBeyondTheTolerance) {
  const auto stream = Run({{.kind = FaultKind::kJitter, .share = 1, .by = std::chrono::microseconds(200)}});
  const FaultCounts jitter = FaultsOf(*stream, FaultKind::kJitter);
  EXPECT_EQ(jitter.injected, 100u);
  EXPECT_EQ(jitter.undetected, jitter.undetectable);
  EXPECT_NEAR(static_cast<double>(jitter.detected), 50, 25) << jitter;
  EXPECT_TRUE(AddsUp(jitter));
}

TEST_P(Detection, ABurstComesTogetherAndAllButItsLastFrameAreLate) {
  const auto stream =
      Run({{.kind = FaultKind::kBurst, .span = Span{20 * kMillisecond, 40 * kMillisecond}, .count = 8}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kBurst), Detected(35));
  EXPECT_EQ(stream->handler.done.Get(), 100u);
  EXPECT_EQ(stream->handler.reordered.Get(), 0u);
}

TEST_P(Detection, FramesHeldBackAtTheWindowsEndAreSentAllTheSame) {
  const auto stream = Run({{.kind = FaultKind::kDelayed, .at = {97, 99}, .by = 20 * kMillisecond}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kDelayed), Detected(2));
  EXPECT_EQ(stream->handler.done.Get(), 100u);
  EXPECT_EQ(stream->ring().published(), stream->window().first + 100) << "and no sample after the window";
}

TEST_P(Detection, AReorderedSampleBehindADelayedOneStaysReordered) {
  const auto stream = Run({{.kind = FaultKind::kDelayed, .at = {50}, .by = 5 * kMillisecond},
                           {.kind = FaultKind::kReorder, .at = {52}},
                           {.kind = FaultKind::kDuplicate, .at = {53}},
                           {.kind = FaultKind::kDrop, .at = {54}},
                           {.kind = FaultKind::kBitFlip, .at = {55}}});
  for (const FaultKind kind :
       {FaultKind::kDelayed, FaultKind::kReorder, FaultKind::kDuplicate, FaultKind::kDrop, FaultKind::kBitFlip}) {
    EXPECT_EQ(FaultsOf(*stream, kind), Detected(1)) << ToText(kind);
  }
  EXPECT_EQ(stream->handler.reordered.Get(), 1u);
}

TEST_P(Detection, ASensorStaysStuckWhileItsFramesAreDamagedRepeatedAndHeldBack) {
  const auto stream = Run({{.kind = FaultKind::kStuck, .span = Span{20 * kMillisecond, 30 * kMillisecond}},
                           {.kind = FaultKind::kDuplicate, .at = {22}},
                           {.kind = FaultKind::kReorder, .at = {25}},
                           {.kind = FaultKind::kBitFlip, .at = {28}},
                           {.kind = FaultKind::kDrop, .at = {30}},
                           {.kind = FaultKind::kDelayed, .at = {33}, .by = 5 * kMillisecond}});
  EXPECT_EQ(FaultsOf(*stream, FaultKind::kStuck), Detected(25));
  for (const FaultKind kind :
       {FaultKind::kDuplicate, FaultKind::kReorder, FaultKind::kBitFlip, FaultKind::kDrop, FaultKind::kDelayed}) {
    EXPECT_EQ(FaultsOf(*stream, kind), Detected(1)) << ToText(kind);
  }
}

TEST_P(Detection, EachEpisodeHasItsOwnFigures) {
  const auto stream = Run({{.kind = FaultKind::kOff, .span = Span{10 * kMillisecond, 10 * kMillisecond}},
                           {.kind = FaultKind::kStuck, .span = Span{30 * kMillisecond, 20 * kMillisecond}},
                           {.kind = FaultKind::kOff, .span = Span{70 * kMillisecond, 5 * kMillisecond}}});
  EXPECT_EQ(FaultOf(stream->source, stream->handler, 0), Detected(10));
  EXPECT_EQ(FaultOf(stream->source, stream->handler, 1), Detected(20));
  EXPECT_EQ(FaultOf(stream->source, stream->handler, 2), Detected(5));
}

TEST_P(Detection, ACleanSampleThatComesLateIsAnAlarmAndTheSourcesLatenessCounts) {
  SimulatedStream stream(Settings());
  while (stream.emitting()) {
    stream.Emit(stream.source.sent.Get() == 50 ? 2 * kMillisecond + kMillisecond / 2 : Nanos(0));
    stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(stream.handler.late_arrivals.Get(), 3u);  // 2.5, 1.5 and 0.5 ms
  EXPECT_EQ(stream.source.late.Get(), 2u);
}

TEST_P(Detection, ACleanValueThatRepeatsOrCannotBeIsAFalseAlarm) {
  SimulatedStream stream({.channel = ChannelKind::kUdp, .format = "bare"});
  while (stream.emitting()) {
    stream.Emit();
    const std::uint64_t n = stream.source.sent.Get();
    auto& bytes = stream.messages.front().bytes;
    if (n == 20) bytes[8] = std::byte{1};  // 2^24 and more
    if (n >= 40 && n < 45) std::fill(bytes.begin() + 5, bytes.begin() + 9, std::byte{0});
    stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(stream.handler.false_implausible.Get(), 1u);
  EXPECT_EQ(stream.handler.false_repeating.Get(), 4u);
}

TEST_P(Detection, GarbageOnAWireWithoutACheckIsShownForWhatItIs) {
  if (!IsDatagram(GetParam())) GTEST_SKIP() << "the byte stream has a check";
  SimulatedStream stream(
      {.channel = ChannelKind::kUdp, .format = "bare", .faults = {{.kind = FaultKind::kGarbage, .share = 0.5}}});
  stream.RunAll();
  const FaultCounts garbage = FaultsOf(stream, FaultKind::kGarbage);
  EXPECT_TRUE(AddsUp(garbage)) << garbage;
  EXPECT_TRUE(AddsUp(CountsOf(stream))) << CountsOf(stream);
  EXPECT_EQ(garbage.undetected, garbage.undetectable + garbage.ambiguous) << garbage;
  EXPECT_EQ(garbage.ambiguous, stream.handler.ambiguous.Get());
  EXPECT_GT(garbage.ambiguous, 20u);
}

TEST_P(Detection, ABreakComesFromTheBoardsLatenessAndNotFromADelayOnPurpose) {
  const auto latch = std::make_unique<BreakLatch>();
  SampleBreak at(*latch, {});
  SimulationSettings settings = Settings({{.kind = FaultKind::kJitter, .share = 1, .by = 3 * kMillisecond}});
  settings.at_break = {.above = Nanos(500'000), .stream = 0, .at = &at};
  SimulatedStream quiet(settings);
  quiet.RunAll();
  EXPECT_FALSE(latch->Read());
  EXPECT_FALSE(quiet.handler.worst.Read().empty());
  EXPECT_LT(quiet.handler.worst.Read().at(0).latency(), kMillisecond / 10);
  SimulatedStream late(settings);
  for (int i = 0; late.emitting(); ++i) {
    late.Emit(i == 60 ? kMillisecond : Nanos(0));
    late.Receive();
  }
  EXPECT_TRUE(latch->Read()) << "a board that is late is late in spite of the jitter";
}

TEST_P(Detection, OneSeedInjectsAndFindsTheSameAgain) {
  std::vector<FaultPlan> faults = {{.kind = FaultKind::kGarbage, .share = 0.05},
                                   {.kind = FaultKind::kTruncate, .share = 0.05},
                                   {.kind = FaultKind::kDelayed, .share = 0.05, .by = 3 * kMillisecond},
                                   {.kind = FaultKind::kJitter, .share = 1, .by = kMillisecond}};
  const auto once = Run(faults), again = Run(faults);
  for (const FaultPlan& fault : faults) {
    EXPECT_GT(FaultsOf(*once, fault.kind).injected, 0u);
    EXPECT_EQ(FaultsOf(*once, fault.kind), FaultsOf(*again, fault.kind));
  }
}

TEST(FaultDetection, ASilenceLongerThanTheRingIsFoundWhole) {
  SimulationSettings settings;
  settings.duration = 500 * kMillisecond;
  settings.ring_capacity = 64;
  settings.faults = {{.kind = FaultKind::kOff, .span = FaultPlan::Span{100 * kMillisecond, 300 * kMillisecond}},
                     {.kind = FaultKind::kDrop, .at = {99}}};  // nothing comes between the two
  SimulatedStream stream(settings);
  for (int looks = 0; stream.emitting(); ++looks) {
    stream.Emit();
    stream.Receive();
    if (looks % 16 == 0) stream.Look();
  }
  stream.Finish();
  const Counts counts = CountsOf(stream);
  EXPECT_TRUE(AddsUp(counts)) << counts;
  EXPECT_EQ(counts.truth_lost, 0u);
  EXPECT_EQ(counts.lost_injected, 301u);
  EXPECT_EQ(counts.lost, 301u);
  const FaultCounts fault = FaultOf(stream.source, stream.handler, 0);
  EXPECT_EQ(fault.injected, 300u);
  EXPECT_EQ(fault.detected, 300u);
  // Not before something comes again.
  const Nanos over = SimulatedStream::kStart + settings.warmup + 400 * kMillisecond;
  for (const std::size_t each : {0, 1}) {
    const auto found = Nanos(static_cast<std::int64_t>(stream.handler.faults[each].first_found.Get()));
    EXPECT_GE(found, over) << each;
    EXPECT_LE(found, over + 2 * kMillisecond) << each;
  }
}

}  // namespace
}  // namespace corerig
