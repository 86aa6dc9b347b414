// One test per way of dying: it is reported as exactly that, and costs nobody else anything.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <string>
#include <thread>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

// A stream, a healthy worker and one that does `how`, on the cores there are.
std::string Scenario(const std::string& how, const std::string& more = "") {
  const auto cores = TestCores();
  const std::string first = std::to_string(cores.front()), last = std::to_string(cores.back());
  return "name = \"dying\"\nduration = \"800ms\"\nwarmup = \"100ms\"\ndrain = \"200ms\"\n"
         "[source]\ncores = [" +
         first + "]\n[loop.flight]\ncores = [" + first +
         "]\n"
         "[stream.imu]\nsensor = \"icm42688p\"\nrate = \"200Hz\"\nloop = \"flight\"\n"
         "[worker.healthy]\nworkload = \"montecarlo/option\"\nunits = 20\ntime_limit = \"60s\"\ncores = [" +
         last +
         "]\n"
         "[worker.ill]\nworkload = \"test/behave\"\nhow = \"" +
         how + "\"\ncores = [" + last + "]\n" + more;
}

// An end without a number.
constexpr int kNone = -1;

// What every run of this file has in common, however one of its workers died.
void ExpectOthersUnharmed(const RigRun& rig, const FinishedRun& run) {
  ASSERT_TRUE(run.report.is_object()) << run.err;
  EXPECT_TRUE(run.report["complete"].get<bool>());
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
  const auto healthy = run.Part("workers", "healthy", 0);
  EXPECT_EQ(healthy["end"]["as_planned"], true) << healthy;
  EXPECT_EQ(run.report["results"]["healthy"]["units"], 20);
  EXPECT_EQ(run.report["results"]["healthy"]["check"]["passed"], true);
  EXPECT_EQ(run.Metric("stream.imu.sent"), 160);
  EXPECT_EQ(run.Metric("stream.imu.received"), 160);
  EXPECT_EQ(run.report["source"]["end"]["as_planned"], true) << run.report["source"];
  EXPECT_EQ(run.report["handler"]["end"]["as_planned"], true) << run.report["handler"];
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
}

FinishedRun ExpectEnd(const std::string& how, const std::string& kind, int number, const std::string& detail,
                      const std::string& more = "") {
  RigRun rig(Scenario(how, more));
  const FinishedRun run = rig.Wait();
  ExpectOthersUnharmed(rig, run);
  EXPECT_EQ(run.verdict(), "FAIL");
  EXPECT_EQ(run.exit_status, 2) << run.err;
  const auto end = run.Part("workers", "ill", 0)["end"];
  EXPECT_EQ(end["kind"], kind) << end;
  EXPECT_EQ(end["number"], number == kNone ? nlohmann::json() : nlohmann::json(number)) << end;
  EXPECT_NE(end["detail"].get<std::string>().find(detail), std::string::npos) << end;
  EXPECT_EQ(end["as_planned"], false);
  // The user is told in the summary and in the reasons.
  EXPECT_NE(run.report["verdict"]["reasons"].dump().find("worker ill.0"), std::string::npos) << run.report["verdict"];
  EXPECT_NE(run.err.find("worker ill.0"), std::string::npos) << run.err;
  return run;
}

TEST(Dying, BySegmentationFault) { ExpectEnd("segv", "signalled", SIGSEGV, "SIGSEGV"); }

TEST(Dying, ByAbort) { ExpectEnd("abort", "signalled", SIGABRT, "SIGABRT"); }

TEST(Dying, ByExit3) { ExpectEnd("exit3", "exited", 3, ""); }

TEST(Dying, ByExit0WithoutAResult) { ExpectEnd("no-result", "exited", 0, "without a result"); }

TEST(Dying, StoppedByItselfAndHangingPastItsTimeLimit) {
  ExpectEnd("stop", "timed_out", kNone, "(stopped)", "time_limit = \"700ms\"\n");
}

TEST(Dying, HangingPastItsTimeLimit) {
  const FinishedRun run = ExpectEnd("hang", "timed_out", kNone, "still running after 0.", "time_limit = \"700ms\"\n");
  EXPECT_EQ(run.Part("workers", "ill", 0)["end"]["detail"].get<std::string>().find("stopped"), std::string::npos);
}

TEST(Dying, SpinningBeyondTheEndOfTheRun) { ExpectEnd("spin", "timed_out", kNone, "still running after 2."); }

TEST(Dying, BeforeItWasReady) { ExpectEnd("refuse-late", "exited", 1, "refuses, as it was told to"); }

TEST(Dying, StoppedByHand) {
  RigRun rig(Scenario("well", "time_limit = \"1s\"\n"));
  const pid_t ill = rig.Find("worker ill.0");
  ASSERT_NE(ill, 0);
  ASSERT_TRUE(rig.AwaitWindow());
  kill(ill, SIGSTOP);
  const FinishedRun run = rig.Wait();
  ExpectOthersUnharmed(rig, run);
  const auto end = run.Part("workers", "ill", 0)["end"];
  EXPECT_EQ(end["kind"], "timed_out") << end;
  EXPECT_NE(end["detail"].get<std::string>().find("(stopped)"), std::string::npos) << end;
}

TEST(Dying, KilledByHand) {
  RigRun rig(Scenario("well"));
  const pid_t ill = rig.Find("worker ill.0");
  ASSERT_NE(ill, 0);
  ASSERT_TRUE(rig.AwaitWindow());
  kill(ill, SIGKILL);
  const FinishedRun run = rig.Wait();
  ExpectOthersUnharmed(rig, run);
  EXPECT_EQ(run.exit_status, 2);
  const auto end = run.Part("workers", "ill", 0)["end"];
  EXPECT_EQ(end["kind"], "signalled") << end;
  EXPECT_EQ(end["number"], SIGKILL) << end;
}

