// One run, measured by corerig and by `perf sched record` at the same time. Needs Debian's package linux-perf
// (tools/setup.sh oracle), root, and no sandbox; without, it fails.
//
// Several tasks share one core that is never idle, so that every switch is from a task to a task: two that compute, and
// two that sleep and are woken beside them, one of them real-time. (Some kernels trace nothing that the idle task does,
// and then perf's figures for wake-ups on an idle core are wrong.) Of the host's agent on a virtual machine nothing may
// be traced either, to whom perf lets the core switch and from whom never: so many samples may differ.
#include "tests/oracle/perf_sched.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

constexpr std::int64_t kTolerance = 5'000;  // ns

std::string Program() {
  return std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tests/rig/program";
}

std::string Scenario() {
  const std::string core = "cores = [" + std::to_string(TestCores().back()) + "]\n";
  const auto lines = [&](const std::string& name, const std::string& interval, const std::string& more) {
    return "[worker." + name + "]\nworkload = \"exec\"\ncommand = [\"" + Program() + "\", \"lines\", \"" + interval +
           "\", \"unit\"]\n" + core + more;
  };
  return "name = \"oracle\"\nduration = \"2s\"\nwarmup = \"500ms\"\ndrain = \"100ms\"\n"
         "[worker.one]\nworkload = \"montecarlo/option\"\n" +
         core + "[worker.two]\nworkload = \"montecarlo/option\"\n" + core + lines("woken", "7", "") +
         lines("urgent", "3", "policy = \"fifo:30\"\n");
}

class OneRunMeasuredTwice : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Other load may make one of the two traces lose events; then there is nothing to compare.
    for (int attempt = 0; attempt < 3; ++attempt) {
      const std::string file = std::string(getenv("TEST_TMPDIR")) + "/perf." + std::to_string(attempt) + ".data";
      RigRun rig(Scenario(), {}, {"perf", "sched", "record", "-k", "mono", "-o", file, "--"});
      run_ = rig.Wait();
      why_ = "";
      if (!run_.report.is_object()) {
        why_ = "no run under perf sched record (is linux-perf installed? tools/setup.sh oracle): " + run_.err;
        return;
      }
      const auto& trace = run_.report["trace"];
      if (!trace["absent"].is_null()) {
        why_ = "corerig has no trace: " + trace["absent"].get<std::string>();
        return;
      }
      const auto script = PerfScript(file), timehist = PerfTimehist(file);
      if (!script.error.empty() || !timehist.error.empty()) {
        why_ = script.error + timehist.error;
        return;
      }
      if (trace["gap"] == true || script.lost > 0) {
        why_ = "events were lost in each of three runs: " + trace["lost"].dump() + " of corerig's, " +
               std::to_string(script.lost) + " of perf's";
        continue;
      }
      const std::int64_t begin = run_.report["window"]["begin"], end = run_.report["window"]["end"];
      raw_ = RawTasks(script, begin, end);
      timehist_ = TimehistTasks(timehist, begin, end);
      return;
    }
  }
  void SetUp() override { ASSERT_EQ(why_, ""); }

  static nlohmann::json Traced(const std::string& worker) {
    for (const auto& part : run_.report["trace"]["parts"]) {
      if (part["part"] == "worker " + worker + ".0") return part;
    }
    return nullptr;
  }
  static int Pid(const std::string& worker) { return run_.Part("workers", worker, 0)["pid"].get<int>(); }

  // Of the shared core: so many samples may be missing from one of the two.
  static std::int64_t Unseen() {
    const auto unseen = raw_.unseen.find(TestCores().back());
    return unseen == raw_.unseen.end() ? 0 : static_cast<std::int64_t>(unseen->second);
  }
  // A quantile of perf's exact values lies in the bucket in which corerig's stands, within the tolerance.
  static void ExpectQuantile(const nlohmann::json& distribution, const std::vector<std::int64_t>& values, double p,
                             const std::string& what) {
    const auto count = distribution["count"].get<std::uint64_t>();
    ASSERT_GE(values.size(), 100u) << what << ": too few to compare";
    // A virtual CPU that is stopped between the two stamps of one event makes one of the values an extreme.
    const std::int64_t ranks = Unseen() + std::max<std::int64_t>(1, static_cast<std::int64_t>(values.size()) / 200);
    const std::int64_t least = NearestRank(values, p, -ranks), most = NearestRank(values, p, ranks);
    const auto rank = static_cast<std::uint64_t>(std::max(1.0, std::ceil(p * static_cast<double>(count))));
    std::uint64_t below = 0;
    for (const auto& bucket : distribution["buckets"]) {
      below += bucket[2].get<std::uint64_t>();
      if (below < rank) continue;
      EXPECT_GE(most, bucket[0].get<std::int64_t>() - kTolerance) << what << " p" << p * 100;
      EXPECT_LE(least, bucket[1].get<std::int64_t>() + kTolerance) << what << " p" << p * 100;
      return;
    }
    ADD_FAILURE() << what << ": the buckets hold fewer than they count";
  }

  static FinishedRun run_;
  static PerfTasks raw_, timehist_;
  static std::string why_;
};
FinishedRun OneRunMeasuredTwice::run_;
PerfTasks OneRunMeasuredTwice::raw_, OneRunMeasuredTwice::timehist_;
std::string OneRunMeasuredTwice::why_;

