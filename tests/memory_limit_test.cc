// What becomes of a worker that takes more memory than it may, in whole runs.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <regex>
#include <string>
#include <thread>

#include "harness/os/cgroup.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

constexpr double kMiB = 1 << 20;

std::string Head(const std::string& duration) {
  return "name = \"limit\"\nwarmup = \"100ms\"\ndrain = \"0s\"\nduration = \"" + duration + "\"\n";
}

// On the test's last core.
std::string Worker(const std::string& name, const std::string& how, const std::string& more = "") {
  return "[worker." + name + "]\nworkload = \"test/behave\"\ncores = [" + std::to_string(TestCores().back()) +
         "]\nhow = \"" + how + "\"\n" + more + "\n";
}

class MemoryLimit : public testing::Test {
 protected:
  void TearDown() override { unsetenv("TEST_CGROUP_ROOT"); }

  // A healthy worker beside one that leaks; the run is over as soon as both have ended.
  static std::string Scenario() {
    return Head("10s") + Worker("healthy", "well", "memory = \"64MiB\"\nunits = 300") +
           Worker("ill", "leak", "memory = \"64MiB\"\nat = 5");
  }
  static void ExpectKilledForMemory(const FinishedRun& run, const std::string& by, const std::string& detail) {
    ASSERT_TRUE(run.report.is_object()) << run.err;
    EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
    EXPECT_EQ(run.exit_status, 2) << run.err;
    const auto ill = run.Part("workers", "ill", 0), healthy = run.Part("workers", "healthy", 0);
    EXPECT_EQ(ill["end"]["kind"], "killed_for_memory") << ill["end"];
    EXPECT_TRUE(ill["end"]["number"].is_null());
    EXPECT_EQ(ill["end"]["as_planned"], false);
    EXPECT_NE(ill["end"]["detail"].get<std::string>().find(detail), std::string::npos) << ill["end"];
    EXPECT_EQ(ill["memory_limit"]["limit"], 64 * kMiB);
    EXPECT_EQ(ill["memory_limit"]["by"], by);
    EXPECT_EQ(ill["memory_limit"]["approximate"], by == "sampling");
    EXPECT_EQ(healthy["end"]["as_planned"], true) << healthy["end"];
    EXPECT_NE(run.err.find("worker ill.0 killed for memory: 64.0 MiB limit"), std::string::npos) << run.err;
  }
  static bool HasWarning(const FinishedRun& run) {
    return run.report["warnings"].dump().find("memory-sampled") != std::string::npos;
  }
  // The names in a directory, one a line.
  static std::string Listing(const std::string& directory) {
    std::string names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      names += entry.path().filename().string() + "\n";
    return names;
  }
};

TEST_F(MemoryLimit, IsEnforcedByAControlGroup) {
  if (const auto groups = MemoryGroups::Find(); !groups) GTEST_SKIP() << groups.error().message;
  RigRun rig(Scenario());
  const FinishedRun run = rig.Wait();
  ExpectKilledForMemory(run, "cgroup", "64.0 MiB limit, peak 6");
  EXPECT_FALSE(HasWarning(run));
  const double peak = run.Metric("worker.ill.0.cgroup.peak");
  if (!std::isnan(peak)) {
    EXPECT_NEAR(peak / kMiB, 64, 0.02 * 64);
  }
  EXPECT_LT(run.Metric("worker.healthy.0.cgroup.peak") / kMiB, 16);
}

TEST_F(MemoryLimit, IsEnforcedBySamplingWhereThereAreNoControlGroups) {
  setenv("TEST_CGROUP_ROOT", "/nowhere", 1);
  const FinishedRun run = RigRun(Scenario()).Wait();
  ExpectKilledForMemory(run, "sampling", "(sampled, approximate)");
  EXPECT_TRUE(HasWarning(run)) << run.report["warnings"];
  EXPECT_TRUE(std::isnan(run.Metric("worker.ill.0.cgroup.peak")));
}

TEST_F(MemoryLimit, AnOrdinaryKillOfALimitedWorkerIsAnOrdinaryKill) {
  RigRun rig(Scenario() + Worker("victim", "well", "memory = \"64MiB\""));
  const pid_t victim = rig.Find("worker victim.0");
  ASSERT_NE(victim, 0);
  ASSERT_TRUE(rig.AwaitWindow());
  kill(victim, SIGKILL);
  const FinishedRun run = rig.Wait();
  const auto end = run.Part("workers", "victim", 0)["end"];
  EXPECT_EQ(end["kind"], "signalled") << end;
  EXPECT_EQ(end["number"], SIGKILL) << end;
}

