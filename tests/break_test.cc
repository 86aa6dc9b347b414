// A run that stops at its first late sample: with the moment in its trace, the culprit named, and an exit status.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "harness/os/scheduling.h"
#include "tests/perfetto/decoded.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A machine that others load delays a tick by milliseconds; a hog of 200 ms is later than that.
constexpr auto kBurst = milliseconds(200), kLimit = milliseconds(100);

std::string Scenario(const std::string& more = "") {
  return "name = \"hunt\"\nduration = \"60s\"\nwarmup = \"100ms\"\n[loop.flight]\ncores = [" +
         std::to_string(TestCores().back()) +
         "]\npolicy = \"fifo:80\"\n[stream.tick]\nsensor = \"tick\"\nrate = \"1kHz\"\nloop = \"flight\"\n" + more;
}

bool MayBeRealTime() {
  if (!SetPolicy(0, {Policy::Class::kFifo, 1})) return false;
  return SetPolicy(0, {}).has_value();
}

// Holds the loop's core once.
pid_t StartHog() {
  const std::string program = std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tests/rig/hog";
  const std::string core = std::to_string(TestCores().back());
  const std::string burst = std::to_string(kBurst.count() * 1000);
  const char* const words[] = {program.c_str(), core.c_str(), "95", burst.c_str(), "0", "1000000", "1", nullptr};
  pid_t pid = 0;
  return posix_spawn(&pid, program.c_str(), nullptr, nullptr, const_cast<char**>(words), environ) == 0 ? pid : 0;
}

struct Broken {
  FinishedRun run;
  pid_t hog = 0;
  std::string folder;
  std::vector<pid_t> living;
};

// The hog comes once the window has begun.
Broken RunWithHog(const std::string& scenario, const std::vector<std::string>& arguments) {
  Broken broken;
  RigRun rig(scenario, arguments);
  EXPECT_TRUE(rig.AwaitWindow());
  broken.hog = StartHog();
  broken.run = rig.Wait();
  int status = 0;
  waitpid(broken.hog, &status, 0);
  EXPECT_EQ(status, 0);
  broken.folder = rig.folder();
  broken.living = rig.Living();
  return broken;
}

void ExpectBroken(const Broken& broken) {
  const FinishedRun& run = broken.run;
  ASSERT_TRUE(run.report.is_object()) << run.err;
  EXPECT_EQ(run.exit_status, 2) << run.err;
  EXPECT_EQ(run.verdict(), "FAIL");
  EXPECT_LT(run.took, seconds(20)) << "it was to run for a minute";
  EXPECT_EQ(broken.living, std::vector<pid_t>{});
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
  const auto& at = run.report["break"];
  ASSERT_TRUE(at.is_object()) << run.err << run.out;
  EXPECT_EQ(at["stream"], "tick");
  EXPECT_EQ(at["limit"], 100'000'000);
  EXPECT_GT(at["delay"], 100'000'000);
  EXPECT_LE(at["at"].get<long long>() + at["delay"].get<long long>(), run.report["window"]["end"].get<long long>());
  const std::string reason = run.report["verdict"]["reasons"][0];
  EXPECT_EQ(reason, at["text"]);
  EXPECT_NE(reason.find("stream tick sample " + std::to_string(at["sample"].get<int>()) + " was "), std::string::npos)
      << reason;
  EXPECT_NE(reason.find(" late, limit 100 ms (break)"), std::string::npos) << reason;
  const auto& spike = run.report["spikes"][0];
  EXPECT_EQ(spike["part"], "stream.tick");
  EXPECT_EQ(spike["sample"], at["sample"]);
  EXPECT_EQ(spike["delay"], at["delay"]);
  EXPECT_NE(run.out.find("\nstopped at the first sample later than 100 ms\n  stream tick sample "), std::string::npos)
      << run.out;
}

