// The trace's figures of a whole run against /proc's: the kernel counts switches and run time apart from what it
// traces.
//
// The supervisor reads /proc a moment after the window's ends, so the two cover windows of one length that are shifted
// by that moment. What comes at a steady rate is the same in both, but for a few at each end.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <string>
#include <tuple>
#include <utility>

#include "harness/os/scheduling.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

class OneRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string first = "cores = [" + std::to_string(TestCores().front()) + "]\n";
    const std::string last = "cores = [" + std::to_string(TestCores().back()) + "]\n";
    const std::string program =
        std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tests/rig/program";
    const std::string scenario =
        "name = \"figures\"\nduration = \"3s\"\nwarmup = \"300ms\"\ndrain = \"200ms\"\n[source]\npolicy = "
        "\"fifo:60\"\n" +
        first + "[loop.flight]\npolicy = \"fifo:50\"\n" + first +
        "[stream.tick]\nsensor = \"tick\"\nloop = \"flight\"\n"
        "[stream.imu]\nsensor = \"icm42688p\"\nrate = \"500Hz\"\nloop = \"flight\"\n"
        "[worker.price]\nworkload = \"montecarlo/option\"\n" +
        last + "[worker.woken]\nworkload = \"exec\"\ncommand = [\"" + program +
        "\", \"lines\", \"5\", \"unit\"]\npolicy = \"fifo:30\"\n" + last;
    // Under other load the trace may lose events, and the supervisor may read /proc so late that its figures are of
    // another window (as metrics they are absent then): nothing stands to be compared.
    for (int attempt = 0; attempt < 5; ++attempt) {
      run_ = RigRun(scenario).Wait();
      if (!run_.report.is_object() || (run_.report["trace"]["gap"] != true && OnTime())) return;
    }
  }
  static double Window() {
    return run_.report["window"]["end"].get<double>() - run_.report["window"]["begin"].get<double>();
  }
  static bool OnTime() {
    const double observed = run_.report["source"]["scheduling"]["observed"].get<double>();
    return std::abs(observed / Window() - 1) < 0.01;
  }
  void SetUp() override {
    ASSERT_TRUE(run_.report.is_object()) << run_.err;
    const auto& trace = run_.report["trace"];
    if (!trace["absent"].is_null()) GTEST_SKIP() << trace["absent"];
    if (!SetPolicy(0, {Policy::Class::kFifo, 1})) GTEST_SKIP() << "no real-time priority: other load decides the rates";
    ASSERT_TRUE(SetPolicy(0, {}));
    ASSERT_EQ(trace["gap"], false) << "events were lost in each of five runs: " << trace["lost"];
    if (!OnTime()) GTEST_SKIP() << "the machine is too busy for readings at the window's ends";
    window_ = Window();
  }

  static nlohmann::json Traced(const std::string& name) {
    for (const auto& part : run_.report["trace"]["parts"]) {
      if (part["part"] == name) return part;
    }
    return nullptr;
  }
  // Of /proc, scaled to the window's length.
  double Counted(const nlohmann::json& scheduling, const char* figure) const {
    return scheduling[figure].get<double>() * window_ / scheduling["observed"].get<double>();
  }
  static double Irq(int cpu) {
    for (const auto& core : run_.report["trace"]["cores"]) {
      if (core["cpu"] == cpu) return core["irq"];
    }
    return NAN;
  }

  static FinishedRun run_;
  double window_ = 0;
};
FinishedRun OneRun::run_;

TEST_F(OneRun, CountsTheSwitchesThatProcCounts) {
  const std::pair<std::string, nlohmann::json> steady[] = {
      {"source", run_.report["source"]["scheduling"]},
      {"loop flight", run_.Part("loops", "flight")["scheduling"]},
      {"worker woken.0", run_.Part("workers", "woken", 0)["scheduling"]}};
  for (const auto& [name, scheduling] : steady) {
    const auto traced = Traced(name);
    const double voluntary = Counted(scheduling, "voluntary"), timeslices = Counted(scheduling, "timeslices");
    EXPECT_GT(voluntary, 50) << name << ": too few to show anything";
    EXPECT_NEAR(traced["voluntary"].get<double>(), voluntary, 4 + 0.01 * voluntary) << name;
    const double switches = traced["voluntary"].get<double>() + traced["involuntary"].get<double>();
    EXPECT_NEAR(switches, timeslices, 4 + 0.01 * timeslices) << name;
    // A slice whose begin was not seen is not counted.
    EXPECT_LE(traced["slice"]["count"].get<double>(), switches) << name;
    EXPECT_NEAR(traced["slice"]["count"].get<double>(), switches, 4 + 0.01 * switches) << name;
  }
  // Whoever computes is preempted as other load will have it, but at least by what is woken beside it.
  const auto price = Traced("worker price.0");
  const auto scheduling = run_.Part("workers", "price", 0)["scheduling"];
  const double involuntary = Counted(scheduling, "involuntary");
  EXPECT_GT(involuntary, 50);
  EXPECT_NEAR(price["involuntary"].get<double>(), involuntary, 20 + 0.1 * involuntary);
  EXPECT_EQ(price["voluntary"], 0);
}

TEST_F(OneRun, DiffersFromSchedstatsRunTimeByInterruptsOnly) {
  const int first = TestCores().front(), last = TestCores().back();
  const std::tuple<std::string, nlohmann::json, int> parts[] = {
      {"source", run_.report["source"]["scheduling"], first},
      {"loop flight", run_.Part("loops", "flight")["scheduling"], first},
      {"worker price.0", run_.Part("workers", "price", 0)["scheduling"], last},
      {"worker woken.0", run_.Part("workers", "woken", 0)["scheduling"], last}};
  double interrupts[2] = {0, 0};
  for (const auto& [name, scheduling, core] : parts) {
    const double run = Traced(name)["run"], kernel = Counted(scheduling, "run");
    // The kernel leaves interrupts in a task's time (unless it is built to account for them apart), the trace does not.
    // The rate of running is less steady than that of switches.
    const double slack = 0.05 * kernel + 3e6;
    EXPECT_GE(kernel - run, -slack) << name;
    interrupts[core == first ? 0 : 1] += kernel - run - slack;
  }
  EXPECT_LE(interrupts[0], Irq(first));
  if (last != first) {
    EXPECT_LE(interrupts[1], Irq(last));
  }
}

TEST_F(OneRun, SharesOfEveryCoreAddUpToTheWindow) {
  for (const auto& core : run_.report["trace"]["cores"]) {
    double sum = 0;
    for (const char* share : {"worker", "loop", "source", "rig", "foreign", "irq", "idle"})
      sum += core[share].get<double>();
    EXPECT_NEAR(sum / window_, 1, 0.01) << "core " << core["cpu"];
  }
}

}  // namespace
}  // namespace corerig
