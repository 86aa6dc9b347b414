#include "harness/base/record.h"

#include <gtest/gtest.h>

namespace corerig {
namespace {

using Kind = EndRecord::Kind;

std::string Described(Kind kind, int number, const std::string& detail) {
  return Describe({.kind = kind, .number = number, .detail = detail});
}

TEST(Verdict, HasItsWordAndItsExitCode) {
  EXPECT_EQ(ToText(Verdict::kPass), "PASS");
  EXPECT_EQ(ToText(Verdict::kFail), "FAIL");
  EXPECT_EQ(ToText(Verdict::kUndecided), "UNDECIDED");
  EXPECT_EQ(ToText(Verdict::kSkipped), "SKIPPED");
  EXPECT_EQ(ExitCode(Verdict::kPass), 0);
  EXPECT_EQ(ExitCode(Verdict::kFail), 2) << "1 is wrong use";
  EXPECT_EQ(ExitCode(Verdict::kUndecided), 3);
  EXPECT_EQ(ExitCode(Verdict::kSkipped), 4);
}

TEST(EndRecord, EachKindHasItsWord) {
  EXPECT_EQ(ToText(Kind::kExited), "exited");
  EXPECT_EQ(ToText(Kind::kSignalled), "signalled");
  EXPECT_EQ(ToText(Kind::kTimedOut), "timed_out");
  EXPECT_EQ(ToText(Kind::kFailedToStart), "failed_to_start");
  EXPECT_EQ(ToText(Kind::kRunning), "running");
}

TEST(EndRecord, IsDescribedWithStatusAndReason) {
  EXPECT_EQ(Described(Kind::kExited, 0, ""), "exited 0");
  EXPECT_EQ(Described(Kind::kExited, 3, ""), "exited 3");
  EXPECT_EQ(Described(Kind::kExited, 1, "cannot map the slab"), "exited 1: cannot map the slab");
  EXPECT_EQ(Described(Kind::kExited, 0, "without a result"), "exited 0 without a result");
  EXPECT_EQ(Described(Kind::kExited, 0, "after 3 of 100 units"), "exited 0 after 3 of 100 units");
}

TEST(EndRecord, IsDescribedWithItsSignal) {
  EXPECT_EQ(Described(Kind::kSignalled, 11, "SIGSEGV"), "killed by SIGSEGV");
  EXPECT_EQ(Described(Kind::kSignalled, 11, ""), "killed by signal 11");
  EXPECT_EQ(Described(Kind::kSignalled, 6, "cannot lock memory"), "killed by signal 6: cannot lock memory");
  EXPECT_EQ(Described(Kind::kSignalled, 9, "killed 2.0 s after the run was interrupted by SIGINT"),
            "killed 2.0 s after the run was interrupted by SIGINT");
  EXPECT_EQ(Described(Kind::kSignalled, 0, "waitid: No child processes"), "killed: waitid: No child processes");
}

TEST(EndRecord, IsDescribedWhenItDidNotEndByItself) {
  EXPECT_EQ(Described(Kind::kTimedOut, 9, "still running after 22.0 s (stopped)"),
            "timed out: still running after 22.0 s (stopped)");
  EXPECT_EQ(Described(Kind::kFailedToStart, 0, "exec ./x: No such file or directory"),
            "failed to start: exec ./x: No such file or directory");
  EXPECT_EQ(Described(Kind::kRunning, 0, ""), "has not ended");
}

}  // namespace
}  // namespace corerig
