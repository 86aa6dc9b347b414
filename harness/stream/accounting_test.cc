// The accounts of thousands of random streams: the identity holds to the last sample, and every figure agrees with an
// oracle that watches the channel from outside.

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "harness/stream/simulated_stream.h"

namespace corerig {
namespace {

// What happened to a sample on its way, as the channel saw it.
struct Fate {
  std::uint32_t flags = 0;
  int accepted = 0;   // copies taken whole
  int attempted = 0;  // send calls
};

struct RandomRun {
  SimulationSettings settings;
  double loss = 0, refusal = 0, stall = 0, reading = 1;
  std::uint64_t seed = 0;
};

double Uniform(std::mt19937_64& random) { return std::uniform_real_distribution<>(0, 1)(random); }

RandomRun DrawRun(std::uint64_t seed, ChannelKind channel) {
  std::mt19937_64 random(seed);
  RandomRun run;
  run.seed = seed;
  run.settings.channel = channel;
  run.settings.seed = seed;
  run.settings.format = IsDatagram(channel) ? "message" : "bytes";
  run.settings.warmup = static_cast<int>(Uniform(random) * 20) * kMillisecond;
  run.settings.duration = Nanos(static_cast<std::int64_t>(Uniform(random) * 200e6));
  for (const FaultKindInfo& kind : AllFaultKinds()) {
    const auto upTo = [&](double milliseconds) {
      return Nanos(1 + static_cast<std::int64_t>(Uniform(random) * milliseconds * 1e6));
    };
    FaultPlan fault{.kind = kind.kind,
                    .by = upTo(10),
                    .period = upTo(20) + 2 * kMillisecond,
                    .amount = Uniform(random) * 1e8,
                    .count = 2 + static_cast<std::uint32_t>(Uniform(random) * 10)};
    if (kind.only_scheduled) {
      if (Uniform(random) < 0.3) {
        fault.span = FaultPlan::Span{upTo(150), {}};
        if (Uniform(random) < 0.8) fault.span->length = upTo(60);
        run.settings.faults.push_back(fault);
      }
      continue;
    }
    if (Uniform(random) < 0.4) fault.share = Uniform(random) * 0.2;
    if (Uniform(random) < 0.3) {
      for (int i = 0; i < 3; ++i) fault.at.push_back(static_cast<std::uint64_t>(Uniform(random) * 50));
    }
    run.settings.faults.push_back(fault);
  }
  if (Uniform(random) < 0.5) run.refusal = Uniform(random) * 0.2;
  if (Uniform(random) < 0.5) run.stall = Uniform(random) * 0.05;
  if (Uniform(random) < 0.5) run.reading = 0.02 + Uniform(random);
  if (Uniform(random) < 0.5) {
    const std::uint64_t kept = 1 + static_cast<std::uint64_t>(Uniform(random) * 20);
    run.settings.gap = [kept](std::uint64_t sequence) { return sequence % (kept + 1) == kept; };
  }
  return run;
}

// Runs it; `fates` by sequence.
void Drive(const RandomRun& run, SimulatedStream& stream, std::map<std::uint64_t, Fate>& fates) {
  std::mt19937_64 random(run.seed ^ 0x5EED);
  stream.next_fate = [&] {
    const Truth truth = *stream.ring().Read(stream.ring().published() - 1, run.settings.ring_capacity);
    Fate& fate = fates[truth.sequence];
    fate.flags |= truth.flags;
    ++fate.attempted;
    SimulatedStream::Fate what;
    if (Uniform(random) < run.refusal) {
      what.taken = IsDatagram(run.settings.channel) ? 0 : static_cast<std::size_t>(Uniform(random) * 11);
    } else {
      ++fate.accepted;
    }
    return what;
  };
  while (stream.emitting()) {
    stream.Emit(Uniform(random) < run.stall ? Nanos(static_cast<std::int64_t>(Uniform(random) * 20e6)) : Nanos(0));
    if (Uniform(random) < run.reading) {
      const auto piece = 1 + static_cast<std::size_t>(Uniform(random) * 40);
      const auto arrivals = Uniform(random) < 0.2 ? 1 + static_cast<std::size_t>(Uniform(random) * 5) : SIZE_MAX;
      stream.Receive(piece, arrivals);
    }
  }
}

class Accounts : public testing::TestWithParam<ChannelKind> {};
INSTANTIATE_TEST_SUITE_P(Channels, Accounts, testing::Values(ChannelKind::kUdp, ChannelKind::kPty),
                         [](const auto& info) { return std::string(ToText(info.param)); });

TEST_P(Accounts, BytesPutInAndNotTakenOutAreThoseInTheChannel) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const RandomRun run = DrawRun(seed, GetParam());
    SimulatedStream stream(run.settings);
    std::mt19937_64 random(seed);
    std::uint64_t looks = 0;
    while (stream.emitting()) {
      stream.Emit();
      if (Uniform(random) < 0.3) stream.Receive(1 + random() % 40, random() % 8);
      std::uint64_t queued = stream.bytes.size();
      for (const auto& message : stream.messages) queued += message.bytes.size();
      ASSERT_EQ(stream.source.bytes_in_all.Get() - stream.handler.bytes_in_all.Get(), queued) << "seed " << seed;
      looks += queued > 0;
    }
    if (stream.window().count > 30) {
      EXPECT_GT(looks, 5u) << "seed " << seed << ": the channel was hardly ever filled";
    }
    stream.Receive();
    ASSERT_EQ(stream.source.bytes_in_all.Get(), stream.handler.bytes_in_all.Get()) << "seed " << seed;
  }
}

