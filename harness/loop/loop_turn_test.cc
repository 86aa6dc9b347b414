#include "harness/loop/loop_turn.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

TEST(LoopTurn, WokeWithItsFirstCallback) {
  LoopTurn turn;
  turn.OnCallback(Nanos(100));
  turn.OnCallback(Nanos(130));
  EXPECT_EQ(turn.woken, Nanos(100));
  turn.OnEnd(Nanos(140));
  EXPECT_EQ(turn.woken, Nanos(0));
  turn.OnCallback(Nanos(200));
  EXPECT_EQ(turn.woken, Nanos(200));
}

TEST(LoopTurn, KnowsTheCallbackThatTookMostOfATime) {
  LoopTurn turn;
  turn.OnCallback(Nanos(100));  // for 10
  turn.OnCallback(Nanos(110));  // for 50
  turn.OnCallback(Nanos(160));  // for 5
  turn.OnCallback(Nanos(165));
  const auto longest = turn.LongestBetween(Nanos(90), Nanos(170));
  EXPECT_EQ(longest.begin, Nanos(110));
  EXPECT_EQ(longest.end, Nanos(160));
  // Who came after it waited for the others.
  EXPECT_EQ(turn.LongestBetween(Nanos(162), Nanos(170)).begin, Nanos(165));
}

TEST(LoopTurn, TheTurnBeforeCountsAndTheOneBeforeThatDoesNot) {
  LoopTurn turn;
  turn.OnCallback(Nanos(100));
  turn.OnEnd(Nanos(200));
  turn.OnCallback(Nanos(210));
  EXPECT_EQ(turn.LongestBetween(Nanos(150), Nanos(211)).begin, Nanos(100));
  turn.OnEnd(Nanos(215));
  turn.OnCallback(Nanos(300));
  EXPECT_EQ(turn.LongestBetween(Nanos(150), Nanos(300)).begin, Nanos(210));
  EXPECT_EQ(turn.LongestBetween(Nanos(216), Nanos(300)).length(), Nanos(0));
}

}  // namespace
}  // namespace corerig
