#include "harness/stream/emitter.h"

#include <gtest/gtest.h>

#include <vector>

#include "harness/stream/simulated_stream.h"

namespace corerig {
namespace {

FaultPlan At(FaultKind kind, std::vector<std::uint64_t> at) { return {.kind = kind, .share = 0, .at = std::move(at)}; }

std::vector<Truth> TruthsOf(SimulatedStream& stream, std::size_t capacity = 1024) {
  std::vector<Truth> truths;
  for (std::uint64_t i = 0; i < stream.ring().published(); ++i) truths.push_back(*stream.ring().Read(i, capacity));
  return truths;
}

// Sequences relative to the window's first, in the order in which they were sent.
std::vector<std::int64_t> OrderIn(SimulatedStream& stream, std::uint64_t samples) {
  std::vector<std::int64_t> order;
  for (const Truth& truth : TruthsOf(stream)) {
    if (truth.sequence < stream.window().first || truth.sequence >= stream.window().first + samples) continue;
    if (truth.size > 0) order.push_back(static_cast<std::int64_t>(truth.sequence - stream.window().first));
  }
  return order;
}

void EmitAll(SimulatedStream& stream) {
  while (stream.emitting()) stream.Emit();
}

TEST(Emitter, SendsEverySampleAtItsDueTimeWithTheTruthBesideIt) {
  SimulatedStream stream({});
  EmitAll(stream);
  const auto truths = TruthsOf(stream);
  ASSERT_EQ(truths.size(), stream.messages.size());
  std::uint64_t offset = 0;
  for (std::uint64_t n = 0; n < truths.size(); ++n) {
    EXPECT_EQ(truths[n].sequence, n);
    EXPECT_EQ(truths[n].due, stream.schedule().DueOf(n));
    EXPECT_GE(truths[n].sent, truths[n].due);
    EXPECT_LT(truths[n].sent, *stream.messages[n].stamp);
    EXPECT_EQ(truths[n].offset, offset);
    EXPECT_EQ(truths[n].size, stream.messages[n].bytes.size());
    EXPECT_EQ(truths[n].flags, 0u);
    EXPECT_EQ(truths[n].value, TestValue(n));
    offset += truths[n].size;
  }
}

TEST(Emitter, WhereTheSensorDeliversNothingNothingIsSentAndNoTruthWritten) {
  SimulatedStream stream({.gap = [](std::uint64_t sequence) { return sequence % 10 == 3; }});
  EmitAll(stream);
  EXPECT_EQ(stream.source.gaps.Get(), 10u);
  EXPECT_EQ(stream.source.sent.Get(), 90u);
  const std::uint64_t first = stream.window().first;
  for (const Truth& truth : TruthsOf(stream)) {
    EXPECT_NE(truth.sequence % 10, 3u);
    EXPECT_GT(truth.size, 0u);
    std::uint64_t gaps = 0;
    for (std::uint64_t n = first; n < truth.sequence; ++n) gaps += n % 10 == 3;
    EXPECT_EQ(truth.gaps, gaps) << truth.sequence;
  }
}

TEST(Emitter, NoFaultMeetsAGapAndAFrameHeldBackWaitsBeyondIt) {
  // Samples 4 and 20 of the window are gaps; a reorder at 3 waits for 5, a drop at 20 has nothing to drop.
  const std::uint64_t first = SimulatedStream({}).window().first;
  SimulatedStream stream({.faults = {At(FaultKind::kReorder, {3}), At(FaultKind::kDrop, {20})},
                          .gap = [first](std::uint64_t n) { return n == first + 4 || n == first + 20; }});
  EmitAll(stream);
  EXPECT_EQ(OrderIn(stream, 7), (std::vector<std::int64_t>{0, 1, 2, 5, 3, 6}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDrop).injected, 0u);
  EXPECT_EQ(FaultsOf(stream, FaultKind::kReorder).injected, 1u);
  EXPECT_EQ(stream.source.sent.Get(), 98u);
}

TEST(Emitter, CountsTheSamplesDueInTheWindow) {
  SimulatedStream stream({});
  EmitAll(stream);
  EXPECT_EQ(stream.source.sent.Get(), stream.window().count);
  EXPECT_EQ(stream.window().count, 100u);
  EXPECT_EQ(stream.source.overruns.Get(), 0u);
  EXPECT_EQ(stream.source.late.Get(), 0u);
}

TEST(Emitter, KeepsTheLatenessOfAllSamplesOfTheWindow) {
  SimulatedStream stream({});
  for (int n = 0; stream.emitting(); ++n) stream.Emit(n == 50 ? 5 * kMillisecond : Nanos(0));
  const Distribution lateness = stream.source.lateness.Read();
  EXPECT_EQ(lateness.count(), 100u);
  EXPECT_GE(lateness.max(), Nanos(5 * kMillisecond).count());
  EXPECT_LT(lateness.max(), Nanos(6 * kMillisecond).count());
  EXPECT_EQ(stream.source.frames_in_all.Get(), stream.messages.size());
}

TEST(Emitter, AFrameThatAFaultCutsIsStillTakenWhole) {
  SimulatedStream stream({.faults = {At(FaultKind::kTruncate, {20, 40})}});
  EmitAll(stream);
  EXPECT_EQ(FaultsOf(stream, FaultKind::kTruncate).injected, 2u);
  EXPECT_EQ(stream.source.frames_in_all.Get(), stream.messages.size());
  EXPECT_EQ(stream.source.overruns.Get(), 0u);
}

TEST(Emitter, TheLatenessOfADelayedSampleCountsFromItsRelease) {
  FaultPlan delayed = At(FaultKind::kDelayed, {20, 40});
  delayed.by = 3 * kMillisecond;
  SimulatedStream stream({.faults = {delayed}});
  EmitAll(stream);
  const Distribution lateness = stream.source.lateness.Read();
  EXPECT_EQ(FaultsOf(stream, FaultKind::kDelayed).injected, 2u);
  EXPECT_EQ(lateness.count(), 100u);
  EXPECT_LT(lateness.max(), Nanos(kMillisecond).count());
}

TEST(Emitter, TheTruthIsPublishedBeforeTheFrameIsSent) {
  SimulatedStream stream({});
  std::uint64_t sends = 0;
  stream.next_fate = [&] {
    EXPECT_EQ(stream.ring().published(), ++sends);
    return SimulatedStream::Fate{};
  };
  EmitAll(stream);
  EXPECT_GT(sends, 100u);
}

TEST(Emitter, AHeldBackFrameGoesRightAfterItsSuccessor) {
  SimulatedStream stream({.faults = {At(FaultKind::kReorder, {2})}});
  EmitAll(stream);
  EXPECT_EQ(OrderIn(stream, 6), (std::vector<std::int64_t>{0, 1, 3, 2, 4, 5}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kReorder).injected, 1u);
}

TEST(Emitter, TheSuccessorOfAHeldBackFrameIsNotHeldBackItself) {
  SimulatedStream stream({.faults = {At(FaultKind::kReorder, {2, 3, 4})}});
  EmitAll(stream);
  EXPECT_EQ(OrderIn(stream, 8), (std::vector<std::int64_t>{0, 1, 3, 2, 5, 4, 6, 7}));
  EXPECT_EQ(FaultsOf(stream, FaultKind::kReorder).injected, 2u);
}

TEST(Emitter, AHeldBackFrameIsSentEvenIfItsSuccessorIsDropped) {
  SimulatedStream stream({.faults = {At(FaultKind::kReorder, {2}), At(FaultKind::kDrop, {3})}});
  EmitAll(stream);
  EXPECT_EQ(OrderIn(stream, 6), (std::vector<std::int64_t>{0, 1, 2, 4, 5}));
  for (const Truth& truth : TruthsOf(stream)) {
    if (truth.flags != kTruthHeld) continue;
    EXPECT_GE(truth.sent, stream.schedule().DueOf(truth.sequence + 1));
  }
}

TEST(Emitter, TheLastSampleOfTheWindowCanBeHeldBack) {
  SimulatedStream stream({.faults = {At(FaultKind::kReorder, {99})}});
  EmitAll(stream);
  EXPECT_EQ(OrderIn(stream, 101), (std::vector<std::int64_t>{[] {
              std::vector<std::int64_t> order;
              for (std::int64_t n = 0; n < 99; ++n) order.push_back(n);
              order.push_back(100);  // due after the window: sent for the sake of order, not counted
              order.push_back(99);
              return order;
            }()}));
  EXPECT_EQ(stream.source.sent.Get(), 100u);
}

TEST(Emitter, ADuplicateIsSentTwiceInARow) {
  SimulatedStream stream({.faults = {At(FaultKind::kDuplicate, {2})}});
  EmitAll(stream);
  EXPECT_EQ(OrderIn(stream, 4), (std::vector<std::int64_t>{0, 1, 2, 2, 3}));
  EXPECT_EQ(stream.source.sent.Get(), 100u);
  std::size_t copies = 0;
  for (const Truth& truth : TruthsOf(stream)) copies += truth.flags == kTruthCopy;
  EXPECT_EQ(copies, 1u);
}

TEST(Emitter, ADroppedSampleLeavesATruthWithoutBytes) {
  SimulatedStream stream({.faults = {At(FaultKind::kDrop, {0})}});
  EmitAll(stream);
  const auto truths = TruthsOf(stream);
  const Truth& dropped = truths[stream.window().first];
  EXPECT_EQ(dropped.flags, kTruthUnsent);
  EXPECT_EQ(dropped.size, 0u);
  EXPECT_EQ(truths[stream.window().first + 1].offset, dropped.offset);
  EXPECT_EQ(stream.messages.size(), truths.size() - 1);
  EXPECT_EQ(stream.source.sent.Get(), 100u);
}

TEST(Emitter, ABitFlipChangesOneBitOfTheFrameAndNotTheTruth) {
  SimulatedStream clean({}), flipped({.faults = {At(FaultKind::kBitFlip, {5})}});
  EmitAll(clean);
  EmitAll(flipped);
  ASSERT_EQ(clean.messages.size(), flipped.messages.size());
  const std::uint64_t sample = clean.window().first + 5;
  for (std::uint64_t n = 0; n < clean.messages.size(); ++n) {
    int bits = 0;
    for (std::size_t i = 0; i < clean.messages[n].bytes.size(); ++i) {
      const auto difference = clean.messages[n].bytes[i] ^ flipped.messages[n].bytes[i];
      bits += std::popcount(std::to_integer<unsigned>(difference));
    }
    EXPECT_EQ(bits, n == sample ? 1 : 0) << "sample " << n;
  }
  EXPECT_EQ(TruthsOf(flipped)[sample].flags, kTruthSpoiled);
  EXPECT_EQ(TruthsOf(flipped)[sample].wire_key, sample);
}

TEST(Emitter, AFullChannelIsAnOverrunAndKeepsTheByteOffsetTrue) {
  SimulatedStream stream({.channel = ChannelKind::kPty, .format = "bytes"});
  int sends = 0;
  stream.next_fate = [&] {
    ++sends;
    if (sends == 20) return SimulatedStream::Fate{.taken = 4};
    if (sends == 21) return SimulatedStream::Fate{.taken = 0};
    return SimulatedStream::Fate{};
  };
  EmitAll(stream);
  const auto truths = TruthsOf(stream);
  EXPECT_EQ(truths[20].offset, truths[19].offset + 4);
  EXPECT_EQ(truths[21].offset, truths[20].offset);
  EXPECT_GT(truths[19].size, 4u);  // the truth tells the whole frame
  EXPECT_EQ(stream.source.overruns.Get(), 2u);
  EXPECT_EQ(stream.source.sent.Get(), 100u);
  EXPECT_EQ(truths.back().offset + truths.back().size, stream.bytes.size());
}

TEST(Emitter, MoreThanAPeriodLateIsLateUnlessAFaultWantsIt) {
  SimulatedStream stream({.faults = {At(FaultKind::kReorder, {50})}});
  while (stream.emitting()) {
    const std::uint64_t n = stream.ring().published();
    stream.Emit(n == stream.window().first + 10 ? 3 * kMillisecond + kMillisecond / 2 : Nanos(0));
  }
  // 3.5, 2.5 and 1.5 ms late; the next by half a period.
  EXPECT_EQ(stream.source.late.Get(), 3u);
}

TEST(Emitter, ReleaseSendsAllThatIsHeldBackAtOnceAndInOrder) {
  SimulatedStream stream(
      {.faults = {{.kind = FaultKind::kDelayed, .at = {50}, .by = 20 * kMillisecond}, At(FaultKind::kReorder, {54})}});
  while (stream.emitter().next_due() < stream.schedule().DueOf(stream.window().first + 55)) stream.Emit();
  EXPECT_EQ(stream.messages.size(), stream.window().first + 50);
  EXPECT_TRUE(stream.emitter().holding());
  EXPECT_EQ(stream.emitter().next_release(), stream.schedule().DueOf(stream.window().first + 50) + 20 * kMillisecond);
  stream.emitter().Release();
  EXPECT_EQ(OrderIn(stream, 60).size(), 55u);
  EXPECT_EQ(OrderIn(stream, 60).back(), 54);
  EXPECT_FALSE(stream.emitter().holding());
  EXPECT_EQ(stream.emitter().next_release(), Nanos::max());
  for (const Truth& truth : TruthsOf(stream)) EXPECT_LE(truth.release, truth.sent);
}

TEST(Emitter, ASampleIsEncodedOnceAndAheadOfTime) {
  SimulatedStream stream({});
  stream.emitter().Prepare();
  EXPECT_TRUE(stream.emitter().prepared());
  EXPECT_GT(stream.emitter().encode_time(), Nanos(0));
  const Nanos before = SimulatedStream::clock();
  stream.emitter().Prepare();
  EXPECT_EQ(SimulatedStream::clock(), before) << "it was encoded anew";
  stream.Emit();
  EXPECT_FALSE(stream.emitter().prepared());
}

}  // namespace
}  // namespace corerig
