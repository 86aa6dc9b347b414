#include "harness/stream/answers.h"

#include <gtest/gtest.h>

#include "harness/stream/simulated_stream.h"

namespace corerig {
namespace {

using std::chrono::microseconds;

// A stream without a warm-up, whose frames a program answers.
class Answers : public testing::Test {
 protected:
  // Emits the next sample and returns when it was due.
  Nanos Emit(std::size_t taken = SIZE_MAX) {
    stream.next_fate = [taken] { return SimulatedStream::Fate{.taken = taken}; };
    const Nanos due = stream.emitter().next_due();
    stream.Emit();
    return due;
  }
  std::uint64_t answered() const { return stream.source.reaction.Read().count(); }
  std::uint64_t unasked() const { return stream.source.unasked.Get(); }

  SimulatedStream stream{{.format = "bytes", .warmup = Nanos(0), .ring_capacity = 16}};
  AnswerMatcher matcher{stream.control(), stream.ring(), 16, stream.source};
};

TEST_F(Answers, BelongToTheFramesInTheirOrder) {
  const Nanos first = Emit(), second = Emit();
  matcher.OnAnswer(first + microseconds(1500));
  EXPECT_EQ(stream.source.reaction.Read().max(), 1'500'000);
  matcher.OnAnswer(second + microseconds(700));
  EXPECT_EQ(stream.source.reaction.Read().min(), 700'000);
  EXPECT_EQ(answered(), 2u);
  EXPECT_EQ(unasked(), 0u);
}

TEST_F(Answers, AreNotAwaitedForFramesThatWereNotTakenWhole) {
  Emit(0);
  Emit(3);
  const Nanos third = Emit();
  matcher.OnAnswer(third + microseconds(700));
  EXPECT_EQ(stream.source.reaction.Read().max(), 700'000);
}

TEST_F(Answers, ToNothingAreUnaskedAndLeaveTheFrameWaiting) {
  matcher.OnAnswer(SimulatedStream::kStart);
  EXPECT_EQ(unasked(), 1u);
  const Nanos first = Emit();
  matcher.OnAnswer(first - microseconds(1));
  EXPECT_EQ(unasked(), 2u);
  matcher.OnAnswer(first + microseconds(700));
  EXPECT_EQ(answered(), 1u);
  EXPECT_EQ(stream.source.reaction.Read().max(), 700'000);
}

TEST_F(Answers, ThatAreMissingMakeLaterOnesLongerAndNeverShorter) {
  const Nanos first = Emit();
  const Nanos second = Emit();
  // The program passed over the first.
  matcher.OnAnswer(second + microseconds(100));
  EXPECT_EQ(Nanos(stream.source.reaction.Read().max()), second + microseconds(100) - first);
  EXPECT_EQ(answered(), 1u);
}

TEST_F(Answers, WhoseOrderIsLostAreNotGuessed) {
  while (stream.emitting()) Emit();
  // 100 frames in a ring of 16: which frame an answer is for is not known.
  for (int i = 0; i < 3; ++i) matcher.OnAnswer(stream.schedule().DueOf(99) + microseconds(500));
  EXPECT_EQ(answered(), 0u);
  EXPECT_EQ(unasked(), 0u);
}

TEST_F(Answers, AfterTheDrainAreNone) {
  const Nanos first = Emit();
  stream.control().drain_end = (first + microseconds(500)).count();
  matcher.OnAnswer(first + microseconds(501));
  EXPECT_EQ(answered(), 0u);
  matcher.OnAnswer(first + microseconds(500));
  EXPECT_EQ(answered(), 1u);
}

TEST_F(Answers, InTheWarmUpKeepTheOrderAndDoNotCount) {
  const Nanos first = Emit(), second = Emit();
  stream.control().window_begin = second.count();
  matcher.OnAnswer(first + microseconds(900));
  matcher.OnAnswer(second + microseconds(700));
  EXPECT_EQ(answered(), 1u);
  EXPECT_EQ(stream.source.reaction.Read().max(), 700'000);
}

}  // namespace
}  // namespace corerig
