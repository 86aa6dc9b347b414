// What a user does wrong is told in one line, with exit status 1, and nothing is started; what the board refuses is a
// warning, or skips the run.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "harness/os/scheduling.h"
#include "tests/support/rig_run.h"

namespace corerig {
namespace {

std::string Core() { return std::to_string(TestCores().front()); }

const std::string kHead = "name = \"bad\"\nduration = \"1s\"\n";

// A scenario that is right, with one stream and one worker.
std::string Right() {
  return kHead + "warmup = \"100ms\"\ndrain = \"100ms\"\n[source]\ncores = [" + Core() + "]\n[loop.flight]\ncores = [" +
         Core() +
         "]\n[stream.imu]\nsensor = \"icm42688p\"\nloop = \"flight\"\n[worker.load]\nworkload = \"test/behave\"\ncores "
         "= [" +
         Core() + "]\n";
}

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

// One line on stderr that starts with file:line:column and holds `says`; exit status 1; no report.
void ExpectRejected(const std::string& scenario, const std::string& position, const std::string& says) {
  RigRun rig(scenario);
  const std::string where = rig.scenario_file() + ":" + position;
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 1) << run.err;
  EXPECT_EQ(run.err.compare(0, where.size(), where), 0) << "expected " << where << " in front of: " << run.err;
  EXPECT_NE(run.err.find(says), std::string::npos) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(run.report.is_null());
}

TEST(BadInput, UnknownKey) {
  ExpectRejected(Replaced(Right(), "[loop.flight]\n", "[loop.flight]\nspeed = 3\n"), "8:1", "speed");
}
TEST(BadInput, WordsOfLaterVersions) { ExpectRejected(Right() + "as = \"container\"\n", "", "container"); }
TEST(BadInput, WrongUnit) { ExpectRejected(Replaced(Right(), "1s", "1kHz"), "2:12", "1kHz"); }
TEST(BadInput, ABreakThatIsNoDuration) {
  RigRun rig(Right(), {"--break", "soon"});
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_NE(run.err.find("--set break=soon: "), std::string::npos) << run.err;
  EXPECT_TRUE(run.report.is_null());
}
TEST(BadInput, ABudgetFinerThanTheBoardsClock) {
  RigRun rig(Right() + "[budget]\nlimits = [\"stream.imu.latency.p99 < 1ns\"]\n");
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_NE(run.err.find(rig.scenario_file() + ": budget \"stream.imu.latency.p99 < 1ns\": this board's "),
            std::string::npos)
      << run.err;
  EXPECT_NE(run.err.find("; write at least "), std::string::npos) << run.err;
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(run.report.is_null()) << "nothing was started";
  RigRun check = RigRun::Call({"check", rig.scenario_file()});
  const FinishedRun checked = check.Wait();
  EXPECT_EQ(checked.exit_status, 1);
  // Each has measured the clock anew.
  const auto until_figures = [](const std::string& text) { return text.substr(0, text.find("this board's")); };
  EXPECT_EQ(until_figures(checked.err), until_figures(run.err));
  EXPECT_EQ(checked.out, "");
}
TEST(BadInput, WrongType) { ExpectRejected(Replaced(Right(), "\"1s\"", "1"), "2:12", "duration"); }
TEST(BadInput, MissingLoop) {
  ExpectRejected(Replaced(Right(), "loop = \"flight\"", "loop = \"fligth\""), "", "flight");
}
TEST(BadInput, DuplicateName) {
  ExpectRejected(Right() + "[stream.imu]\nsensor = \"vlp16\"\nloop = \"flight\"\n", "", "imu");
}
TEST(BadInput, ACoreThatDoesNotExist) {
  ExpectRejected(Replaced(Right(), "[loop.flight]\ncores = [" + Core() + "]", "[loop.flight]\ncores = [999]"),
                 "8:", "core 999 is not on this board");
}
TEST(BadInput, ABudgetOnAnUnknownMetric) {
  ExpectRejected(Right() + "[budget]\nlimits = [\"stream.imu.latncy.p99 < 1ms\"]\n", "", "latncy");
}
TEST(BadInput, WhatTheWorkloadRefuses) {
  ExpectRejected(Right() + "how = \"refuse\"\n", "12:1", "worker load: test/behave refuses");
}
TEST(BadInput, ABinaryFile) {
  ExpectRejected(std::string("\x7f"
                             "ELF\0\1\2\3",
                             8),
                 "", "");
}

TEST(BadInput, AnUnreadableFile) {
  const FinishedRun run = RigRun::Call({"run", "/nowhere/none.toml"}).Wait();
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_EQ(run.err.rfind("/nowhere/none.toml:1:1: ", 0), 0u) << run.err;
  EXPECT_NE(run.err.find("No such file"), std::string::npos) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
}

TEST(BadInput, AFolderThatCannotBeWritten) {
  // Root may write anywhere, but not below a file.
  const std::string file = std::string(getenv("TEST_TMPDIR")) + "/a-file";
  std::ofstream(file) << "not a folder";
  RigRun rig(Right(), {"--out", file + "/below"});
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_NE(run.err.find(file), std::string::npos) << run.err;
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
}

TEST(BadInput, AnOverrideThatIsWrong) {
  const FinishedRun run = RigRun(Right(), {"--set", "stream.imu.rate=1k"}).Wait();
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_EQ(run.err.rfind("--set stream.imu.rate=1k: ", 0), 0u) << run.err;
}

TEST(CommandLine, WrongUseIsOneLineAndStatus1) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{}, {"walk"}, {"run"}, {"run", "x.toml", "--speed", "3"}}) {
    const FinishedRun run = RigRun::Call(words).Wait();
    EXPECT_EQ(run.exit_status, 1) << run.err;
    EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  }
}