TEST_P(Accounts, AgreeWithWhatTheChannelSaw) {
  std::map<FaultKind, std::uint64_t> injected, detected;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const RandomRun run = DrawRun(seed, GetParam());
    SimulatedStream stream(run.settings);
    std::map<std::uint64_t, Fate> fates;
    Drive(run, stream, fates);
    stream.Receive();  // all of it within the drain
    stream.Finish();

    Counts expected;
    const SampleRange window = stream.window();
    std::uint64_t flips = 0, copies = 0, copies_seen = 0, gaps = 0;
    for (std::uint64_t n = window.first; n < window.first + window.count; ++n) {
      if (run.settings.gap && run.settings.gap(n)) {
        ASSERT_EQ(fates.count(n), 0u) << "seed " << seed << ": sample " << n << " was sent";
        ++gaps;
        continue;
      }
      const Fate fate = fates[n];
      const bool flipped = (fate.flags & kTruthSpoiled) != 0;
      const int good = flipped ? 0 : fate.accepted;
      expected.sent += 1;
      expected.received += static_cast<std::uint64_t>(good);
      expected.duplicated += good == 2;
      expected.done += good > 0;
      expected.lost += good == 0;
      expected.lost_injected += fate.attempted == 0 || flipped;
      flips += flipped && fate.accepted == 1;
      copies += fate.attempted == 2;
      copies_seen += good == 2;
    }
    const Counts counts = CountsOf(stream);
    ASSERT_EQ(stream.source.gaps.Get(), gaps) << "seed " << seed;
    expected.reordered = counts.reordered;  // judged below
    expected.overruns = counts.overruns;
    // A frame the channel took in part is corrupt as well, where there are bytes.
    expected.corrupt = IsDatagram(GetParam()) ? flips : counts.corrupt;
    ASSERT_EQ(counts, expected) << "seed " << seed;
    ASSERT_TRUE(AddsUp(counts)) << "seed " << seed << ": " << counts;
    ASSERT_GE(counts.corrupt, flips) << "seed " << seed;

    const auto of = [&](FaultKind kind) { return FaultsOf(stream, kind); };
    for (const FaultKindInfo& kind : AllFaultKinds()) {
      ASSERT_TRUE(AddsUp(of(kind.kind))) << "seed " << seed << " " << kind.name << ": " << of(kind.kind);
      injected[kind.kind] += of(kind.kind).injected;
      detected[kind.kind] += of(kind.kind).detected;
    }
    for (const FaultKind kind : {FaultKind::kOff, FaultKind::kIntermittent, FaultKind::kSlow, FaultKind::kDrop}) {
      ASSERT_EQ(of(kind).undetected, 0u) << "seed " << seed << " " << ToText(kind);
    }
    const FaultCounts duplicates = of(FaultKind::kDuplicate), reorders = of(FaultKind::kReorder);
    ASSERT_EQ(duplicates.injected, copies) << "seed " << seed;
    ASSERT_EQ(duplicates.detected, copies_seen) << "seed " << seed;
    ASSERT_EQ(reorders.detected, counts.reordered) << "seed " << seed;
    if (run.refusal == 0) {
      for (const FaultKind kind : {FaultKind::kBitFlip, FaultKind::kTruncate, FaultKind::kGarbage}) {
        ASSERT_EQ(of(kind).undetected, 0u) << "seed " << seed << " " << ToText(kind);
      }
      ASSERT_EQ(counts.ambiguous, 0u) << "seed " << seed;
    }
    ASSERT_EQ(stream.handler.false_repeating.Get() + stream.handler.false_implausible.Get(), 0u) << "seed " << seed;
  }
  for (const FaultKindInfo& kind : AllFaultKinds()) {
    EXPECT_GT(injected[kind.kind], 100u) << kind.name;
    EXPECT_GT(detected[kind.kind], 50u) << kind.name;
  }
}

