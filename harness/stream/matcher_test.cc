#include "harness/stream/matcher.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/stream/simulated_stream.h"

namespace corerig {
namespace {

FaultPlan At(FaultKind kind, std::vector<std::uint64_t> at) { return {.kind = kind, .share = 0, .at = std::move(at)}; }

constexpr FaultCounts Detected(std::uint64_t n) { return {.injected = n, .detected = n}; }
constexpr FaultCounts Undetected(std::uint64_t n) { return {.injected = n, .undetected = n}; }
constexpr FaultCounts Undetectable(std::uint64_t n) { return {.injected = n, .undetected = n, .undetectable = n}; }

// A channel of messages and a channel of bytes must come to the same accounts.
class OverBoth : public testing::TestWithParam<ChannelKind> {
 protected:
  SimulationSettings Settings(std::vector<FaultPlan> faults = {}) const {
    return {.channel = GetParam(), .format = IsDatagram(GetParam()) ? "message" : "bytes", .faults = std::move(faults)};
  }
};
INSTANTIATE_TEST_SUITE_P(Channels, OverBoth, testing::Values(ChannelKind::kUdp, ChannelKind::kPty),
                         [](const auto& info) { return std::string(ToText(info.param)); });

TEST_P(OverBoth, AQuietChannelDeliversEverySampleOfTheWindowAndCountsNoOther) {
  SimulatedStream stream(Settings());
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 100, .done = 100}));
  EXPECT_EQ(stream.handler.received_in_all.Get(), stream.window().first + 100);
  EXPECT_EQ(stream.handler.value_error_squares.load(), 0.0);
}

TEST_P(OverBoth, ADroppedSampleIsLostAndItsDropDetected) {
  SimulatedStream stream(Settings({At(FaultKind::kDrop, {0, 50, 99})}));
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 97, .lost = 3, .lost_injected = 3, .done = 97}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDrop), Detected(3));
}

TEST_P(OverBoth, ADuplicateIsReceivedTwiceAndDoneOnce) {
  SimulatedStream stream(Settings({At(FaultKind::kDuplicate, {0, 50, 99})}));
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 103, .duplicated = 3, .done = 100}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDuplicate), Detected(3));
  EXPECT_EQ(stream.handler.latency.Read().count(), 100u);
}

TEST_P(OverBoth, AReorderedSampleIsCountedOnceEvenAtTheWindowsEnds) {
  SimulatedStream stream(Settings({At(FaultKind::kReorder, {0, 50, 99})}));
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 100, .reordered = 3, .done = 100}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kReorder), Detected(3));
}

TEST_P(OverBoth, ABitFlipIsACorruptFrameAndALostSample) {
  SimulatedStream stream(Settings({At(FaultKind::kBitFlip, {0, 50, 99})}));
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream),
            (Counts{.sent = 100, .received = 97, .corrupt = 3, .lost = 3, .lost_injected = 3, .done = 97}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kBitFlip), Detected(3));
}

TEST_P(OverBoth, AReorderWhoseSuccessorIsDroppedCannotBeDetected) {
  SimulatedStream stream(Settings({At(FaultKind::kReorder, {50}), At(FaultKind::kDrop, {51})}));
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 99, .lost = 1, .lost_injected = 1, .done = 99}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kReorder), Undetectable(1));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDrop), Detected(1));
}

TEST_P(OverBoth, EverySampleFlippedIsEverySampleCorrupt) {
  SimulatedStream stream(Settings({{.kind = FaultKind::kBitFlip, .share = 1, .at = {}}}));
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .corrupt = 100, .lost = 100, .lost_injected = 100}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kBitFlip), Detected(100));
}

TEST_P(OverBoth, FaultsInTheWarmUpAreNotCounted) {
  // The warm-up's samples take part in the shares; the window is empty of faults because it is empty.
  SimulationSettings settings = Settings({{.kind = FaultKind::kDrop, .share = 0.5, .at = {}}});
  settings.warmup = 200 * kMillisecond;
  settings.duration = Nanos(0);
  SimulatedStream stream(settings);
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), Counts{});
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDrop), FaultCounts{});
}

