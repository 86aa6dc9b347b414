// Streams whose frames wait for room: nothing is lost, the accounts hold to the last sample, and the source is not
// blamed for its receiver.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <vector>

#include "harness/stream/simulated_stream.h"

namespace corerig {
namespace {

constexpr Nanos kMicrosecond = std::chrono::microseconds(1);

double Uniform(std::mt19937_64& random) { return std::uniform_real_distribution<>(0, 1)(random); }

SimulationSettings Lossless(ChannelKind channel = ChannelKind::kSeqpacket) {
  return {.channel = channel, .format = IsDatagram(channel) ? "message" : "bytes", .pace = Pace::kLossless};
}

// There is room for nothing from one instant to another; then the emitter is told so at once.
void BlockBetween(SimulatedStream& stream, Nanos from, Nanos until) {
  stream.next_fate = [from, until] {
    const Nanos now = SimulatedStream::clock();
    return SimulatedStream::Fate{.taken = now >= from && now < until ? 0 : SIZE_MAX};
  };
}
void EmitAll(
    SimulatedStream& stream, const std::function<void()>& after_each = [] {}) {
  while (stream.emitting()) {
    stream.Emit();
    after_each();
  }
}

TEST(Lossless, AFrameWithoutRoomWaitsAndThoseBehindItFollowInOrder) {
  SimulatedStream stream(Lossless());
  const Nanos from = SimulatedStream::kStart + 30 * kMillisecond, until = from + 20 * kMillisecond;
  BlockBetween(stream, from, until);
  EmitAll(stream, [&] { stream.Receive(); });
  stream.Finish();
  const Counts counts = CountsOf(stream);
  EXPECT_EQ(counts, (Counts{.sent = 100, .received = 100, .done = 100})) << counts;
  EXPECT_EQ(stream.source.backlog.Get(), 0u);
  const Distribution latency = stream.handler.latency.Read();
  EXPECT_EQ(latency.count(), 100u);
  // The first one waited for all of it, to within one look.
  EXPECT_GE(latency.max(), (19 * kMillisecond).count()) << "latency shows the whole wait";
  EXPECT_LE(latency.max(), (22 * kMillisecond).count());
}

TEST(Lossless, TheTimeWithoutRoomIsBlockedTimeAsFarAsItLiesInTheWindow) {
  struct Case {
    Nanos from, until, blocked;
  };
  // The window is from 10 to 110 ms.
  for (const Case& each : {Case{30 * kMillisecond, 50 * kMillisecond, 20 * kMillisecond},
                           Case{Nanos(0), 25 * kMillisecond, 15 * kMillisecond},
                           Case{100 * kMillisecond, 200 * kMillisecond, 10 * kMillisecond}}) {
    SimulatedStream stream(Lossless());
    BlockBetween(stream, SimulatedStream::kStart + each.from, SimulatedStream::kStart + each.until);
    EmitAll(stream);
    EXPECT_NEAR(static_cast<double>(stream.source.blocked_ns.Get()), static_cast<double>(each.blocked.count()),
                2.1e6)  // from when a frame is due, a period of 1 ms, to the next look, another
        << each.from.count();
    EXPECT_EQ(stream.source.sent.Get(), 100u);
  }
  SimulatedStream free(Lossless());
  EmitAll(free);
  EXPECT_EQ(free.source.blocked_ns.Get(), 0u);
}

TEST(Lossless, WaitingForRoomIsNotTheSourcesLateness) {
  SimulatedStream stream(Lossless());
  const Nanos from = SimulatedStream::kStart + 30 * kMillisecond;
  BlockBetween(stream, from, from + 40 * kMillisecond);
  EmitAll(stream, [&] { stream.Receive(); });
  stream.Finish();
  EXPECT_EQ(stream.source.late.Get(), 0u);
  EXPECT_GT(stream.source.lateness.Read().max(), (38 * kMillisecond).count());
  // Nor is it in what the latency would have been had the source been on time.
  EXPECT_EQ(stream.handler.since_sent.Read().count(), 100u);
  EXPECT_GT(stream.handler.since_sent.Read().max(), (38 * kMillisecond).count());
}

TEST(Lossless, TheSourcesOwnDelayIsItsLatenessWhetherThereIsRoomOrNot) {
  // Twenty milliseconds late at a period of one: as in real time, 20 samples are late by more than one period.
  for (const bool blocked : {false, true}) {
    SimulatedStream stream(Lossless());
    const Nanos from = SimulatedStream::kStart + 30 * kMillisecond, until = from + 20 * kMillisecond;
    if (blocked) BlockBetween(stream, from, until);
    const Nanos stall = until + 30 * kMillisecond;
    bool stalled = false;
    while (stream.emitting()) {
      const bool now = !stalled && SimulatedStream::clock() > stall;
      stalled = stalled || now;
      stream.Emit(now ? 20 * kMillisecond : Nanos(0));
      stream.Receive();
    }
    stream.Finish();
    EXPECT_NEAR(static_cast<double>(stream.source.late.Get()), 20, 2) << blocked;
    const Distribution since = stream.handler.since_sent.Read(), latency = stream.handler.latency.Read();
    EXPECT_LT(since.max(), (blocked ? 22 : 1) * kMillisecond.count()) << "less the stall";
    EXPECT_GT(latency.max(), (19 * kMillisecond).count());
  }
}

TEST(Lossless, WhereTheReceiverIsTheLimitASourceThatIsBusyAsWellIsNotBlamed) {
  // For every frame the source comes three milliseconds late, and from the window's first on the receiver takes one in
  // ten: at a period of one millisecond neither keeps the pace, and the receiver less so.
  for (const Nanos wait : {Nanos(0), 7 * kMillisecond}) {
    SimulatedStream stream(Lossless());
    Nanos room_at{0};
    stream.next_fate = [&] {
      const bool room = SimulatedStream::clock() >= room_at;
      if (room && wait > Nanos(0)) room_at = SimulatedStream::clock() + 3 * kMillisecond + wait;
      return SimulatedStream::Fate{.taken = room ? SIZE_MAX : 0};
    };
    while (stream.emitting()) {
      if (!stream.emitter().blocked()) SimulatedStream::clock() += 3 * kMillisecond;
      stream.Emit();
      stream.Receive();
    }
    stream.Finish();
    EXPECT_EQ(stream.source.sent.Get(), 100u);
    if (wait == Nanos(0)) {
      EXPECT_GT(stream.source.late.Get(), 90u);
    } else {
      EXPECT_LT(stream.source.late.Get(), 10u);
    }
  }
}

TEST(Lossless, WhatTheChannelTakesInPartStaysOneFrame) {
  for (const std::size_t at_once : {1u, 3u, 7u}) {
    SimulatedStream stream(Lossless(ChannelKind::kPty));
    bool taken = false;
    stream.next_fate = [&] { return SimulatedStream::Fate{.taken = std::exchange(taken, !taken) ? 0 : at_once}; };
    EmitAll(stream, [&] { stream.Receive(2); });
    stream.Finish();
    const Counts counts = CountsOf(stream);
    EXPECT_EQ(counts, (Counts{.sent = 100, .received = 100, .done = 100})) << counts;
    EXPECT_EQ(stream.source.bytes_in_all.Get(), stream.handler.bytes_in_all.Get());
  }
}

TEST(Lossless, SentIsTheOfferThatTookTheFirstByteAndTheReceiverSeesIt) {
  SimulatedStream stream(Lossless());
  const Nanos from = SimulatedStream::kStart + 30 * kMillisecond, until = from + 20 * kMillisecond;
  BlockBetween(stream, from, until);
  // The receiver is one frame behind: it reads the truth of the frame that waits with that frame's first offer.
  int behind = 0;
  EmitAll(stream, [&] {
    behind += stream.emitter().blocked() && !stream.messages.empty();
    while (stream.messages.size() > (stream.emitter().blocked() ? 0u : 1u)) stream.Receive(SIZE_MAX, 1);
  });
  EXPECT_GT(behind, 0);
  stream.Receive();
  stream.Finish();
  const Distribution transport = stream.handler.transport.Read(), lateness = stream.handler.lateness.Read();
  EXPECT_EQ(transport.count(), 100u);
  EXPECT_LT(transport.max(), (10 * kMicrosecond).count()) << "the wait is lateness, none of it transport";
  EXPECT_GT(lateness.max(), (19 * kMillisecond).count());
}

TEST(Lossless, WithoutAReceiverFramesWaitForOneAndABrokenFrameBeginsAnew) {
  SimulatedStream stream(Lossless(ChannelKind::kPty));
  int offers = 0;
  stream.next_fate = [&] {
    ++offers;
    if (offers == 5) return SimulatedStream::Fate{.taken = 4};
    if (offers > 5 && offers < 15) return SimulatedStream::Fate{.gone = true};
    return SimulatedStream::Fate{};
  };
  EmitAll(stream);
  EXPECT_EQ(stream.source.sent.Get(), 100u);
  EXPECT_EQ(stream.source.overruns.Get() + stream.source.unheard.Get(), 0u);
  EXPECT_EQ(stream.bytes.size() % (stream.bytes.size() / 110), 4u) << "four bytes went to the one that left";
}

TEST(Lossless, TheSourceWaitsForTheMatcherWhereTheRingIsSmallerThanTheChannel) {
  SimulationSettings settings = Lossless();
  settings.ring_capacity = 16;
  SimulatedStream stream(settings);
  int most = 0;
  for (int looks = 0; stream.emitting(); ++looks) {
    stream.Emit();
    most = std::max(most, static_cast<int>(stream.messages.size()));
    if (looks % 40 == 39) stream.Receive();
  }
  stream.Receive();
  stream.Finish();
  EXPECT_EQ(most, 16);
  EXPECT_GT(stream.source.blocked_ns.Get(), 0u);
  const Counts counts = CountsOf(stream);
  EXPECT_EQ(counts, (Counts{.sent = 100, .received = 100, .done = 100})) << counts;
}

TEST(Lossless, WhatIsNotSentWhenTheRunEndsIsTheBacklogAndNeitherSentNorLost) {
  for (const ChannelKind channel : {ChannelKind::kSeqpacket, ChannelKind::kPty}) {
    SimulatedStream stream(Lossless(channel));
    const Nanos from = SimulatedStream::kStart + 60 * kMillisecond;
    std::size_t part = IsDatagram(channel) ? 0 : 3;
    stream.next_fate = [&] {
      return SimulatedStream::Fate{.taken = SimulatedStream::clock() < from ? SIZE_MAX : std::exchange(part, 0)};
    };
    while (SimulatedStream::clock() < SimulatedStream::kStart + 500 * kMillisecond) {
      stream.Emit();
      stream.Receive();
    }
    stream.Finish();
    const Counts counts = CountsOf(stream);
    EXPECT_TRUE(AddsUp(counts)) << counts;
    EXPECT_NEAR(static_cast<double>(counts.sent), 50, 1);
    EXPECT_EQ(counts.lost + counts.unread + counts.corrupt, 0u) << counts;
    EXPECT_EQ(counts.sent + stream.source.backlog.Get(), 100u);
  }
}

TEST(Lossless, WhatTheSourceWouldNotHaveSentEitherIsNoBacklog) {
  // It slept from 60 ms to the end, and there was room.
  SimulatedStream stream(Lossless());
  while (SimulatedStream::clock() < SimulatedStream::kStart + 60 * kMillisecond) stream.Emit();
  const std::uint64_t sent = stream.source.sent.Get();
  SimulatedStream::clock() = SimulatedStream::kStart + 500 * kMillisecond;
  stream.Finish();
  EXPECT_LT(sent, 55u);
  EXPECT_EQ(stream.source.sent.Get(), sent);
  EXPECT_EQ(stream.source.backlog.Get(), 0u);
}

TEST(Lossless, AHandlerThatTellsNonsenseOfWhatIsSettledHurtsNobody) {
  SimulatedStream stream(Lossless());
  stream.handler.settled = UINT64_MAX;
  EmitAll(stream);
  EXPECT_EQ(stream.source.sent.Get(), 100u);
}

TEST(Lossless, FaultsThatLeaveOutOrSpoilAllFramesForLongDoNotStopIt) {
  for (const FaultKind kind : {FaultKind::kOff, FaultKind::kGarbage, FaultKind::kBitFlip, FaultKind::kTruncate}) {
    for (const char* const format : {"message", "bare", "bytes"}) {
      SimulationSettings settings =
          Lossless(format == std::string("bytes") ? ChannelKind::kPty : ChannelKind::kSeqpacket);
      settings.format = format;
      settings.ring_capacity = 32;
      settings.duration = 400 * kMillisecond;
      settings.faults = {{.kind = kind, .span = FaultPlan::Span{10 * kMillisecond, 300 * kMillisecond}}};
      SimulatedStream stream(settings);
      for (int looks = 0; stream.emitting(); ++looks) {
        ASSERT_LT(looks, 5000) << ToText(kind) << " " << format;
        stream.Emit();
        stream.Receive();
      }
      stream.Finish();
      const Counts counts = CountsOf(stream);
      EXPECT_TRUE(AddsUp(counts)) << ToText(kind) << " " << format << ": " << counts;
      EXPECT_EQ(counts.sent, 400u) << ToText(kind) << " " << format;
    }
  }
}

TEST(Lossless, ASilenceLongerThanTheRingStopsNothing) {
  const FaultPlan off = {.kind = FaultKind::kOff, .span = FaultPlan::Span{50 * kMillisecond, 250 * kMillisecond}};
  const FaultPlan drop = {.kind = FaultKind::kDrop, .share = 0.05};
  const FaultPlan garbage = {.kind = FaultKind::kGarbage, .share = 0.05};
  const FaultPlan slow = {.kind = FaultKind::kSlow, .span = FaultPlan::Span{0 * kMillisecond, {}}, .count = 200};
  for (const auto& faults : {std::vector{off}, std::vector{slow}, std::vector{off, drop}, std::vector{off, garbage},
                             std::vector{slow, drop}}) {
    for (const char* const format : {"message", "bytes"}) {
      SimulationSettings settings =
          Lossless(format == std::string("bytes") ? ChannelKind::kPty : ChannelKind::kSeqpacket);
      settings.format = format;
      settings.ring_capacity = 32;
      settings.duration = 400 * kMillisecond;
      settings.faults = faults;
      SimulatedStream stream(settings);
      for (int looks = 0; stream.emitting(); ++looks) {
        ASSERT_LT(looks, 5000) << format;
        stream.Emit();
        stream.Receive();
        if (looks % 8 == 0) stream.Look();
      }
      stream.Finish();
      const Counts counts = CountsOf(stream);
      EXPECT_TRUE(AddsUp(counts)) << format << ": " << counts;
      EXPECT_EQ(counts.sent, 400u) << format;
      EXPECT_EQ(counts.truth_lost, 0u) << format;
      EXPECT_EQ(counts.lost, counts.lost_injected) << format;
      for (std::size_t i = 0; i < faults.size(); ++i) {
        const FaultCounts fault = FaultOf(stream.source, stream.handler, i);
        EXPECT_EQ(fault.injected, fault.detected + fault.undetected) << format << " " << ToText(faults[i].kind);
      }
    }
  }
}

// --- whatever happens

struct RandomRun {
  SimulationSettings settings;
  double reading = 1, stall = 0;
  std::size_t room = 8;  // messages, or 11 bytes each
  bool cut = false;      // the run ends before all is sent
};

RandomRun DrawRun(std::uint64_t seed, ChannelKind channel) {
  std::mt19937_64 random(seed);
  RandomRun run;
  run.settings = Lossless(channel);
  run.settings.seed = seed;
  run.settings.warmup = static_cast<int>(Uniform(random) * 20) * kMillisecond;
  run.settings.duration = Nanos(static_cast<std::int64_t>(Uniform(random) * 200e6));
  const std::size_t capacities[] = {16, 64, 1024};
  run.settings.ring_capacity = capacities[static_cast<std::size_t>(Uniform(random) * 3)];
  for (const FaultKind kind : {FaultKind::kDrop, FaultKind::kDuplicate, FaultKind::kBitFlip, FaultKind::kTruncate}) {
    if (Uniform(random) < 0.4) run.settings.faults.push_back({.kind = kind, .share = Uniform(random) * 0.2});
  }
  if (Uniform(random) < 0.5) {
    const std::uint64_t kept = 1 + static_cast<std::uint64_t>(Uniform(random) * 20);
    run.settings.gap = [kept](std::uint64_t sequence) { return sequence % (kept + 1) == kept; };
  }
  run.reading = 0.05 + Uniform(random);
  if (Uniform(random) < 0.3) run.stall = Uniform(random) * 0.05;
  run.room = 1 + static_cast<std::size_t>(Uniform(random) * 30);
  run.cut = Uniform(random) < 0.5;
  return run;
}

class LosslessAccounts : public testing::TestWithParam<ChannelKind> {};
INSTANTIATE_TEST_SUITE_P(Channels, LosslessAccounts,
                         testing::Values(ChannelKind::kSeqpacket, ChannelKind::kShm, ChannelKind::kPty),
                         [](const auto& info) { return std::string(ToText(info.param)); });

TEST_P(LosslessAccounts, AreExactAndNothingIsLostButByInjectedFaults) {
  std::uint64_t waited = 0, backlog = 0, unread = 0, whole = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    RandomRun run = DrawRun(seed, GetParam());
    run.settings.stamps = HasKernelStamps(GetParam());
    SimulatedStream stream(run.settings);
    std::mt19937_64 random(seed ^ 0x5EED);
    stream.next_fate = [&] {
      const bool datagrams = IsDatagram(GetParam());
      const std::size_t held = datagrams ? stream.messages.size() : stream.bytes.size();
      const std::size_t room = datagrams ? run.room : run.room * 11;
      const std::size_t left = room - std::min(room, held);
      return SimulatedStream::Fate{.taken = datagrams ? (left > 0 ? SIZE_MAX : 0) : left};
    };
    const Nanos cut = run.cut ? Nanos(static_cast<std::int64_t>(stream.control().window_begin)) +
                                    Nanos(static_cast<std::int64_t>(Uniform(random) * 200e6))
                              : Nanos::max();
    std::uint64_t blocked = 0;
    while (stream.emitting() && SimulatedStream::clock() < cut) {
      stream.Emit(Uniform(random) < run.stall ? Nanos(static_cast<std::int64_t>(Uniform(random) * 5e6)) : Nanos(0));
      blocked += stream.emitter().blocked();
      if (Uniform(random) < run.reading) stream.Receive(1 + static_cast<std::size_t>(Uniform(random) * 40), 1);
    }
    // The window of a run that was cut is what was due by then, as in a run that is interrupted.
    if (run.cut)
      stream.control().window_end = std::min(stream.control().window_end.load(), SimulatedStream::clock().count());
    stream.Finish(7);
    const Counts counts = CountsOf(stream);
    ASSERT_TRUE(AddsUp(counts)) << "seed " << seed << ": " << counts;
    ASSERT_EQ(counts.lost, counts.lost_injected) << "seed " << seed << ": " << counts;
    ASSERT_EQ(counts.overruns + counts.reordered + counts.truth_lost + counts.ambiguous, 0u)
        << "seed " << seed << ": " << counts;
    std::uint64_t gaps = 0;
    for (std::uint64_t n = stream.window().first; n < stream.window().first + stream.window().count; ++n) {
      gaps += run.settings.gap && run.settings.gap(n);
    }
    if (!run.cut) {
      ASSERT_EQ(counts.sent + gaps, stream.window().count) << "seed " << seed << ": " << counts;
      ASSERT_EQ(stream.source.backlog.Get(), 0u) << "seed " << seed;
      ++whole;
    }
    waited += blocked;
    backlog += stream.source.backlog.Get();
    unread += counts.unread;
  }
  // The cases were there.
  EXPECT_GT(waited, 1000u);
  EXPECT_GT(backlog, 100u);
  EXPECT_GT(unread, 300u);
  EXPECT_GT(whole, 200u);
}

}  // namespace
}  // namespace corerig
