// Figures of memory in a whole run, against amounts that are known.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <string>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

constexpr double kMiB = 1 << 20;

// On the test's last core.
std::string Worker(const std::string& name, const std::string& how, const std::string& more = "") {
  return "[worker." + name + "]\nworkload = \"test/behave\"\ncores = [" + std::to_string(TestCores().back()) +
         "]\nhow = \"" + how + "\"\n" + more + "\n";
}

std::string Head(const std::string& duration) {
  return "name = \"memory\"\nwarmup = \"1s\"\ndrain = \"0s\"\nduration = \"" + duration + "\"\n";
}

// Two runs side by side: amounts, and a leak. The fewer processes there are, the more often each is sampled.
class KnownAmounts : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    RigRun amounts(Head("2500ms") + Worker("plain", "rest") + Worker("holder", "hold", "mib = 64\nat = 0") +
                   Worker("childless", "family", "mib = 0\nat = 0") + Worker("parent", "family", "mib = 32\nat = 0"));
    RigRun leak(Head("5500ms") + Worker("plain", "rest") + Worker("leaky", "drip", "at = 0"));
    run_ = new FinishedRun(amounts.Wait());
    leak_ = new FinishedRun(leak.Wait());
  }
  static void TearDownTestSuite() {
    delete run_;
    delete leak_;
  }
  // How much more one worker has than another, in MiB.
  static double More(const std::string& worker, const std::string& than, const std::string& figure) {
    return (run_->Metric("worker." + worker + ".0." + figure) - run_->Metric("worker." + than + ".0." + figure)) / kMiB;
  }
  // The same, by the last samples of the window: a loaded machine may come to the allocation only when it has begun.
  static double MoreAtTheEnd(const std::string& worker, const std::string& than, const std::string& figure) {
    const auto last = [&](const std::string& name) {
      const auto samples = run_->Part("workers", name, 0)["memory"];
      return samples.empty() ? NAN : samples.back()[figure].get<double>();
    };
    return (last(worker) - last(than)) / kMiB;
  }
  static nlohmann::json Trend(const std::string& worker) { return leak_->Part("workers", worker, 0)["memory_trend"]; }
  static FinishedRun *run_, *leak_;
};
FinishedRun* KnownAmounts::run_ = nullptr;
FinishedRun* KnownAmounts::leak_ = nullptr;

TEST_F(KnownAmounts, TheReportsAreWhole) {
  for (const FinishedRun* run : {run_, leak_}) {
    ASSERT_TRUE(run->report.is_object()) << run->err;
    EXPECT_EQ(run->verdict(), "PASS") << run->out << run->err;
    EXPECT_EQ(CheckReport(*run), std::vector<std::string>{});
  }
}

TEST_F(KnownAmounts, SixtyFourTouchedMiBAreThere) {
  for (const std::string figure : {"rss", "pss", "uss"}) {
    EXPECT_NEAR(MoreAtTheEnd("holder", "plain", figure), 64, 0.02 * 64) << figure;
  }
  EXPECT_NEAR(More("holder", "plain", "uss.max"), 64, 0.02 * 64);
  EXPECT_NEAR(More("holder", "plain", "shared.max"), 0, 0.02 * 64);
  // A page of 8-byte entries maps 2 MiB.
  if (sysconf(_SC_PAGESIZE) == 4096 && sizeof(void*) == 8) {
    EXPECT_NEAR(More("holder", "plain", "pagetables.max") * 1024, 32 * 4, 3 * 4);
  }
}

TEST_F(KnownAmounts, ThirtyTwoMiBInCommonWithTwoChildrenCountAThirdEach) {
  EXPECT_NEAR(MoreAtTheEnd("parent", "childless", "rss"), 32, 0.02 * 32);
  EXPECT_NEAR(MoreAtTheEnd("parent", "childless", "pss"), 32.0 / 3, 0.02 * 32 / 3);
  EXPECT_NEAR(MoreAtTheEnd("parent", "childless", "uss"), 0, 0.02 * 32);
  EXPECT_NEAR(More("parent", "childless", "shared.max"), 32, 0.02 * 32);
}

TEST_F(KnownAmounts, ALeakOfOneMiBPerSecondIsMeasuredAndCalledGrowth) {
  EXPECT_NEAR(leak_->Metric("worker.leaky.0.uss.growth") / kMiB, 60, 0.02 * 60);
  const auto trend = Trend("leaky");
  EXPECT_EQ(trend["verdict"], "grows") << trend;
  EXPECT_NEAR(trend["slope"].get<double>() / kMiB, 60, 0.03 * 60) << trend;
  EXPECT_LE(trend["low"].get<double>(), 60 * kMiB);
  EXPECT_GE(trend["high"].get<double>(), 60 * kMiB);
  EXPECT_NE(leak_->out.find("memory of worker leaky.0 grows"), std::string::npos) << leak_->out;
}

TEST_F(KnownAmounts, NobodyElseGrows) {
  EXPECT_EQ(Trend("plain")["verdict"], "steady") << Trend("plain");
  EXPECT_EQ(leak_->out.find("memory of worker plain"), std::string::npos) << leak_->out;
  EXPECT_EQ(run_->out.find("memory of worker"), std::string::npos) << run_->out;
}

TEST_F(KnownAmounts, TheTotalCountsWhatIsSharedOnce) {
  double sum = run_->Metric("rig.pss.mean") / kMiB;
  for (const std::string worker : {"plain", "holder", "childless", "parent"}) {
    sum += run_->Metric("worker." + worker + ".0.pss.mean") / kMiB;
  }
  // The keeper comes on top, and what forked children may have of the 32 MiB: two thirds, not two times. The means are
  // of rounds here and of samples there.
  const double total = run_->Metric("memory.total.pss.mean") / kMiB;
  EXPECT_GT(total, sum - 4);
  EXPECT_LT(total, sum + 32 * 2.0 / 3 + 8);
}

TEST_F(KnownAmounts, WhatIsNotThereIsAbsentWithItsReason) {
  const auto& metrics = run_->report["metrics"];
  EXPECT_NE(metrics["worker.plain.0.cgroup.peak"]["absent"].get<std::string>().find("no limit was set"),
            std::string::npos);
  EXPECT_TRUE(run_->Part("workers", "plain", 0)["memory_limit"].is_null());
  if (std::isnan(run_->Metric("worker.plain.0.swap.max"))) {
    EXPECT_EQ(metrics["worker.plain.0.swap.max"]["absent"], "the board has no swap");
  }
  if (std::isnan(run_->Metric("worker.plain.0.faults.cow"))) {
    EXPECT_NE(metrics["worker.plain.0.faults.cow"]["absent"].get<std::string>().find("copy-on-write faults"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace corerig