TEST(Break, StopsTheTraceAtTheMomentAndNamesTheCulprit) {
  if (!MayBeRealTime()) GTEST_SKIP() << "SCHED_FIFO is refused";
  const Broken broken = RunWithHog(Scenario(), {"--break", "100ms"});
  ExpectBroken(broken);
  const FinishedRun& run = broken.run;
  if (testing::Test::HasFatalFailure()) return;
  if (!run.report["trace"]["absent"].is_null()) GTEST_SKIP() << run.report["trace"]["absent"];
  const auto& at = run.report["break"];
  const auto done = at["at"].get<long long>() + at["delay"].get<long long>();
  const auto stopped = done + at["trace_stopped"].get<long long>();
  std::printf("the trace was stopped %lld ns after the sample was done\n", stopped - done);
  // Some 40 µs; longer while another trace of the board is being made or resized, which holds a lock in the kernel.
  EXPECT_LT(stopped - done, 1'000'000'000);
  const auto& cause = run.report["spikes"][0]["causes"][0];
  EXPECT_EQ(cause["kind"], "core_held") << run.report["spikes"][0];
  EXPECT_EQ(cause["task"], "hog");
  const auto hog = InFirstPidNamespace() ? broken.hog : cause["tid"].get<pid_t>();
  EXPECT_EQ(cause["tid"], hog);

  // The trace: the hog taking the core and losing it to the loop, the late sample, and nothing after the stop.
  const Decoded trace = Decoded::File(broken.folder + "/trace.perfetto-trace");
  bool late_sample = false;
  for (const Decoded* packet : trace.All("packet")) {
    for (const Decoded* event : packet->All("track_event")) {
      for (const Decoded* note : event->All("debug_annotations")) {
        late_sample = late_sample || note->Text("string_value").find("hog") != std::string::npos;
      }
    }
  }
  EXPECT_TRUE(late_sample);
  long long last = 0;
  int hog_began = 0, hog_ended = 0;
  std::int64_t running = 0;  // on the loop's core
  for (const Decoded* bundle : trace.All("packet.ftrace_events")) {
    const auto core = bundle->Number("cpu");
    for (const Decoded* event : bundle->All("event")) last = std::max<long long>(last, event->Number("timestamp"));
    for (const Decoded* compact : bundle->All("compact_sched")) {
      std::int64_t time = 0;
      const auto times = compact->Numbers("switch_timestamp"), tids = compact->Numbers("switch_next_pid");
      for (std::size_t i = 0; i < times.size(); ++i) {
        time += times[i];
        last = std::max<long long>(last, time);
        if (core != TestCores().back() || time < at["at"].get<long long>() - kBurst.count() * 1'000'000) continue;
        hog_ended += running == hog && time <= done;
        hog_began += tids[i] == hog && time <= done;
        running = tids[i];
      }
    }
  }
  EXPECT_GE(hog_began, 1);
  EXPECT_GE(hog_ended, 1);
  EXPECT_LE(last, stopped);
  EXPECT_GT(last, at["at"].get<long long>());
  // All that the cores did up to the stop is accounted for.
  const auto covered = run.report["trace"]["covered"].get<double>();
  for (const auto& core : run.report["trace"]["cores"]) {
    double sum = 0;
    for (const char* share : {"worker", "loop", "source", "rig", "foreign", "irq", "idle"}) {
      sum += core[share].get<double>();
    }
    EXPECT_NEAR(sum, covered, covered / 100) << core["cpu"];
  }
}

TEST(Break, WorksWithoutATraceByTheStampsAlone) {
  if (!MayBeRealTime()) GTEST_SKIP() << "SCHED_FIFO is refused";
  const Broken broken = RunWithHog(Scenario("break = \"100ms\"\n"), {"--set", "trace=false"});
  ExpectBroken(broken);
  if (testing::Test::HasFatalFailure()) return;
  EXPECT_TRUE(broken.run.report["break"]["trace_stopped"].is_null());
  EXPECT_EQ(broken.run.report["spikes"][0]["causes"][0]["kind"], "queue") << broken.run.report["spikes"][0];
}

TEST(Break, ThatNeverFiresChangesNothing) {
  RigRun rig(Scenario("[budget]\nlimits = [\"stream.tick.latency.max < 50s\"]\n"),
             {"--duration", "300ms", "--break", "50s"});
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 0) << run.err << run.out;
  EXPECT_EQ(run.verdict(), "PASS");
  EXPECT_TRUE(run.report["break"].is_null());
  EXPECT_EQ(run.out.find("stopped"), std::string::npos) << run.out;
  EXPECT_EQ(run.report["scenario"]["streams"][0]["break"], "50s");
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
}

TEST(Break, InTheWarmUpStopsNothing) {
  // The first tick of the warm-up comes when the loop has just been started; a limit of 1 ns is broken at once in the
  // window, and not before.
  RigRun rig(Scenario(), {"--break", "1us", "--set", "warmup=500ms", "--set", "trace=false"});
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 2) << run.err << run.out;
  ASSERT_TRUE(run.report["break"].is_object()) << run.err;
  EXPECT_GE(run.report["break"]["at"], run.report["window"]["begin"]);
  EXPECT_LT(run.report["break"]["sample"], 20) << "a sample takes longer than that";
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
}

}  // namespace
}  // namespace corerig