const char* const kWorkers[] = {"one", "two", "woken", "urgent"};

TEST_F(OneRunMeasuredTwice, EveryTasksSwitchesAreTheSame) {
  for (const std::string worker : kWorkers) {
    const auto traced = Traced(worker);
    const std::uint64_t voluntary = traced["voluntary"], involuntary = traced["involuntary"];
    EXPECT_GE(voluntary + involuntary, 100u) << worker << ": too few to show anything";
    for (const auto& [name, tasks] : {std::pair("perf script", &raw_), std::pair("perf sched timehist", &timehist_)}) {
      const PerfTask& task = tasks->by_tid.at(Pid(worker));
      // Exactly, but for one whose two stamps lie on both sides of an end of the window.
      const auto border = static_cast<double>(task.at_the_border);
      EXPECT_NEAR(double(voluntary), double(task.voluntary), border) << worker << " against " << name;
      EXPECT_NEAR(double(involuntary), double(task.involuntary), border) << worker << " against " << name;
    }
  }
}

TEST_F(OneRunMeasuredTwice, EveryDelayAndSliceIsCounted) {
  for (const std::string worker : kWorkers) {
    const auto traced = Traced(worker);
    const PerfTask& task = raw_.by_tid.at(Pid(worker));
    const auto border = static_cast<double>(task.at_the_border) + static_cast<double>(Unseen());
    EXPECT_NEAR(traced["runqueue"]["count"].get<double>(), double(task.runqueue.size()), border) << worker;
    EXPECT_NEAR(traced["wake"]["count"].get<double>(), double(task.wake.size()), border) << worker;
    EXPECT_NEAR(traced["slice"]["count"].get<double>(), double(task.slice.size()), border) << worker;
    EXPECT_NEAR(traced["migrations"].get<double>(), double(task.migrations), 0) << worker;
  }
}

TEST_F(OneRunMeasuredTwice, DelaysAndSlicesAgreeWithinFiveMicroseconds) {
  for (const std::string worker : kWorkers) {
    const auto traced = Traced(worker);
    for (const auto& [name, tasks] : {std::pair("perf script", &raw_), std::pair("perf sched timehist", &timehist_)}) {
      const PerfTask& task = tasks->by_tid.at(Pid(worker));
      for (const double p : {0.5, 0.99}) {
        ExpectQuantile(traced["runqueue"], task.runqueue, p, worker + " runqueue against " + name);
        ExpectQuantile(traced["slice"], task.slice, p, worker + " slice against " + name);
        if (worker == "woken" || worker == "urgent") {
          ExpectQuantile(traced["wake"], task.wake, p, worker + " wake against " + name);
        }
      }
    }
    const PerfTask& task = raw_.by_tid.at(Pid(worker));
    if (task.at_the_border > 0) continue;
    // Of the extremes nothing is said: a virtual CPU is now and then stopped between the two stamps of one event.
    const double preempted = traced["preempted"], tolerance = 0.001 * double(task.preempted) + double(kTolerance);
    EXPECT_GE(preempted, double(task.preempted) - tolerance) << worker;
    EXPECT_LE(preempted, double(task.preempted + task.preempted_or_ran) + tolerance) << worker;
  }
}

TEST_F(OneRunMeasuredTwice, RunTimeDiffersByInterruptsOnly) {
  double irq = 0;
  for (const auto& core : run_.report["trace"]["cores"]) {
    if (core["cpu"] == TestCores().back()) irq = core["irq"];
  }
  for (const std::string worker : kWorkers) {
    double slices = 0;
    for (const auto slice : raw_.by_tid.at(Pid(worker)).slice) slices += double(slice);
    const double run = Traced(worker)["run"];
    // Perf counts interrupts into slices; and the slices that reach over the window's ends are whole there.
    EXPECT_GE(slices, 0.98 * run - 10e6) << worker;
    EXPECT_LE(slices - run, irq + 10e6) << worker;
  }
}

}  // namespace
}  // namespace corerig