TEST_P(OverBoth, WhatTheDrainLeftInTheChannelIsUnreadAndNeitherLostNorReceived) {
  SimulatedStream stream(Settings({At(FaultKind::kDuplicate, {95}), At(FaultKind::kDrop, {97})}));
  while (stream.emitting()) {
    stream.Emit();
    if (stream.source.sent.Get() <= 90) stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(CountsOf(stream),
            (Counts{.sent = 100, .received = 90, .lost = 1, .lost_injected = 1, .unread = 9, .done = 90}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDuplicate), Undetected(1));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDrop), Detected(1));
  EXPECT_EQ(stream.handler.latency.Read().count(), 90u);
}

TEST_P(OverBoth, ASampleTheChannelRefusedIsLost) {
  SimulatedStream stream(Settings());
  int sends = 0;
  stream.next_fate = [&] {
    ++sends;
    return SimulatedStream::Fate{.taken = sends == 40 || sends == 41 ? 0 : SIZE_MAX};
  };
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 98, .lost = 2, .done = 98, .overruns = 2}));
}

TEST_P(OverBoth, TheFirstCopyRefusedAndTheSecondDeliveredIsOneSampleDone) {
  SimulatedStream stream(Settings({At(FaultKind::kDuplicate, {20})}));
  stream.next_fate = [&] {
    const std::uint64_t emission = stream.ring().published() - 1;
    const Truth truth = *stream.ring().Read(emission, 1024);
    const bool first_copy = truth.sequence == stream.window().first + 20 && truth.flags == 0;
    return SimulatedStream::Fate{.taken = first_copy ? 0 : SIZE_MAX};
  };
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 100, .done = 100, .overruns = 1}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDuplicate), Undetected(1));
}

TEST_P(OverBoth, TruthsOverwrittenBeforeTheyWereReadAreCountedAndTheirSamplesLost) {
  SimulationSettings settings = Settings();
  settings.ring_capacity = 16;
  SimulatedStream stream(settings);
  while (stream.emitting()) {
    stream.Emit();
    const std::uint64_t sent = stream.source.sent.Get();
    if (sent <= 40 || sent > 70) stream.Receive();  // 30 samples behind, with room for 16
  }
  stream.Finish();
  const Counts counts = CountsOf(stream);
  EXPECT_TRUE(AddsUp(counts)) << counts;
  EXPECT_EQ(counts.truth_lost, 15u);  // 31 were waiting when it went on
  EXPECT_EQ(counts.lost, 15u);
  EXPECT_EQ(counts.ambiguous, 15u);  // their frames came, but no one knows whose they are
}

TEST_P(OverBoth, AnInterruptedRunCountsUpToTheEarlierEnd) {
  SimulatedStream stream(Settings({At(FaultKind::kDrop, {10, 60})}));
  const Nanos end = SimulatedStream::kStart + 60 * kMillisecond;
  while (stream.emitting()) {
    if (stream.emitter().next_due() > end - kMillisecond) stream.control().window_end = end.count();
    if (!stream.emitting()) break;
    stream.Emit();
    stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 50, .received = 49, .lost = 1, .lost_injected = 1, .done = 49}));
  EXPECT_EQ(stream.window().count, 50u);
}

// The oracle is what the clock showed: every reading is one microsecond after the one before.
TEST(Matcher, StagesAddUpToTheLatency) {
  SimulatedStream stream({});
  stream.RunAll();
  const HandlerStream& seen = stream.handler;
  // Encoding takes one reading, sent is the next but one, the kernel's stamp follows, then begin and done.
  EXPECT_EQ(seen.lateness.Read().min(), 3000);
  EXPECT_EQ(seen.transport.Read().min(), 1000);
  EXPECT_EQ(seen.queue.Read().max(), 1000);
  EXPECT_EQ(seen.service.Read().max(), 1000);
  EXPECT_EQ(seen.since_sent.Read().max(), 3000);
  EXPECT_EQ(seen.latency.Read().max(), 6000);
  EXPECT_EQ(seen.latest_latency_ns.Get(), 6000u);
  for (const LatencyHistogram* stage :
       {&seen.lateness, &seen.transport, &seen.queue, &seen.service, &seen.since_sent, &seen.latency}) {
    EXPECT_EQ(stage->Read().count(), 100u);
  }
}

