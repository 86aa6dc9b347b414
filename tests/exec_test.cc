// The user's own command as a worker: what it is handed, how it is measured, how its end is told.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

std::string Program() {
  return std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tests/rig/program";
}

std::string First() { return std::to_string(TestCores().front()); }
std::string Last() { return std::to_string(TestCores().back()); }

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What the program said of itself: the rest of the line that begins with `name`.
std::string Said(const std::string& text, const std::string& name) {
  for (const auto& line : Lines(text)) {
    if (line.rfind(name + " ", 0) == 0) return line.substr(name.size() + 1);
  }
  return "";
}

std::string Head(const std::string& duration) {
  return "name = \"exec\"\nduration = \"" + duration + "\"\nwarmup = \"100ms\"\ndrain = \"200ms\"\n";
}

// A group of one. `arguments` as in the scenario, without the program: "\"self\", \"x\"".
std::string Worker(const std::string& name, const std::string& arguments, const std::string& more = "") {
  return "[worker." + name + "]\nworkload = \"exec\"\ncommand = [\"" + Program() + "\", " + arguments + "]\ncores = [" +
         Last() + "]\n" + more;
}

// One run with a command of every healthy kind.
class Commands : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    rig_ = new RigRun(Head("1500ms") + Worker("self", "\"self\"", "env = { OWN = \"a b\", HOME = \"/elsewhere\" }\n") +
                      Worker("twin", "\"self\"") +
                      Worker("lines", "\"lines\", \"10\", \"unit\"", R"(units_pattern = '^unit [0-9]+$'
)") + Worker("daemon", "\"daemon\"", "until = \"exit\"\ntime_limit = \"900ms\"\nmay_fail = true\n") +
                      Worker("quick", "\"exit\", \"0\"", "until = \"exit\"\n") +
                      Worker("flood", "\"flood\", \"1000000\"", "units_pattern = \"xxx\"\n") +
                      Worker("memory", "\"children\", \"2\", \"8\"") +
                      "[worker.shell]\nworkload = \"exec\"\ncommand = [\"sh\", \"-c\", \"trap 'exit 143' TERM; while "
                      ":; do sleep 0.02; done\"]\ncores = [" +
                      First() + "]\nworkdir = \"/\"\n");
    run_ = new FinishedRun(rig_->Wait());
  }
  static void TearDownTestSuite() {
    delete run_;
    delete rig_;
  }
  static std::string Output(const std::string& worker, const std::string& stream = "stdout") {
    return Contents(rig_->folder() + "/worker." + worker + ".0." + stream);
  }
  static const FinishedRun& run() { return *run_; }
  static nlohmann::json End(const std::string& worker) { return run().Part("workers", worker, 0)["end"]; }

  static RigRun* rig_;
  static FinishedRun* run_;
};
RigRun* Commands::rig_ = nullptr;
FinishedRun* Commands::run_ = nullptr;

TEST_F(Commands, EndAsPlannedWithTheWindowOrBefore) {
  ASSERT_TRUE(run().report.is_object()) << run().err;
  EXPECT_EQ(run().exit_status, 0) << run().err << run().out;
  EXPECT_EQ(End("self")["kind"], "signalled");
  EXPECT_EQ(End("self")["number"], SIGTERM);
  EXPECT_EQ(End("lines")["kind"], "exited") << "it catches SIGTERM";
  EXPECT_EQ(End("lines")["number"], 0);
  EXPECT_EQ(End("shell")["number"], 143) << "what shells make of SIGTERM";
  EXPECT_EQ(End("quick")["number"], 0);
  for (const std::string worker : {"self", "lines", "shell", "quick", "flood"}) {
    EXPECT_EQ(End(worker)["as_planned"], true) << worker << End(worker);
  }
  EXPECT_GT(run().Metric("worker.self.0.stop"), 0);
  EXPECT_TRUE(std::isnan(run().Metric("worker.quick.0.stop")));
}

TEST_F(Commands, ReportIsAsItsDescriptionSays) { EXPECT_EQ(CheckReport(run()), std::vector<std::string>{}); }

