// A run computed in parts, merged: the bits of the whole.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

std::string Scenario(const std::string& more = "") {
  return "name = \"parts\"\nduration = \"5s\"\nwarmup = \"0s\"\ndrain = \"0s\"\ntrace = false\nseed = "
         "11\n[worker.price]\n"
         "workload = \"montecarlo/option\"\ncores = [" +
         std::to_string(TestCores().back()) + "]\nunits = 23\ntime_limit = \"60s\"\n" + more;
}

struct Part {
  RigRun rig;
  FinishedRun run;
};
Part RunPart(const std::string& shard, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"--shard", shard};
  arguments.insert(arguments.end(), more.begin(), more.end());
  RigRun rig(Scenario(), arguments);
  FinishedRun run = rig.Wait();
  EXPECT_EQ(run.exit_status, 0) << run.out << run.err;
  return {std::move(rig), std::move(run)};
}

FinishedRun Merge(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "merge");
  return RigRun::Call(arguments).Wait();
}

TEST(Shards, MergeToTheBitsOfTheWhole) {
  const FinishedRun whole = RigRun(Scenario()).Wait();
  ASSERT_EQ(whole.exit_status, 0) << whole.out << whole.err;
  // On boards with different numbers of workers.
  std::vector<Part> parts;
  for (int i = 0; i < 3; ++i) {
    parts.push_back(RunPart(std::to_string(i) + "/3", {"--set", "worker.price.workers=" + std::to_string(i + 1)}));
    EXPECT_EQ(parts.back().run.report["shard"]["index"], i);
    EXPECT_EQ(CheckReport(parts.back().run), std::vector<std::string>());
  }
  const std::string out = parts[0].rig.folder() + "/merged";
  const FinishedRun merged =
      Merge({parts[2].rig.folder(), parts[0].rig.folder() + "/report.json", parts[1].rig.folder(), "--out", out});
  EXPECT_EQ(merged.exit_status, 0) << merged.out << merged.err;
  FinishedRun read = RigRun::Call({"merge", out}).Wait();  // what was merged can be read again
  EXPECT_EQ(read.exit_status, 0) << read.err;
  // The same lines of the answer, but for how many workers there were.
  const auto answer = [](const std::string& out_text) {
    const auto begin = out_text.find("  price = ");
    return out_text.substr(begin, out_text.find("\n\n", begin) - begin);
  };
  EXPECT_EQ(answer(merged.out), answer(whole.out));
  EXPECT_NE(merged.out.find("6 of 6 workers, 23 units"), std::string::npos) << merged.out;
}

TEST(Shards, OneThatIsMissingLeavesTheRunUndecided) {
  const Part first = RunPart("0/2");
  const FinishedRun merged = Merge({first.rig.folder()});
  EXPECT_EQ(merged.exit_status, 3);
  EXPECT_NE(merged.out.find("shard 1/2 is missing"), std::string::npos) << merged.out;
}

TEST(Shards, NoneIsReplacedByWhatTheyMergeTo) {
  const Part part = RunPart("0/2");
  const FinishedRun merged = Merge({part.rig.folder() + "/report.json", "--out", part.rig.folder() + "/."});
  EXPECT_EQ(merged.exit_status, 1);
  EXPECT_NE(merged.err.find("which is to be merged; name another folder"), std::string::npos) << merged.err;
  EXPECT_EQ(Merge({part.rig.folder()}).exit_status, 3) << "it is still a shard's";
}

TEST(Shards, ReportsOfDifferentRunsAreRefused) {
  const Part first = RunPart("0/2"), strike = RunPart("1/2", {"--set", "worker.price.strike=90"}),
             seed = RunPart("1/2", {"--seed", "12"});
  const auto refusal = [&](const Part& other) {
    const FinishedRun merged = Merge({first.rig.folder(), other.rig.folder()});
    EXPECT_EQ(merged.exit_status, 1);
    EXPECT_EQ(merged.out, "");
    return merged.err;
  };
  EXPECT_NE(refusal(strike).find("are of different runs: worker price has strike = 105 and 90\n"), std::string::npos)
      << refusal(strike);
  EXPECT_NE(refusal(seed).find("are of different runs: seed 11 and seed 12\n"), std::string::npos);
  EXPECT_NE(refusal(first).find("are both of shard 0/2\n"), std::string::npos);
  EXPECT_NE(Merge({first.rig.scenario_file()}).err.find("this is no whole report of corerig"), std::string::npos);
  EXPECT_NE(Merge({"/no/such"}).err.find("/no/such"), std::string::npos);
}

TEST(Shards, OutOfRangeIsOneLineAndNothingStarts) {
  const FinishedRun run = RigRun(Scenario(), {"--shard", "2/2"}).Wait();
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_EQ(run.err, "corerig: shard \"2/2\" is none; write i/n with i from 0 to n - 1: \"0/4\" to \"3/4\"\n");
  EXPECT_TRUE(run.report.is_null());
  const FinishedRun behave =
      RigRun(Scenario("[worker.b]\nworkload = \"test/behave\"\ncores = [0]\n"), {"--shard", "0/2"}).Wait();
  EXPECT_EQ(behave.exit_status, 1);
  EXPECT_NE(behave.err.find("worker b: test/behave cannot be computed in shards"), std::string::npos) << behave.err;
}

}  // namespace
}  // namespace corerig
