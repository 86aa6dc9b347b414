#include "harness/plan/first_fault.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

TEST(FirstFault, IsTheEarliestOfTheFileInWhateverOrderTheyAreFound) {
  FirstFault fault;
  EXPECT_FALSE(fault.found());
  fault.Add({0, 7, 2}, "third");
  fault.Add({0, 5, 9}, "second");
  fault.Add({0, 5, 8}, "first");
  fault.Add({0, 6, 1}, "between");
  ASSERT_TRUE(fault.found());
  EXPECT_EQ(fault.ToError("a.toml", {}).message, "a.toml:5:8: first");
}

TEST(FirstFault, OfTwoAtOnePlaceTheOneFoundFirstStays) {
  FirstFault fault;
  fault.Add({0, 5, 8}, "one");
  fault.Add({0, 5, 8}, "two");
  EXPECT_EQ(fault.ToError("a.toml", {}).message, "a.toml:5:8: one");
}

TEST(FirstFault, TheFileComesBeforeTheOverrides) {
  FirstFault fault;
  fault.Add({2, 0, 0}, "second override");
  EXPECT_EQ(fault.ToError("a.toml", {"seed=1", "rate=2"}).message, "--set rate=2: second override");
  fault.Add({1, 0, 0}, "first override");
  EXPECT_EQ(fault.ToError("a.toml", {"seed=1", "rate=2"}).message, "--set seed=1: first override");
  fault.Add({0, 99, 1}, "file");
  EXPECT_EQ(fault.ToError("a.toml", {"seed=1", "rate=2"}).message, "a.toml:99:1: file");
}

TEST(FirstFault, TheMessageIsOneLineWhateverIsQuotedInIt) {
  FirstFault fault;
  fault.Add({0, 1, 1}, "text \"a\nb\r\x1b\x7f", "é\"");
  EXPECT_EQ(fault.ToError("x\ny.toml", {}).message, "x\\ny.toml:1:1: text \"a\\nb\\x0d\\x1b\\x7fé\"");
}

TEST(DidYouMean, NamesTheNearestAndAllThereAre) {
  EXPECT_EQ(DidYouMean("ratee", {"sensor", "rate"}), "did you mean \"rate\"? known: sensor, rate");
  EXPECT_EQ(DidYouMean("colour", {"sensor", "rate"}), "known: sensor, rate");
  EXPECT_EQ(DidYouMean("colour", {}), "there is none to choose from");
}

}  // namespace
}  // namespace corerig