TEST_F(Commands, FindNothingOfTheRigButItsVariables) {
  const std::string said = Output("self");
  EXPECT_EQ(Said(said, "fds"), "0 1 2");
  EXPECT_EQ(Said(said, "slack"), "50000") << "the kernel's default";
  EXPECT_EQ(Said(said, "pid"), Said(said, "session"));
  EXPECT_EQ(Said(said, "pid"), run().Part("workers", "self", 0)["pid"].dump()) << "the command is the process";
  EXPECT_NE(said.find("\nenv CORERIG_WORKER=self\n"), std::string::npos) << said;
  EXPECT_NE(said.find("\nenv CORERIG_INDEX=0\n"), std::string::npos) << said;
  EXPECT_NE(said.find("\nenv CORERIG_CORE=" + Last() + "\n"), std::string::npos) << said;
  EXPECT_EQ(said.find("UV_USE_IO_URING"), std::string::npos) << said;
  EXPECT_NE(said.find("\nenv CORERIG_TEST_MARK="), std::string::npos) << "the caller's environment";
}

TEST_F(Commands, HaveTheScenariosEnvironmentAndWorkdir) {
  const std::string said = Output("self");
  EXPECT_NE(said.find("\nenv OWN=a b\n"), std::string::npos) << said;
  EXPECT_NE(said.find("\nenv HOME=/elsewhere\n"), std::string::npos) << said;
  EXPECT_EQ(Output("twin").find("env OWN="), std::string::npos);
}

TEST_F(Commands, ArePinned) { EXPECT_EQ(Said(Output("self"), "cores"), Last()); }

TEST_F(Commands, StartAtTheCommonInstant) {
  // Two programs on one core; between the instant and their first line lie two execs and what else the machine does.
  const double begin = run().report["window"]["begin"].get<double>() - 100e6;
  for (const std::string worker : {"self", "twin"}) {
    const double began = std::stod(Said(Output(worker), "began"));
    EXPECT_GE(began, begin) << worker;
    EXPECT_LT(began, begin + 1e9) << worker;
    EXPECT_LT(run().Metric("worker." + worker + ".0.start"), 1e9);
  }
}

TEST_F(Commands, LeaveTheirOutputInTheRunsFolder) {
  EXPECT_EQ(Output("self", "stderr"), "to stderr\n");
  EXPECT_EQ(run().Part("workers", "self", 0)["stdout"], "worker.self.0.stdout");
  EXPECT_EQ(run().Part("workers", "self", 0)["stderr"], "worker.self.0.stderr");
  EXPECT_EQ(run().out.find("to stderr"), std::string::npos);
  EXPECT_EQ(run().err.find("to stderr"), std::string::npos);
}

TEST_F(Commands, EveryMatchingLineIsOneUnit) {
  const auto lines = Lines(Output("lines"));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "last") << "written after SIGTERM, and kept";
  EXPECT_EQ(run().Part("workers", "lines", 0)["units"], lines.size() - 1);
  // One every 10 ms at most.
  const double rate = run().Metric("worker.lines.0.rate");
  EXPECT_GT(rate, 1);
  EXPECT_LT(rate, 101);
  EXPECT_EQ(run().report["metrics"]["worker.lines.0.rate"]["origin"], "stdout");
}

TEST_F(Commands, WithoutAPatternNobodyCounts) {
  EXPECT_TRUE(run().Part("workers", "self", 0)["units"].is_null());
  EXPECT_NE(run().report["metrics"]["worker.self.0.rate"]["absent"].get<std::string>().find("units_pattern"),
            std::string::npos);
}

