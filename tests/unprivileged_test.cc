// A whole run by a user without any privilege: everything that can be known is, all else says why it is not.
#include <grp.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

constexpr uid_t kNobody = 65534;

std::string Scenario() {
  const auto cores = TestCores();
  const std::string first = std::to_string(cores.front()), last = std::to_string(cores.back());
  return R"(
name = "nobody"
duration = "2s"
warmup = "300ms"
[source]
cores = [)" +
         first + R"(]
policy = "fifo:90"
[loop.flight]
cores = [)" +
         first + R"(]
policy = "fifo:80"
[stream.tick]
sensor = "tick"
loop = "flight"
[stream.imu]
sensor = "icm42688p"
rate = "500Hz"
channel = "seqpacket"
loop = "flight"
[worker.load]
workload = "test/behave"
cores = [)" +
         last + R"(]
memory = "512MiB"
)";
}

// The run as its user made it; `status` is what the child that became nobody ended with.
class NobodysRun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string folder = std::filesystem::temp_directory_path() / "corerig-nobody-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return;
    folder_ = folder;
    // Where Bazel builds, below root's home, nobody can read.
    const std::string rig = "/corerig/tests/rig/test_rig", built = getenv("TEST_SRCDIR");
    std::error_code copied;
    std::filesystem::create_directories(folder_ + "/corerig/tests/rig", copied);
    std::filesystem::copy_file(built + rig, folder_ + rig, copied);
    if (copied || chmod(folder_.c_str(), 0755) != 0) return;
    const pid_t child = fork();
    if (child == 0) _exit(RunAsNobody());
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return;
    run_ = new FinishedRun;
    run_->exit_status = atoi(Contents("status").c_str());
    run_->out = Contents("out");
    run_->err = Contents("err");
    run_->report_text = Contents("report");
    run_->report = nlohmann::json::parse(run_->report_text, nullptr, /*allow_exceptions=*/false);
  }
  // In a process of its own, which is nobody's from here on.
  static int RunAsNobody() {
    if (geteuid() == 0) {
      if (chown(folder_.c_str(), kNobody, kNobody) != 0) return 1;
      if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) return 1;
    }
    setenv("TEST_SRCDIR", folder_.c_str(), 1);
    setenv("TEST_TMPDIR", folder_.c_str(), 1);
    if (chdir(folder_.c_str()) != 0) return 1;
    const FinishedRun finished = RigRun(Scenario()).Wait();
    std::ofstream(folder_ + "/status") << finished.exit_status;
    std::ofstream(folder_ + "/out") << finished.out;
    std::ofstream(folder_ + "/err") << finished.err;
    std::ofstream(folder_ + "/report") << finished.report_text;
    return 0;
  }
  static std::string Contents(const std::string& file) {
    std::ostringstream text;
    text << std::ifstream(folder_ + "/" + file).rdbuf();
    return text.str();
  }
  static void TearDownTestSuite() {
    delete run_;
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  void SetUp() override {
    if (run_ == nullptr) GTEST_SKIP() << "cannot become nobody";
    ASSERT_TRUE(run_->report.is_object()) << run_->out << run_->err;
  }
  const FinishedRun& run() { return *run_; }
  nlohmann::json Metric(const std::string& name) { return run().report["metrics"][name]; }
  // Whether this kernel gives its records of switches to everyone.
  bool gives_records() { return run().report["switches"]["absent"].is_null(); }

  static FinishedRun* run_;
  static std::string folder_;
};
FinishedRun* NobodysRun::run_ = nullptr;
std::string NobodysRun::folder_;

TEST_F(NobodysRun, EndsWithAVerdict) {
  EXPECT_TRUE(run().verdict() == "PASS" || run().verdict() == "UNDECIDED") << run().out << run().err;
  EXPECT_GE(run().Metric("stream.imu.received"), 1) << run().err;
}

TEST_F(NobodysRun, ReportIsAsItsDescriptionSays) {
  for (const auto& complaint : CheckReport(run())) ADD_FAILURE() << complaint;
}