TEST(Matcher, WithoutAStampTheQueueStageBeginsAtTheSendAndThereIsNoTransport) {
  SimulatedStream stream({.stamps = false});
  stream.RunAll();
  EXPECT_EQ(stream.handler.transport.Read().count(), 0u);
  EXPECT_EQ(stream.handler.queue.Read().max(), 1000);
  EXPECT_EQ(stream.handler.queue.Read().count(), 100u);
}

TEST(Matcher, FramesOfOneReadBeginOneAfterTheOther) {
  SimulatedStream stream({.channel = ChannelKind::kPty, .format = "bytes"});
  while (stream.emitting()) stream.Emit();
  stream.Receive();  // one read
  stream.Finish();
  EXPECT_EQ(stream.handler.service.Read().max(), 1000) << "a sample was charged with the service of those before it";
  EXPECT_EQ(stream.handler.done.Get(), 100u);
}

TEST(Matcher, AccountsDoNotDependOnWhereAByteStreamIsCut) {
  const std::vector<FaultPlan> faults = {At(FaultKind::kDrop, {3, 40}), At(FaultKind::kDuplicate, {5, 41}),
                                         At(FaultKind::kReorder, {7, 42}), At(FaultKind::kBitFlip, {10, 44, 46, 98})};
  for (std::size_t piece = 1; piece <= 64; ++piece) {
    SimulatedStream stream({.channel = ChannelKind::kPty, .format = "bytes", .faults = faults});
    stream.RunAll(piece);
    EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100,
                                        .received = 96,
                                        .duplicated = 2,
                                        .reordered = 2,
                                        .corrupt = 4,
                                        .lost = 6,
                                        .lost_injected = 6,
                                        .done = 94}))
        << "pieces of " << piece;
    EXPECT_EQ(FaultsOf(stream, FaultKind::kBitFlip), Detected(4)) << "pieces of " << piece;
  }
}

TEST(Matcher, EveryBitOfAFrameCanFlipWithoutHarmToItsNeighbours) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SimulatedStream stream({.channel = ChannelKind::kPty,
                            .format = "bytes",
                            .faults = {At(FaultKind::kBitFlip, {50, 51, 99})},
                            .seed = seed});
    stream.RunAll();
    const Counts counts = CountsOf(stream);
    EXPECT_EQ(counts, (Counts{.sent = 100, .received = 97, .corrupt = 3, .lost = 3, .lost_injected = 3, .done = 97}))
        << "seed " << seed;
    EXPECT_EQ(FaultsOf(stream, FaultKind::kBitFlip), Detected(3)) << "seed " << seed;
  }
}

TEST(Matcher, AFlipThatLeavesTheDecoderWaitingForMoreAtTheEndIsCorrupt) {
  // The last sample's frame has each of its sizes once; a flipped size can make it look longer than it is.
  for (int samples = 46; samples <= 50; ++samples) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      SimulatedStream stream({.channel = ChannelKind::kPty,
                              .format = "bytes",
                              .faults = {{.kind = FaultKind::kBitFlip, .share = 1, .at = {}}},
                              .duration = samples * kMillisecond,
                              .seed = seed});
      stream.RunAll();
      const auto all = static_cast<std::uint64_t>(samples);
      EXPECT_EQ(CountsOf(stream), (Counts{.sent = all, .corrupt = all, .lost = all, .lost_injected = all}))
          << "seed " << seed;
    }
  }
}

TEST(Matcher, ADamagedMessageOfTheWarmUpIsNotCountedHoweverLateItIsRead) {
  SimulatedStream stream({});
  while (stream.emitting()) {
    stream.Emit();
    const bool last_of_warm_up = stream.ring().published() == stream.window().first;
    if (last_of_warm_up) stream.messages.back().bytes[5] ^= std::byte{1};
    if (stream.source.sent.Get() > 0) stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 100, .done = 100}));
}