// Whatever happens, with whatever wire: silent loss, a ring that is too small, samples left in the channel, wrapped
// counters, no check, no stamps.
TEST_P(Accounts, AlwaysAddUp) {
  std::uint64_t truth_lost = 0, unread = 0, ambiguous = 0, lost_with_gaps = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    std::mt19937_64 random(seed ^ 0xACC0);
    RandomRun run = DrawRun(seed, GetParam());
    if (IsDatagram(GetParam())) {
      const char* const formats[] = {"message", "message8", "bare"};
      run.settings.format = formats[static_cast<std::size_t>(Uniform(random) * 3)];
    }
    const std::size_t capacities[] = {8, 32, 1024};
    run.settings.ring_capacity = capacities[static_cast<std::size_t>(Uniform(random) * 3)];
    run.settings.stamps = Uniform(random) < 0.5;
    SimulatedStream stream(run.settings);
    std::map<std::uint64_t, Fate> fates;
    Drive(run, stream, fates);
    if (IsDatagram(GetParam()) && Uniform(random) < 0.5) {
      for (std::size_t n = stream.messages.size() / 3; n > 0; --n) stream.messages.pop_back();
    }
    stream.Finish();
    const Counts counts = CountsOf(stream);
    ASSERT_TRUE(AddsUp(counts)) << "seed " << seed << ": " << counts;
    ASSERT_EQ(counts.sent + stream.source.gaps.Get(), stream.window().count) << "seed " << seed;
    lost_with_gaps += counts.truth_lost > 0 && stream.source.gaps.Get() > 0;
    if (counts.truth_lost == 0) {
      for (const FaultKindInfo& kind : AllFaultKinds()) {
        const FaultCounts f = FaultsOf(stream, kind.kind);
        ASSERT_TRUE(AddsUp(f)) << "seed " << seed << " " << kind.name << ": " << f;
      }
    }
    truth_lost += counts.truth_lost;
    unread += counts.unread;
    ambiguous += counts.ambiguous;
  }
  // The cases were there.
  EXPECT_GT(truth_lost, 300u);
  EXPECT_GT(unread, 300u);
  EXPECT_GT(ambiguous, 50u);
  EXPECT_GT(lost_with_gaps, 10u);
}

}  // namespace
}  // namespace corerig
