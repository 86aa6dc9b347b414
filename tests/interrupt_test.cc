// A run that is interrupted ends soon, with what was measured.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string Scenario(const std::string& how) {
  const auto cores = TestCores();
  const std::string first = std::to_string(cores.front()), last = std::to_string(cores.back());
  return "name = \"long\"\nduration = \"60s\"\nwarmup = \"200ms\"\n"
         "[source]\ncores = [" +
         first + "]\n[loop.flight]\ncores = [" + first +
         "]\n"
         "[stream.imu]\nsensor = \"icm42688p\"\nrate = \"200Hz\"\nloop = \"flight\"\n"
         "[stream.gnss]\nsensor = \"zed-f9p\"\nloop = \"flight\"\n"
         "[worker.price]\nworkload = \"montecarlo/option\"\ncores = [" +
         last +
         "]\n"
         "[worker.fixed]\nworkload = \"montecarlo/option\"\nunits = 1000000\ncores = [" +
         last +
         "]\n"
         "[worker.odd]\nworkload = \"test/behave\"\nat = 5\nhow = \"" +
         how + "\"\ncores = [" + last +
         "]\n"
         "[budget]\nlimits = [\"stream.imu.lost == 0\"]\n";
}

// Runs for `before` after the worker is there, interrupts `times`, and expects an orderly end within 2 s.
FinishedRun Interrupted(const std::string& how, milliseconds before, int signal, int times = 1,
                        const std::vector<std::string>& arguments = {}) {
  RigRun rig(Scenario(how), arguments);
  EXPECT_NE(rig.Find("worker odd.0"), 0);
  std::this_thread::sleep_for(before);
  const auto at = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) {
    kill(rig.pid(), signal);
    std::this_thread::sleep_for(milliseconds(times > 1 ? 50 : 0));
  }
  FinishedRun run = rig.Wait();
  const auto took = std::chrono::steady_clock::now() - at;
  EXPECT_LT(took, seconds(2)) << run.err;
  EXPECT_EQ(run.exit_status, 3) << run.err << run.out;
  EXPECT_EQ(run.verdict(), "UNDECIDED");
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
  return run;
}

TEST(Interrupt, KeepsWhatWasMeasured) {
  const FinishedRun run = Interrupted("well", milliseconds(1500), SIGINT);
  EXPECT_NE(run.report["verdict"]["reasons"][0].get<std::string>().find("interrupted by SIGINT"), std::string::npos);
  EXPECT_EQ(run.report["budgets"][0]["result"], "UNDECIDED");
  EXPECT_GT(run.Metric("stream.imu.sent"), 100);
  for (const std::string stream : {"stream.imu.", "stream.gnss."}) {
    EXPECT_EQ(run.Metric(stream + "sent"), run.Metric(stream + "received") - run.Metric(stream + "duplicated") +
                                               run.Metric(stream + "lost") + run.Metric(stream + "unread"))
        << stream;
  }
  EXPECT_EQ(run.Metric("stream.imu.lost"), 0) << "the drain went on for what was on its way";
  const std::string group = "price";
  EXPECT_TRUE(run.report["results"][group]["check"]["passed"].get<bool>()) << run.report["results"];
  EXPECT_GT(run.report["results"]["fixed"]["units"], 0);
  const double window = run.report["window"]["end"].get<double>() - run.report["window"]["begin"].get<double>();
  EXPECT_GT(window, 0.5e9);
  EXPECT_LT(window, 10e9);
}

TEST(Interrupt, BySigterm) { Interrupted("well", milliseconds(600), SIGTERM); }

TEST(Interrupt, DoesNotWaitForAWorkerThatHangs) {
  const FinishedRun run = Interrupted("hang", milliseconds(1000), SIGINT);
  const auto end = run.Part("workers", "odd", 0)["end"];
  EXPECT_EQ(end["kind"], "signalled") << end;
  EXPECT_NE(end["detail"].get<std::string>().find("interrupted"), std::string::npos) << end;
}

TEST(Interrupt, DoesNotWaitForAStoppedWorker) { Interrupted("stop", milliseconds(1000), SIGINT); }

TEST(Interrupt, TwiceEndsTheRunAtOnce) {
  const FinishedRun run = Interrupted("hang", milliseconds(1000), SIGINT, 2);
  // Without the second signal it would have waited for the worker that hangs.
  EXPECT_EQ(run.Part("workers", "odd", 0)["end"]["detail"], "killed because the run was interrupted by SIGINT");
}

TEST(Interrupt, InTheWarmUp) {
  const FinishedRun run = Interrupted("well", milliseconds(700), SIGINT, 1, {"--set", "warmup=30s"});
  EXPECT_EQ(run.report["window"]["begin"], run.report["window"]["end"]);
  EXPECT_EQ(run.report["source"]["end"]["as_planned"], true) << run.report["source"];
  EXPECT_EQ(run.report["handler"]["end"]["as_planned"], true) << run.report["handler"];
  EXPECT_FALSE(run.report["metrics"]["stream.imu.sent"].contains("value"));
}

// Without a warm-up the window is opened a moment before the start.
TEST(Interrupt, AtAnyMomentOfTheStart) {
  for (const char* warmup : {"warmup=200ms", "warmup=0s"}) {
    SCOPED_TRACE(warmup);
    for (int i = 0; i < 8; ++i) {
      RigRun rig(Scenario("well"), {"--set", warmup});
      // By the first report signals are watched.
      const auto until = std::chrono::steady_clock::now() + seconds(20);
      while (access((rig.folder() + "/report.json").c_str(), F_OK) != 0 && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(milliseconds(1));
      }
      std::this_thread::sleep_for(milliseconds(10 + i * 9));
      kill(rig.pid(), SIGINT);
      const FinishedRun run = rig.Wait();
      EXPECT_EQ(run.exit_status, 3) << run.err;
      EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
      EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
      if (run.report["window"]["begin"] != run.report["window"]["end"]) continue;
      for (const auto& [name, metric] : run.report["metrics"].items()) {
        const bool of_window = name.starts_with("core.") || name == "rig.cpu" ||
                               (name.starts_with("worker.") && !name.ends_with(".start") && !name.ends_with(".stop"));
        EXPECT_FALSE(of_window && metric.contains("value")) << name << ": " << metric;
      }
    }
  }
}

}  // namespace
}  // namespace corerig