TEST_F(MemoryLimit, HoldsForWhatAWorkerStartsAsWell) {
  const auto groups = MemoryGroups::Find();
  if (!groups) GTEST_SKIP() << groups.error().message;
  const FinishedRun run =
      RigRun(Head("10s") + Worker("ill", "greedy-child", "memory = \"64MiB\"\nunits = 40\nmay_fail = true")).Wait();
  const auto end = run.Part("workers", "ill", 0)["end"];
  if (groups->version() == CgroupVersion::kV2) {
    EXPECT_EQ(end["kind"], "killed_for_memory") << "the group goes as one: " << end;
  } else {
    EXPECT_EQ(end["kind"], "exited") << end;
    EXPECT_EQ(end["detail"].get<std::string>().find("with 1 of its processes killed for memory: 64.0 MiB limit"), 0u)
        << end;
  }
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
}

TEST_F(MemoryLimit, OfTheAddressSpaceIsSetOnlyWhereAskedFor) {
  const FinishedRun run =
      RigRun(Head("10s") + Worker("ill", "leak", "memory = \"64MiB\"\nmemory_counts = \"address-space\"\nat = 5"))
          .Wait();
  const auto ill = run.Part("workers", "ill", 0);
  EXPECT_EQ(ill["memory_limit"]["by"], "address-space") << ill;
  EXPECT_EQ(ill["end"]["kind"], "exited") << ill["end"];
  EXPECT_NE(ill["end"]["detail"].get<std::string>().find("bad_alloc"), std::string::npos) << ill["end"];
}

// Less than the program itself takes ends it in its exec, without a word. What the refusal names is enough.
TEST_F(MemoryLimit, OfTheAddressSpaceHoldsTheProgram) {
  const auto with = [](const std::string& memory) {
    return RigRun(Head("1s") +
                  Worker("small", "well", "memory = \"" + memory + "\"\nmemory_counts = \"address-space\"\nunits = 10"))
        .Wait();
  };
  const FinishedRun refused = with("1MiB");
  EXPECT_EQ(refused.exit_status, 1) << refused.err;
  std::smatch said;
  ASSERT_TRUE(std::regex_search(refused.err, said, std::regex("not hold this program; write at least \"([0-9]+MiB)\"")))
      << refused.err;
  const FinishedRun run = with(said[1]);
  EXPECT_EQ(run.exit_status, 0) << said[1] << ": " << run.out << run.err;
}

TEST_F(MemoryLimit, GroupsAreGoneAfterEveryEnd) {
  const auto groups = MemoryGroups::Find();
  if (!groups) GTEST_SKIP() << groups.error().message;
  const auto left = [&](pid_t supervisor) {
    const std::string prefix = "corerig-" + std::to_string(supervisor) + "-";
    return Listing(groups->directory()).find(prefix) != std::string::npos;
  };
  {
    RigRun rig(Head("200ms") + Worker("w", "well", "memory = \"64MiB\""));
    const pid_t supervisor = rig.pid();
    EXPECT_EQ(rig.Wait().exit_status, 0);
    EXPECT_FALSE(left(supervisor)) << "after an ordinary end";
  }
  // While a group is tried, too.
  for (int i = 0; i < 15; ++i) {
    RigRun rig("trace = false\n" + Head("60s") + Worker("w", "well", "memory = \"64MiB\""));
    const pid_t supervisor = rig.pid();
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * i));
    kill(supervisor, SIGTERM);
    const int status = rig.Wait().exit_status;
    EXPECT_TRUE(status == 3 || status == -SIGTERM) << status;
    EXPECT_FALSE(left(supervisor)) << "after a signal at " << 2 * i << " ms";
  }
  for (const std::string who : {"supervisor", "keeper"}) {
    RigRun rig(Head("60s") + Worker("w", "orphan", "memory = \"64MiB\""));
    const pid_t supervisor = rig.pid(), keeper = rig.Find("__keeper");
    ASSERT_NE(rig.Find("worker w.0"), 0);
    ASSERT_TRUE(rig.AwaitWindow());
    EXPECT_TRUE(left(supervisor));
    kill(who == "supervisor" ? supervisor : keeper, SIGKILL);
    rig.Wait();
    EXPECT_EQ(rig.LivingAfter(std::chrono::seconds(5)), std::vector<pid_t>{});
    EXPECT_FALSE(left(supervisor)) << "after the " << who << " was killed";
  }
}

}  // namespace
}  // namespace corerig
