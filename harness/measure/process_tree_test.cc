#include "harness/measure/process_tree.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "harness/base/text.h"
#include "harness/os/clock.h"
#include "harness/os/process.h"

namespace corerig {
namespace {

[[noreturn]] void Hang() {
  for (;;) pause();
}

void Burn(Nanos cpu_time) {
  const Nanos until = ThreadCpuTime() + cpu_time;
  while (ThreadCpuTime() < until) {
  }
}

// A tree whose root does `work`; this test is its subreaper, as the keeper is of commands. `work` says that it has come
// to a point by Ready(), as often as the test waits for it.
class Tree : public testing::Test {
 protected:
  void SetUp() override {
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    ASSERT_EQ(pipe(ready_), 0);
    mark_ = StrCat("CORERIG_ID=test.", getpid(), ".", MonotonicNow().count());
  }
  void TearDown() override {
    // Whose parent dies becomes our child before its parent can be waited for.
    do {
      const auto children = procfs_.Children(getpid());
      ASSERT_TRUE(children) << children.error().message;
      for (const pid_t child : *children) kill(child, SIGKILL);
    } while (waitpid(-1, nullptr, 0) > 0);
    close(ready_[0]);
    close(ready_[1]);
  }
  void Ready() const { (void)!write(ready_[1], "x", 1); }
  void WaitUntilReady(int times = 1) const {
    char byte;
    for (int i = 0; i < times; ++i) ASSERT_EQ(read(ready_[0], &byte, 1), 1);
  }
  ProcessTree Start(const std::function<void()>& work) {
    root_ = fork();
    if (root_ == 0) {
      setsid();
      work();
      Hang();
    }
    return ProcessTree(
        procfs_, {.root = root_, .start_time = StartTimeOf(root_).value_or(0), .reaper = getpid(), .mark = mark_});
  }
  static std::size_t Alive(ProcessTree& tree) {
    const auto& members = tree.Look();
    return static_cast<std::size_t>(
        std::count_if(members.begin(), members.end(), [](const auto& member) { return !member.ended(); }));
  }