TEST(CommandLine, VersionIsTold) {
  const FinishedRun run = RigRun::Call({"--version"}).Wait();
  EXPECT_EQ(run.exit_status, 0);
  EXPECT_EQ(run.out.rfind("corerig ", 0), 0u) << run.out;
}

TEST(CommandLine, CheckPrintsThePlanAndRunsNothing) {
  RigRun file(Right(), {"--duration", "10ms"});  // for its scenario file
  file.Wait();
  RigRun rig = RigRun::Call({"check", file.scenario_file(), "--seed", "99", "--set", "stream.imu.rate=2kHz"});
  const FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 0) << run.err;
  const auto plan = nlohmann::json::parse(run.out, nullptr, false);
  ASSERT_TRUE(plan.is_object()) << run.out;
  EXPECT_EQ(plan["seed"], 99);
  EXPECT_NE(run.out.find("2kHz"), std::string::npos) << run.out;
}

TEST(CommandLine, ListNamesWhatAScenarioMayName) {
  const FinishedRun run = RigRun::Call({"list"}).Wait();
  EXPECT_EQ(run.exit_status, 0);
  for (const std::string word : {"icm42688p", "zed-f9p", "vlp16", "tick", "montecarlo/option", "test/behave", "strike",
                                 "seqpacket", "stream.NAME.latency", "core.N.foreign", "p999"}) {
    EXPECT_NE(run.out.find(word), std::string::npos) << word;
  }
}

TEST(CommandLine, BoardTellsOfThisBoardAsTextAndAsJson) {
  const FinishedRun text = RigRun::Call({"board"}).Wait();
  EXPECT_EQ(text.exit_status, 0) << text.err;
  EXPECT_NE(text.out.find("what can be measured here"), std::string::npos) << text.out;
  const FinishedRun run = RigRun::Call({"board", "--json"}).Wait();
  EXPECT_EQ(run.exit_status, 0) << run.err;
  const auto board = nlohmann::json::parse(run.out, nullptr, false);
  ASSERT_TRUE(board.is_object()) << run.out;
  EXPECT_EQ(board["schema"], "corerig-board/1");
  EXPECT_EQ(board["cpus"].size(), static_cast<std::size_t>(get_nprocs()));
  EXPECT_EQ(board["allowed"], TestCores());
}

TEST(CommandLine, DurationAndSeedOverrideTheFile) {
  const FinishedRun run = RigRun(Right(), {"--duration", "200ms", "--seed", "5"}).Wait();
  ASSERT_TRUE(run.report.is_object()) << run.err;
  EXPECT_EQ(run.report["duration"], 200'000'000);
  EXPECT_EQ(run.report["conditions"]["seed"], 5);
  EXPECT_EQ(run.Metric("stream.imu.sent"), 200);
}

// Whether SCHED_FIFO is granted depends on where the test runs; both must be told right.
TEST(Privilege, ARefusedPolicyIsAWarningWithItsRemedyOrSkipsTheRun) {
  const bool granted = TryPolicy({Policy::Class::kFifo, 10}).has_value();
  const std::string fifo = Replaced(Right(), "[loop.flight]\n", "[loop.flight]\npolicy = \"fifo:10\"\n");
  const FinishedRun run = RigRun(fifo, {"--duration", "200ms"}).Wait();
  EXPECT_EQ(run.Part("loops", "flight")["policy"], granted ? "fifo:10" : "other");
  bool warned = false;
  for (const auto& warning : run.report["warnings"]) {
    if (warning["id"] != "policy-refused") continue;
    warned = true;
    EXPECT_NE(warning["text"].get<std::string>().find("loop flight"), std::string::npos) << warning;
    EXPECT_NE(warning["remedy"], "");
  }
  EXPECT_EQ(warned, !granted);

  RigRun required(Replaced(fifo, kHead, kHead + "require = [\"fifo\"]\n"), {"--duration", "200ms"});
  const FinishedRun skipped = required.Wait();
  EXPECT_EQ(skipped.verdict() == "SKIPPED", !granted) << skipped.out << skipped.err;
  if (granted) return;
  EXPECT_EQ(skipped.exit_status, 4);
  EXPECT_NE(skipped.report["verdict"]["reasons"][0].get<std::string>().find("fifo"), std::string::npos);
  EXPECT_EQ(CheckReport(skipped), std::vector<std::string>{});
}

}  // namespace
}  // namespace corerig