TEST_F(Commands, AFloodIsKeptWhole) {
  EXPECT_EQ(Output("flood").size(), 1'000'000u);
  EXPECT_EQ(run().Part("workers", "flood", 0)["units"], 12'500);
}

TEST_F(Commands, MemoryIsThatOfAllTheyStarted) {
  const double uss = run().Metric("worker.memory.0.uss.max"), rss = run().Metric("worker.memory.0.rss.max");
  EXPECT_GT(uss, 16.0 * (1 << 20));
  EXPECT_LT(uss, 17.0 * (1 << 20));
  EXPECT_GT(rss, uss);
  EXPECT_EQ(run().Part("workers", "memory", 0)["processes"], 3);
  EXPECT_TRUE(run().Part("workers", "memory", 0)["rss_peak"].is_null());
}

TEST_F(Commands, HaveNoResultAndNeedNone) { EXPECT_FALSE(run().report["results"].contains("self")); }

TEST_F(Commands, ADaemonIsKilledWithItsCommand) {
  EXPECT_EQ(End("daemon")["kind"], "timed_out") << End("daemon");
  EXPECT_EQ(run().Part("workers", "daemon", 0)["processes"], 2) << "the daemon was known as its own";
  EXPECT_EQ(rig_->Living(), std::vector<pid_t>{});
}

// The CPU time of an ended child is in clock ticks of 10 ms, cut down twice.
TEST(CommandsCpuTime, OfEndedAndLivingDescendantsCounts) {
  RigRun rig("name = \"burn\"\nduration = \"60s\"\nwarmup = \"0s\"\ndrain = \"0s\"\n" +
             Worker("burn", "\"burn-and-exit\", \"800\"", "until = \"exit\"\n"));
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 0) << run.err << run.out;
  EXPECT_LT(run.took, std::chrono::seconds(30)) << "the run is over when all have ended";
  const double used = std::stod(Said(Contents(rig.folder() + "/worker.burn.0.stdout"), "used")) * 1e3;
  const double run_time = run.Part("workers", "burn", 0)["scheduling"]["run"].get<double>();
  EXPECT_NEAR(run_time / used, 1, 0.05) << run_time << " ns against " << used << " ns by getrusage";
  EXPECT_NEAR(run.Metric("worker.burn.0.cpu") * run.Part("workers", "burn", 0)["scheduling"]["observed"].get<double>(),
              run_time, 1e3);
}

// Every way to end otherwise than planned, in one run: each is told as exactly that.
TEST(CommandsDying, AreReportedAsExactlyThat) {
  const std::string folder = getenv("TEST_TMPDIR");
  const std::string loader = folder + "/no-loader";
  std::ofstream(loader) << "\x7f"
                           "ELF, but no program of this machine";
  chmod(loader.c_str(), 0755);
  RigRun rig(Head("600ms") + Worker("code", "\"exit\", \"3\"") + Worker("crash", "\"segv\"") +
             Worker("early", "\"exit\", \"0\"") + Worker("deaf", "\"deaf\"") +
             Worker("limit", "\"sleep\"", "until = \"exit\"\ntime_limit = \"300ms\"\n") +
             Worker("failing", "\"exit\", \"1\"", "until = \"exit\"\n") +
             "[worker.broken]\nworkload = \"exec\"\ncommand = [\"" + loader + "\"]\ncores = [" + Last() + "]\n");
  const FinishedRun run = rig.Wait();
  ASSERT_TRUE(run.report.is_object()) << run.err;
  EXPECT_EQ(run.exit_status, 2) << run.err;
  const auto expect = [&](const std::string& worker, const std::string& kind, const nlohmann::json& number,
                          const std::string& detail) {
    const auto end = run.Part("workers", worker, 0)["end"];
    EXPECT_EQ(end["kind"], kind) << worker << end;
    EXPECT_EQ(end["number"], number) << worker << end;
    EXPECT_NE(end["detail"].get<std::string>().find(detail), std::string::npos) << worker << end;
    EXPECT_EQ(end["as_planned"], false) << worker << end;
    EXPECT_NE(run.report["verdict"]["reasons"].dump().find("worker " + worker + ".0"), std::string::npos) << worker;
  };
  expect("code", "exited", 3, "");
  expect("crash", "signalled", SIGSEGV, "SIGSEGV");
  expect("early", "exited", 0, "before the window's end");
  expect("deaf", "timed_out", nullptr, "after SIGTERM");
  expect("limit", "timed_out", nullptr, "still running after 0.");
  expect("failing", "exited", 1, "");
  expect("broken", "failed_to_start", nullptr, "neither a program for this machine nor a script");
  EXPECT_TRUE(std::isnan(run.Metric("worker.broken.0.start")));
  EXPECT_EQ(CheckReport(run), std::vector<std::string>{});
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
}