TEST(Dying, MayFailIsNoFailure) {
  RigRun rig(Scenario("segv", "may_fail = true\n"));
  const FinishedRun run = rig.Wait();
  ExpectOthersUnharmed(rig, run);
  EXPECT_EQ(run.Part("workers", "ill", 0)["end"]["kind"], "signalled");
  EXPECT_NE(run.verdict(), "FAIL") << run.out;
}

TEST(Dying, TheHandlerByHand) {
  RigRun rig(Scenario("well"));
  const pid_t handler = rig.Find("handler");
  ASSERT_NE(handler, 0);
  ASSERT_TRUE(rig.AwaitWindow());
  kill(handler, SIGKILL);
  const FinishedRun run = rig.Wait();
  ASSERT_TRUE(run.report.is_object()) << run.err;
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_EQ(run.report["handler"]["end"]["kind"], "signalled");
  // What it did not receive is lost, and the percentiles say so.
  EXPECT_EQ(run.Metric("stream.imu.sent"), 160) << "the source went on";
  EXPECT_LT(run.Metric("stream.imu.received"), 160);
  EXPECT_GT(run.Metric("stream.imu.lost"), 0);
  EXPECT_TRUE(std::isnan(run.Metric("loop.flight.busy")));
  EXPECT_TRUE(std::isnan(run.Metric("core." + std::to_string(TestCores().front()) + ".loop")));
  EXPECT_EQ(run.Metric("stream.imu.latency.p999"), INFINITY);
  EXPECT_EQ(run.report["results"]["healthy"]["units"], 20);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
}

TEST(Dying, TheSourceByHand) {
  RigRun rig(Scenario("well"));
  const pid_t source = rig.Find("source");
  ASSERT_NE(source, 0);
  ASSERT_TRUE(rig.AwaitWindow());
  kill(source, SIGKILL);
  const FinishedRun run = rig.Wait();
  ASSERT_TRUE(run.report.is_object()) << run.err;
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_EQ(run.report["source"]["end"]["kind"], "signalled");
  EXPECT_EQ(run.report["handler"]["end"]["as_planned"], true) << run.report["handler"];
  EXPECT_LT(run.Metric("stream.imu.sent"), 160);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
  EXPECT_EQ(run.Metric("stream.imu.latency.p999"), INFINITY);
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
}

TEST(Dying, TheKeeperByHand) {
  RigRun rig(Scenario("orphan"));
  ASSERT_NE(rig.Find("worker ill.0"), 0);
  const pid_t keeper = rig.Find("__keeper");
  ASSERT_NE(keeper, 0);
  ASSERT_TRUE(rig.AwaitWindow());
  kill(keeper, SIGKILL);
  const FinishedRun run = rig.Wait();
  ASSERT_TRUE(run.report.is_object()) << run.err;
  EXPECT_EQ(run.exit_status, 2);
  EXPECT_NE(run.err.find("keeper"), std::string::npos) << run.err;
  EXPECT_EQ(rig.LivingAfter(std::chrono::seconds(2)), std::vector<pid_t>{});
}

TEST(Dying, TheKeeperStoppedByHand) {
  RigRun rig(Scenario("orphan"));
  ASSERT_NE(rig.Find("worker ill.0"), 0);
  const pid_t keeper = rig.Find("__keeper");
  ASSERT_NE(keeper, 0);
  ASSERT_TRUE(rig.AwaitWindow());
  kill(keeper, SIGSTOP);
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 2) << run.err;
  EXPECT_NE(run.err.find("keeper"), std::string::npos) << run.err;
  EXPECT_EQ(rig.LivingAfter(std::chrono::seconds(2)), std::vector<pid_t>{});
}

TEST(Dying, ADaemonOfAWorkerIsNotLeftBehind) {
  RigRun rig(Scenario("orphan"));
  const FinishedRun run = rig.Wait();
  ExpectOthersUnharmed(rig, run);
  EXPECT_NE(run.verdict(), "FAIL") << run.out;
}

TEST(Dying, TheSupervisorBySigkillLeavesNothing) {
  RigRun rig(Scenario("orphan"), {"--duration", "60s"});
  ASSERT_NE(rig.Find("worker ill.0"), 0);
  // Its daemon is a second process of that name.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (rig.FindAll("worker ill.0").size() < 2 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // Twice it forks before the daemon stands alone; a list of processes taken meanwhile may miss one.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ASSERT_EQ(rig.FindAll("worker ill.0").size(), 2u);
  kill(rig.pid(), SIGKILL);
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, -SIGKILL);
  EXPECT_EQ(rig.LivingAfter(std::chrono::seconds(2)), std::vector<pid_t>{});
  ASSERT_TRUE(run.report.is_object()) << "the report is valid at any time";
  EXPECT_FALSE(run.report["complete"].get<bool>());
}

TEST(Dying, TheSupervisorWhileItStartsLeavesNothing) {
  for (int i = 0; i < 12; ++i) {
    RigRun rig(Scenario("well"));
    std::this_thread::sleep_for(std::chrono::milliseconds(i * 3));
    kill(rig.pid(), SIGKILL);
    rig.Wait();
    EXPECT_EQ(rig.LivingAfter(std::chrono::seconds(5)), std::vector<pid_t>{}) << "after " << i * 3 << " ms";
  }
}

}  // namespace
}  // namespace corerig