TEST(Matcher, AFrameTakenInPartIsCorruptAndLostAndTheNextOneIsFound) {
  for (std::size_t taken = 1; taken <= 10; ++taken) {
    SimulatedStream stream({.channel = ChannelKind::kPty, .format = "bytes"});
    int sends = 0;
    stream.next_fate = [&] { return SimulatedStream::Fate{.taken = ++sends == 40 ? taken : SIZE_MAX}; };
    stream.RunAll();
    EXPECT_EQ(CountsOf(stream),
              (Counts{.sent = 100, .received = 99, .corrupt = 1, .lost = 1, .done = 99, .overruns = 1}))
        << taken << " bytes taken";
  }
}

TEST(Matcher, AWrappedCounterUnwrapsToTheEmissionNearestInTime) {
  // 600 samples on an 8-bit counter; the first lap is lost as a whole, so that its truths stay open.
  SimulatedStream stream({.format = "message8", .duration = 600 * kMillisecond});
  int sends = 0;
  stream.next_fate = [&] {
    ++sends;
    return SimulatedStream::Fate{.lost = sends > 20 && sends <= 200};
  };
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 600, .received = 420, .lost = 180, .done = 420}));
  EXPECT_EQ(stream.handler.value_error_squares.load(), 0.0) << "a frame was matched to another lap of the counter";
}

TEST(Matcher, AWrappedCounterUnwrapsByTheKernelsStampAlsoLongAfterwards) {
  SimulatedStream stream({.format = "message8", .duration = 600 * kMillisecond});
  while (stream.emitting()) stream.Emit();
  stream.Receive();  // the loop was kept from running for more than two laps
  stream.Finish();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 600, .received = 600, .done = 600}));
  EXPECT_EQ(stream.handler.value_error_squares.load(), 0.0);
}

TEST(Matcher, AStampATrifleTooEarlyStillFindsItsEmission) {
  SimulatedStream stream({.format = "message8", .duration = 600 * kMillisecond});
  while (stream.emitting()) {
    stream.Emit();
    for (auto& message : stream.messages) message.stamp = *message.stamp - std::chrono::microseconds(2);
    stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 600, .received = 600, .done = 600}));
  EXPECT_EQ(stream.handler.value_error_squares.load(), 0.0);
}

TEST(Matcher, FramesThatLookTheSameKeepTheirOrderWhenTheFirstOnesStampWasMadeLateInItsSendCall) {
  SimulatedStream stream({.format = "message0", .duration = 600 * kMillisecond});
  while (stream.emitting()) {
    stream.Emit();
    if (stream.emitting()) stream.Emit();
    if (stream.messages.size() == 2) {
      const Truth second = *stream.ring().Read(stream.ring().published() - 1, 1024);
      stream.messages[0].stamp = second.sent - std::chrono::microseconds(1);
    }
    stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 600, .received = 600, .done = 600}));
  EXPECT_EQ(stream.handler.value_error_squares.load(), 0.0) << "a frame was matched to its neighbour";
}

TEST(Matcher, OfFramesThatLookTheSameTheOneSentNearestBeforeTheStampCameAndTheOthersAreLost) {
  SimulatedStream stream({.format = "message0", .duration = 600 * kMillisecond});
  int sends = 0;
  stream.next_fate = [&] { return SimulatedStream::Fate{.lost = ++sends % 3 == 0}; };
  stream.RunAll();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 600, .received = 400, .lost = 200, .done = 400}));
  EXPECT_EQ(stream.handler.value_error_squares.load(), 0.0) << "a frame was matched to a lost one";
}

TEST(Matcher, AFlipThatPassesForAGoodFrameIsUndetectableAndOneOfTheCounterAmbiguous) {
  // Without a check on the wire: a flip of the value or of the padding passes, unless it makes a value that cannot be.
  std::uint64_t ambiguous = 0, wrong_values = 0, implausible = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimulatedStream stream({.format = "bare", .faults = {At(FaultKind::kBitFlip, {50})}, .seed = seed});
    stream.RunAll();
    const Counts counts = CountsOf(stream);
    EXPECT_TRUE(AddsUp(counts)) << counts;
    const FaultCounts flip = FaultsOf(stream, FaultKind::kBitFlip);
    EXPECT_EQ(flip.detected + flip.undetectable + flip.ambiguous, 1u) << "seed " << seed << ": " << flip;
    EXPECT_EQ(flip.ambiguous, counts.ambiguous) << "seed " << seed;
    implausible += flip.detected;
    EXPECT_EQ(counts.received + counts.ambiguous, 100u) << "seed " << seed;
    EXPECT_EQ(counts.lost, counts.ambiguous) << "seed " << seed;
    EXPECT_EQ(counts.lost_injected, counts.lost) << "seed " << seed;
    ambiguous += counts.ambiguous;
    wrong_values += stream.handler.value_error_squares.load() > 0;
  }
  EXPECT_GT(ambiguous, 0u);
  EXPECT_GT(implausible, 0u);
  EXPECT_LT(implausible, wrong_values);
}

