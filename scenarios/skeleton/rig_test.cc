// The skeleton's workload, linked into a rig of one's own, and run.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

std::string Scenario() {
  std::ifstream file(std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") +
                     "/scenarios/skeleton/motors.toml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SkeletonRig, ListsTheWorkload) {
  const FinishedRun run = RigRun::Call({"list"}).Wait();
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_NE(run.out.find("motor-control"), std::string::npos) << run.out;
}

TEST(SkeletonRig, TheAnswerIsTheSameOnOneCoreAndOnAll) {
  const auto answer = [](const std::vector<std::string>& overrides) {
    std::vector<std::string> arguments = {"--set", "trace=false"};
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    const FinishedRun run = RigRun(Scenario(), arguments).Wait();
    EXPECT_EQ(run.verdict(), "PASS") << run.out << run.err;
    EXPECT_EQ(CheckReport(run), std::vector<std::string>());
    return run.report["results"]["control"];
  };
  const auto all = answer({});
  const auto one = answer({"--set", "worker.control.cores=[" + std::to_string(TestCores().front()) + "]"});
  EXPECT_EQ(all["units"], 400);
  EXPECT_EQ(all["check"]["passed"], true) << all;
  EXPECT_EQ(one["workers"], 1);
  EXPECT_EQ(all["figures"], one["figures"]);
}

}  // namespace
}  // namespace corerig
