#include "harness/os/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace corerig {
namespace {

TEST(ParseStartTime, IsField22CountedFromTheLastParenthesis) {
  constexpr std::string_view kRest =
      " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1234567 20 21\n";  // fields 3 to 24
  for (const std::string_view name : {"(sh)", "(a b)", "(x) S 1 (y)", "())"}) {
    const auto start_time = ParseStartTime(StrCat("42 ", name, kRest));
    ASSERT_TRUE(start_time) << name << ": " << start_time.error().message;
    EXPECT_EQ(*start_time, 1234567u) << name;
  }
}

TEST(ParseStartTime, SaysWhatIsWrong) {
  EXPECT_EQ(ParseStartTime("").error().message, "stat has no ')' after the command's name");
  EXPECT_EQ(ParseStartTime("1 (sh) S 1 2").error().message, "stat has 5 fields; at least 22 were expected");
  EXPECT_EQ(ParseStartTime("1 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20").error().message,
            "field 22 of stat is \"x\"; a whole number was expected");
}

// The second source: CLOCK_BOOTTIME, read before and after the process was made.
TEST(StartTimeOf, IsWhenTheProcessWasStarted) {
  const auto ticks = [] {
    timespec now = {};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const auto per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
    return (static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9) * per_second;
  };
  const double before = ticks();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(0);
  const auto start_time = StartTimeOf(child);
  const double after = ticks();
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(start_time) << start_time.error().message;
  EXPECT_GE(static_cast<double>(*start_time), before - 1);  // the field is rounded down
  EXPECT_LE(static_cast<double>(*start_time), after + 1);
}

TEST(StartTimeOf, NamesTheFileOfAProcessThatIsNotThere) {
  const auto start_time = StartTimeOf(0);
  ASSERT_FALSE(start_time);
  EXPECT_EQ(start_time.error().message, "cannot read /proc/0/stat: No such file or directory (ENOENT)");
}

TEST(OpenPidfd, IsReadableOnceTheProcessHasEnded) {
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    close(gate[1]);
    char byte;
    (void)!read(gate[0], &byte, 1);  // until the parent closes its end
    _exit(0);
  }
  close(gate[0]);
  const auto pidfd = OpenPidfd(child);
  ASSERT_TRUE(pidfd) << pidfd.error().message;
  pollfd entry = {.fd = pidfd->get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&entry, 1, 0), 0) << "while it runs";
  close(gate[1]);
  EXPECT_EQ(poll(&entry, 1, 60'000), 1) << "after its end";
  waitpid(child, nullptr, 0);
}

TEST(OpenPidfd, NamesThePidOfNoProcess) {
  const auto pidfd = OpenPidfd(-1);
  ASSERT_FALSE(pidfd);
  EXPECT_EQ(pidfd.error().message, "cannot open a pidfd of process -1: Invalid argument (EINVAL)");
}

TEST(SignalProcess, ReachesTheOneThatWasMeantAndNoOther) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  const auto started = StartTimeOf(child);
  ASSERT_TRUE(started);
  EXPECT_FALSE(SignalProcess(child, *started + 1, SIGKILL)) << "another process that has the pid by now";
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "it lives";
  EXPECT_TRUE(SignalProcess(child, *started, SIGTERM));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  EXPECT_FALSE(SignalProcess(child, *started, SIGTERM)) << "it is gone";
}

TEST(SignalText, IsTheSignalsName) {
  EXPECT_EQ(SignalText(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(SignalText(SIGKILL), "SIGKILL");
  EXPECT_EQ(SignalText(SIGXCPU), "SIGXCPU");
  EXPECT_EQ(SignalText(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(SignalText(999), "signal 999");
}

TEST(ProgramPath, IsThisProgram) {
  const std::string path = ProgramPath();
  EXPECT_TRUE(path.starts_with('/')) << path;
  EXPECT_TRUE(path.ends_with("/process_test")) << path;
  EXPECT_EQ(access(path.c_str(), X_OK), 0) << path;
}

}  // namespace
}  // namespace corerig