// Not only when the run ends: another command goes on meanwhile.
TEST(CommandsDaemon, IsKilledWhenItsCommandEnds) {
  RigRun rig(Head("60s") + Worker("leaving", "\"daemon-and-exit\"", "until = \"exit\"\n") +
             Worker("staying", "\"sleep\""));
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  pid_t daemon = 0;
  bool gone = false;
  while (!gone && std::chrono::steady_clock::now() < limit) {
    if (daemon == 0) daemon = atoi(Said(Contents(rig.folder() + "/worker.leaving.0.stdout"), "daemon").c_str());
    gone = daemon != 0 && kill(daemon, 0) != 0;
    usleep(5000);
  }
  EXPECT_NE(daemon, 0);
  EXPECT_TRUE(gone) << "the daemon lives on after its command";
  EXPECT_FALSE(rig.Living().empty()) << "and the run goes on";
  kill(rig.pid(), SIGINT);
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.Part("workers", "leaving", 0)["end"]["as_planned"], true) << run.Part("workers", "leaving", 0);
  EXPECT_EQ(run.Part("workers", "staying", 0)["end"]["as_planned"], true) << run.Part("workers", "staying", 0);
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
}

TEST(CommandsInterrupted, EndWithTheRun) {
  RigRun rig(Head("60s") +
             Worker("lines", "\"lines\", \"10\", \"unit\"", "units_pattern = \"unit\"\nuntil = \"exit\"\n"));
  const std::string output = rig.folder() + "/worker.lines.0.stdout";
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (Contents(output).empty() && std::chrono::steady_clock::now() < until) usleep(5000);
  kill(rig.pid(), SIGINT);
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 3) << run.err << run.out;
  EXPECT_EQ(run.Part("workers", "lines", 0)["end"]["as_planned"], true) << run.Part("workers", "lines", 0);
  EXPECT_EQ(Lines(Contents(output)).back(), "last") << "it had time to end in its own way";
  EXPECT_EQ(rig.Living(), std::vector<pid_t>{});
}

// One line on stderr that starts with the place, and nothing is started.
TEST(CommandsRefused, BeforeAnythingStarts) {
  const auto expect = [](const std::string& command, const std::string& more, const std::string& place,
                         const std::string& says) {
    RigRun rig(Head("1s") + "[worker.w]\nworkload = \"exec\"\ncommand = [\"" + command + "\"]\n" + more);
    const FinishedRun run = rig.Wait();
    const std::string where = rig.scenario_file() + ":" + place + ": ";
    EXPECT_EQ(run.exit_status, 1) << run.err;
    EXPECT_EQ(run.err.rfind(where, 0), 0u) << "expected " << where << " in front of " << run.err;
    EXPECT_NE(run.err.find(says), std::string::npos) << run.err;
    EXPECT_TRUE(run.report.is_null());
  };
  expect("./no-such-program", "", "7:11", "there is no program ./no-such-program");
  expect("no-such-program", "", "7:11", "in PATH");
  expect("/tmp", "", "7:11", "is a directory");
  expect("/proc/version", "", "7:11", "chmod +x");
  expect(Program(), "workdir = \"/no/such/folder\"\n", "8:11", "/no/such/folder");
  expect(Program(), "units_pattern = \"(\"\n", "8:17", "grep -E");
  expect("./program", "workdir = \"/\"\n", "7:11", "seen from /");
}

TEST(CommandsListed, WithTheirKeys) {
  const FinishedRun list = RigRun::Call({"list"}).Wait();
  EXPECT_NE(list.out.find("\n  exec "), std::string::npos) << list.out;
  for (const std::string key : {"command", "env", "workdir", "units_pattern", "until"}) {
    EXPECT_NE(list.out.find("\n    " + key), std::string::npos) << key << list.out;
  }
}

}  // namespace
}  // namespace corerig
