#include "harness/os/scheduling.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "harness/os/fd.h"

namespace corerig {
namespace {

// Runs the check in a process of its own, so that limits and pins do not reach the other tests.
void InChild(const std::function<void()>& check) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    check();
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the check in the child failed; see above";
}

// The second source: the kernel's own text, e.g. "0-3,8".
TEST(AllowedCores, AreThoseOfProcSelfStatus) {
  const auto status = ReadFile("/proc/self/status");
  ASSERT_TRUE(status) << status.error().message;
  const std::string_view text = *status;
  constexpr std::string_view kKey = "Cpus_allowed_list:\t";
  const auto begin = text.find(kKey) + kKey.size();
  std::vector<CpuId> expected;
  for (const std::string_view range : Split(text.substr(begin, text.find('\n', begin) - begin), ',')) {
    const auto ends = Split(range, '-');
    for (int cpu = *ParseNumber<int>(ends.front()); cpu <= *ParseNumber<int>(ends.back()); ++cpu) {
      expected.push_back({cpu});
    }
  }
  EXPECT_EQ(AllowedCores(), expected);
}

TEST(SetAffinity, PinsToOneCore) {
  const std::vector<CpuId> allowed = AllowedCores();
  InChild([&] {
    const auto pinned = SetAffinity(0, allowed.back());
    ASSERT_TRUE(pinned) << pinned.error().message;
    EXPECT_EQ(AllowedCores(), std::vector{allowed.back()});
    EXPECT_EQ(sched_getcpu(), allowed.back().value);
  });
}

TEST(SetAffinity, NamesACoreThatTheBoardLacks) {
  const auto pinned = SetAffinity(0, CpuId{100'000});
  ASSERT_FALSE(pinned);
  EXPECT_TRUE(
      pinned.error().message.starts_with("cannot pin to core 100000: Invalid argument (EINVAL); the board lacks it, or "
                                         "it is offline, or a cpuset excludes "
                                         "it (allowed now: "))
      << pinned.error().message;
  EXPECT_EQ(SetAffinity(0, CpuId{-1}).error().message, "core -1 is no number of a core; 0 to 1048575 were expected");
}

TEST(SetPolicy, OtherIsAlwaysGranted) {
  const auto set = SetPolicy(0, Policy{});
  EXPECT_TRUE(set) << set.error().message;
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
}

TEST(SetPolicy, FifoIsGrantedOrRefusedWithCauseAndRemedy) {
  const Policy fifo{Policy::Class::kFifo, 7};
  Status set;
  int scheduling_class = -1;
  sched_param parameter = {};
  std::thread([&] {
    set = SetPolicy(0, fifo);
    scheduling_class = sched_getscheduler(0);
    sched_getparam(0, &parameter);
  }).join();
  EXPECT_EQ(TryPolicy(fifo).has_value(), set.has_value());
  if (set) {
    EXPECT_EQ(scheduling_class, SCHED_FIFO);
    EXPECT_EQ(parameter.sched_priority, 7);
  } else {
    EXPECT_TRUE(set.error().message.starts_with("SCHED_FIFO 7 refused")) << set.error().message;
    EXPECT_NE(set.error().message.find("; "), std::string::npos) << "no remedy: " << set.error().message;
  }
}

TEST(TryPolicy, LeavesTheCallerAsItWas) {
  (void)TryPolicy({Policy::Class::kFifo, 7});
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
}

TEST(SetPolicy, WithoutPrivilegeNamesTheLimit) {
  InChild([] {
    const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    ASSERT_EQ(setrlimit(RLIMIT_RTPRIO, &none), 0);
    // All capabilities given up, also those of a user namespace (man 2 capset).
    __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    const __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {};
    ASSERT_EQ(syscall(SYS_capset, &header, nothing), 0);
    EXPECT_EQ(TryPolicy({Policy::Class::kFifo, 50}).error().message,
              "SCHED_FIFO 50 refused (RLIMIT_RTPRIO is 0, no CAP_SYS_NICE); run as root, or set rtprio 50 in "
              "limits.conf");
  });
}

TEST(SetTimerSlack, IsOfTheCallingThread) {
  int elsewhere = 0;
  std::thread([&] {
    SetTimerSlack(Nanos(1));
    elsewhere = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
  }).join();
  EXPECT_EQ(elsewhere, 1);
  EXPECT_NE(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1);
}

TEST(LockMemory, LocksOrSaysWhichLimit) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers make nothing of mlockall";
#endif
  InChild([] {
    const auto locked = LockMemory();
    if (!locked) {
      EXPECT_NE(locked.error().message.find("RLIMIT_MEMLOCK is"), std::string::npos) << locked.error().message;
      return;
    }
    const auto status = ReadFile("/proc/self/status");
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->find("VmLck:\t       0 kB"), std::string::npos) << *status;
  });
}

}  // namespace
}  // namespace corerig
