#include "harness/child/children.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace corerig {
namespace {

TEST(ParseParent, IsField4CountedFromTheLastParenthesis) {
  EXPECT_EQ(ParseParent("42 (a) S 7) R 17 1 2 3\n").value_or(-1), 17);
  EXPECT_EQ(ParseParent("42 (sh) S 0 1\n").value_or(-1), 0);
  for (const std::string_view wrong : {"", "42", "42 (sh)", "42 (sh) S", "42 (sh) S x"}) {
    ASSERT_FALSE(ParseParent(wrong)) << wrong;
    EXPECT_EQ(ParseParent(wrong).error().message, "stat has no whole number as field 4");
  }
}

TEST(Children, AreThoseThatRunAndThoseThatEnded) {
  EXPECT_EQ(ScannedChildren(), std::vector<pid_t>{});
  const pid_t running = fork();
  if (running == 0) {
    for (;;) pause();
  }
  const pid_t ended = fork();
  if (ended == 0) _exit(0);
  siginfo_t end = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(ended), &end, WEXITED | WNOWAIT), 0);

  const auto sorted = [](std::vector<pid_t> pids) {
    std::sort(pids.begin(), pids.end());
    return pids;
  };
  const std::vector<pid_t> expected = sorted({running, ended});
  EXPECT_EQ(sorted(Children()), expected);
  EXPECT_EQ(sorted(ScannedChildren()), expected);
  if (const auto listed = ListedChildren()) {
    EXPECT_EQ(sorted(*listed), expected);
  }

  kill(running, SIGKILL);
  waitpid(running, nullptr, 0);
  waitpid(ended, nullptr, 0);
  EXPECT_EQ(Children(), std::vector<pid_t>{});
}

}  // namespace
}  // namespace corerig