TEST_F(NobodysRun, EveryMetricHasAnOriginOrTheReasonWhyItIsAbsent) {
  for (const auto& [name, metric] : run().report["metrics"].items()) {
    EXPECT_TRUE(metric.contains("absent") ? !metric["absent"].get<std::string>().empty()
                                          : !metric["origin"].get<std::string>().empty())
        << name;
    EXPECT_NE(metric.value("absent", ""), "not measured in this run") << name;
  }
}

TEST_F(NobodysRun, EveryWarningHasARemedyAndRefusedPoliciesAreSaid) {
  bool refused = false;
  for (const auto& warning : run().report["warnings"]) {
    EXPECT_NE(warning["text"], "");
    EXPECT_NE(warning["remedy"], "");
    refused = refused || warning["id"] == "policy-refused";
  }
  EXPECT_TRUE(refused || run().Part("loops", "flight")["policy"] == "fifo:80") << run().report["warnings"];
}

TEST_F(NobodysRun, SchedulingComesFromTheRecordsOfSwitches) {
  ASSERT_FALSE(run().report["trace"]["absent"].is_null()) << "nobody may trace the kernel?";
  if (!gives_records()) GTEST_SKIP() << run().report["switches"]["absent"];
  EXPECT_EQ(Metric("loop.flight.switches.voluntary")["origin"], "perf");
  EXPECT_EQ(Metric("worker.load.0.preempted")["origin"], "perf");
  EXPECT_EQ(Metric("worker.load.0.slice.count")["origin"], "perf");
  EXPECT_EQ(Metric("worker.load.0.cpu")["origin"], "schedstat");
  EXPECT_NE(Metric("worker.load.0.runqueue.p99")["absent"].get<std::string>().find("when it was woken"),
            std::string::npos);
  EXPECT_EQ(run().report["switches"]["lost"], 0);
  // The loop slept and woke for most of its 1500 samples a second; what it is woken for may come together.
  EXPECT_GT(run().Metric("loop.flight.switches.voluntary"), 500);
}

TEST_F(NobodysRun, RecordsOfSwitchesAgreeWithWhatTheKernelCounted) {
  if (!gives_records()) GTEST_SKIP() << run().report["switches"]["absent"];
  for (const std::string name : {"flight", "load"}) {
    const bool loop = name == "flight";
    const auto counted = run().Part(loop ? "loops" : "workers", name)["scheduling"];
    nlohmann::json seen;
    for (const auto& part : run().report["switches"]["parts"]) {
      if (part["part"] == (loop ? "loop flight" : "worker load.0")) seen = part;
    }
    ASSERT_FALSE(seen.is_null()) << name;
    // The readings of /proc are taken beside the window's ends, some late: on a loaded machine by tens of milliseconds.
    const double switches = counted["voluntary"].get<double>() + counted["involuntary"].get<double>();
    EXPECT_NEAR(seen["voluntary"].get<double>() + seen["involuntary"].get<double>(), switches, 0.1 * switches + 20)
        << name;
    // schedstat books the switch itself to the task, some microseconds each, where these see none of it.
    const double run = counted["run"].get<double>(), slack = 0.1 * run + 5e6;
    EXPECT_LT(seen["run"].get<double>(), run + slack) << name;
    EXPECT_GT(seen["run"].get<double>(), run - slack - 50e3 * switches) << name;
  }
}

TEST_F(NobodysRun, CountersSayWhatTheyHoldOrWhyThereAreNone) {
  const auto counters = run().Part("workers", "load", 0)["counters"];
  ASSERT_TRUE(counters.is_object());
  for (const auto& [name, counter] : counters.items()) {
    EXPECT_EQ(counter["value"].is_null(), !counter["absent"].is_null()) << name << counter;
  }
  // Where nobody is not trusted with the kernel's part, this one would read 0.
  if (!counters["task_clock"]["value"].is_null() && counters["task_clock"]["user_only"].get<bool>()) {
    EXPECT_NE(counters["context_switches"]["absent"].get<std::string>().find("perf_event_paranoid=1"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace corerig