  const ProcFs procfs_;
  std::string mark_;
  int ready_[2] = {-1, -1};
  pid_t root_ = 0;
};

TEST_F(Tree, ChildrenAndTheirsBelong) {
  ProcessTree tree = Start([this] {
    if (fork() == 0) {
      if (fork() == 0) {
        Ready();
        Hang();
      }
      Ready();
      Hang();
    }
    Ready();
  });
  WaitUntilReady(3);
  EXPECT_EQ(Alive(tree), 3u);
  EXPECT_EQ(tree.members().front().pid, root_);
  EXPECT_EQ(tree.most(), 3u);
}

TEST_F(Tree, AStrangerOfTheReaperDoesNotBelong) {
  const pid_t stranger = fork();
  if (stranger == 0) Hang();
  ProcessTree tree = Start([this] { Ready(); });
  WaitUntilReady();
  EXPECT_EQ(Alive(tree), 1u);
}

TEST_F(Tree, AnOrphanOfTheSessionBelongs) {
  ProcessTree tree = Start([this] {
    if (fork() == 0) {
      if (fork() == 0) {
        Ready();
        Hang();
      }
      _exit(0);
    }
    wait(nullptr);  // from here on its child is an orphan
    Ready();
  });
  WaitUntilReady(2);
  EXPECT_EQ(Alive(tree), 2u) << "never seen before it was an orphan";
}

TEST_F(Tree, ADaemonThatWasSeenOnceStaysAMember) {
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  ProcessTree tree = Start([&] {
    if (fork() != 0) {
      wait(nullptr);
      Ready();
      return;
    }
    if (fork() != 0) {
      char byte;
      (void)!read(go[0], &byte, 1);  // its parent lives on until the test has looked
      _exit(0);
    }
    setsid();
    Ready();
    Hang();
  });
  WaitUntilReady();
  EXPECT_EQ(Alive(tree), 3u);
  ASSERT_EQ(write(go[1], "x", 1), 1);
  WaitUntilReady();
  EXPECT_EQ(Alive(tree), 2u) << "the root and the daemon, which is our child now";
  close(go[0]);
  close(go[1]);
}

// By the environment, which needs an exec to be set: a shell does it all.
TEST_F(Tree, ADaemonNeverSeenBelongsByItsEnvironment) {
  ProcessTree tree = Start([this] {
    dup2(ready_[1], 1);
    setenv("CORERIG_ID", mark_.substr(mark_.find('=') + 1).c_str(), 1);
    execlp("sh", "sh", "-c", "(setsid sh -c 'echo; kill -STOP $$' &) ; echo; kill -STOP $$", nullptr);
    _exit(1);
  });
  // The newlines: of the daemon, and of the shell whose child the daemon's parent was. What comes after them is no
  // further exec, in whose midst a process has no environment to be known by.
  WaitUntilReady(2);
  EXPECT_EQ(Alive(tree), 2u);
}

TEST_F(Tree, WithoutListsOfChildrenTheParentsAreLookedThrough) {
  // What /proc is without CONFIG_PROC_CHILDREN: a tree of links without those files.
  const std::string root = StrCat(getenv("TEST_TMPDIR"), "/proc");
  ProcessTree tree = Start([this] {
    if (fork() == 0) {
      Ready();
      Hang();
    }
    Ready();
  });
  WaitUntilReady(2);
  (void)!system(StrCat("mkdir -p ", root).c_str());
  for (const pid_t pid : tree.Look().size() == 2
                             ? std::vector<pid_t>{tree.members()[0].pid, tree.members()[1].pid, getpid()}
                             : std::vector<pid_t>()) {
    const std::string from = StrCat("/proc/", pid), to = StrCat(root, "/", pid);
    (void)!system(StrCat("mkdir -p ", to, "/task/", pid, " && for f in stat status schedstat; do ln -sf ", from, "/$f ",
                         to, "/$f; ln -sf ", from, "/task/", pid, "/$f ", to, "/task/", pid, "/$f; done")
                      .c_str());
  }
  const ProcFs without(root);
  ASSERT_FALSE(without.Children(root_));
  ProcessTree scanned(without,
                      {.root = root_, .start_time = StartTimeOf(root_).value_or(0), .reaper = getpid(), .mark = mark_});
  EXPECT_EQ(scanned.Look().size(), 2u);
}

// Against getrusage's figure for the same processes; clock ticks are 10 ms.
TEST_F(Tree, CpuTimeOfTheLivingTheEndedAndTheirThreadsCounts) {
  auto* used =
      static_cast<double*>(mmap(nullptr, sizeof(double), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  ProcessTree tree = Start([&] {
    char byte;
    (void)!read(go[0], &byte, 1);  // not before the first reading
    for (int i = 0; i < 3; ++i) {
      if (fork() == 0) {
        Burn(std::chrono::milliseconds(60));
        _exit(0);
      }
      wait(nullptr);
    }
    if (fork() == 0) {
      Burn(std::chrono::milliseconds(60));
      Ready();
      Hang();
    }
    rusage ended = {};
    getrusage(RUSAGE_CHILDREN, &ended);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    *used = seconds(ended.ru_utime) + seconds(ended.ru_stime) + 0.060;
    Ready();
  });
  const auto before = tree.Read();
  ASSERT_TRUE(before) << before.error().message;
  ASSERT_EQ(write(go[1], "x", 1), 1);
  WaitUntilReady(2);
  const auto after = tree.Read();
  ASSERT_TRUE(after) << after.error().message;
  const double seen = static_cast<double>(Difference(*before, *after).run.count()) / 1e9;
  EXPECT_NEAR(seen, *used, 0.030) << "two ticks, and what forking takes";
  munmap(used, sizeof(double));
  close(go[0]);
  close(go[1]);
}

// The reaper took what it used, and nobody else knows of it: its last reading stays in the sum.
TEST_F(Tree, WhatAnOrphanUsedUntilItsLastReadingIsNotLost) {
  ProcessTree tree = Start([this] {
    if (fork() == 0) {
      if (fork() == 0) {
        Burn(std::chrono::milliseconds(100));
        Ready();
        Hang();
      }
      _exit(0);
    }
    wait(nullptr);
    Ready();
  });
  WaitUntilReady(2);
  const auto with = tree.Read();
  ASSERT_TRUE(with);
  ASSERT_EQ(tree.members().size(), 2u);
  const pid_t orphan = tree.members()[1].pid;
  kill(orphan, SIGKILL);
  ASSERT_EQ(waitpid(orphan, nullptr, 0), orphan);
  const auto without = tree.Read();
  ASSERT_TRUE(without);
  EXPECT_EQ(tree.members().size(), 1u);
  EXPECT_GE(with->run, Nanos(100'000'000));
  EXPECT_GE(without->run, with->run);
  EXPECT_LT(without->run, with->run + Nanos(50'000'000)) << "and is counted once";
  EXPECT_GE(without->timeslices, with->timeslices);
  EXPECT_GE(without->minor_faults, with->minor_faults);
}

TEST_F(Tree, MemoryIsTheSum) {
  constexpr std::size_t kSize = 8 << 20;
  ProcessTree tree = Start([this] {
    for (int i = 0; i < 2; ++i) {
      if (fork() != 0) continue;
      void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
      if (memory != MAP_FAILED) Ready();
      Hang();
    }
  });
  WaitUntilReady(2);
  const auto memory = tree.ReadMemory();
  ASSERT_TRUE(memory) << memory.error().message;
  ASSERT_TRUE(*memory);
  EXPECT_GE((*memory)->uss, 2 * kSize);
  EXPECT_LT((*memory)->uss, 2 * kSize + (4 << 20));
  EXPECT_GE((*memory)->pss, (*memory)->uss);
  EXPECT_GE((*memory)->rss, (*memory)->pss);
}

TEST_F(Tree, OfARootThatIsGoneThereIsNoReading) {
  ProcessTree tree = Start([] { _exit(0); });
  waitpid(root_, nullptr, 0);
  EXPECT_FALSE(tree.Read());
  EXPECT_TRUE(tree.Look().empty());
  const auto memory = tree.ReadMemory();
  EXPECT_TRUE(memory && !*memory);
}

}  // namespace
}  // namespace corerig