TEST(Matcher, AFrameNobodySentIsAmbiguous) {
  SimulatedStream stream({});
  while (stream.emitting()) {
    stream.Emit();
    const auto copy = stream.messages.front();
    stream.messages.push_back(copy);  // the truth knows of one
    stream.Receive();
  }
  stream.Finish();
  const Counts counts = CountsOf(stream);
  EXPECT_TRUE(AddsUp(counts)) << counts;
  EXPECT_EQ(counts.received, 100u);
  EXPECT_EQ(counts.ambiguous, 100u);
}

TEST(Matcher, CorruptBytesThatNobodySentAreOneCorruptFrame) {
  SimulatedStream stream({.channel = ChannelKind::kPty, .format = "bytes"});
  while (stream.emitting()) {
    stream.Emit();
    stream.Receive();
  }
  stream.bytes.assign(7, std::byte{0});  // seven reports of one byte
  stream.Receive(1);
  stream.Finish();
  EXPECT_EQ(CountsOf(stream), (Counts{.sent = 100, .received = 100, .corrupt = 1, .done = 100}));
}

TEST(Matcher, TheErrorOfTheValueIsAgainstTheTruth) {
  SimulatedStream stream({.format = "bare", .faults = {}});
  while (stream.emitting()) {
    stream.Emit();
    if (stream.source.sent.Get() == 10) stream.messages.front().bytes[5] ^= std::byte{0x04};  // the value's lowest byte
    stream.Receive();
  }
  stream.Finish();
  EXPECT_EQ(stream.handler.value_error_squares.load(), 16.0);
}

TEST(Matcher, LossesShowWhileTheRunGoesOn) {
  SimulatedStream stream({.faults = {At(FaultKind::kDrop, {10})}, .duration = 500 * kMillisecond});
  while (stream.emitting()) {
    stream.Emit();
    stream.Receive();
  }
  EXPECT_EQ(stream.handler.lost.Get(), 1u);
}

TEST(Matcher, TheFirstLateSampleOfTheWindowBreaksAndNoneThatWasHeldBackOnPurpose) {
  constexpr Nanos kLate = std::chrono::microseconds(600);
  const auto latch = std::make_unique<BreakLatch>();
  SampleBreak at(*latch, {});  // descriptors that nothing is written to
  SimulatedStream stream(
      {.faults = {At(FaultKind::kReorder, {20})}, .at_break = {.above = Nanos(500'000), .stream = 1, .at = &at}});
  for (int emission = 0; stream.emitting(); ++emission) {
    const bool in_warmup = emission == 5;
    if (emission == 60) {
      ASSERT_FALSE(latch->Read()) << latch->Read()->sample.sequence;
      ASSERT_EQ(stream.handler.reordered.Get(), 1u);
      ASSERT_LT(stream.handler.latency.Read().max(), 50'000) << "what is late on purpose is not the board's";
    }
    stream.Emit(in_warmup || emission == 60 ? kLate : emission == 70 ? kLate + kLate / 4 : Nanos(0));
    stream.Receive();
    EXPECT_EQ(latch->Read().has_value(), emission >= 60) << emission;
  }
  stream.Finish();
  const auto moment = latch->Read();
  ASSERT_TRUE(moment);
  EXPECT_EQ(moment->stream, 1u);
  EXPECT_GT(moment->sample.latency(), kLate);
  EXPECT_LT(moment->sample.latency(), kLate + kLate / 8);
  EXPECT_EQ(stream.handler.worst.Read().at(0), moment->sample) << "what came later has no trace";
  EXPECT_GT(stream.handler.latency.Read().max(), (kLate + kLate / 8).count()) << "it counts all the same";
}

}  // namespace
}  // namespace corerig
