// The skeleton as a user has it: linked into a rig of one's own, and run.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <sstream>

#include "tests/support/rig_run.h"

namespace corerig {
namespace {

std::string Scenario() {
  std::ifstream file(std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") +
                     "/sensors/skeleton/pump.toml");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(SkeletonRig, ListsTheSensor) {
  const FinishedRun run = RigRun::Call({"list"}).Wait();
  EXPECT_EQ(run.exit_status, 0) << run.err;
  EXPECT_NE(run.out.find("pressure-transducer"), std::string::npos) << run.out;
}

TEST(SkeletonRig, ReceivesEverySampleAndFindsEveryFlippedBit) {
  const std::string core = "[" + std::to_string(TestCores().front()) + "]";
  const FinishedRun run = RigRun(Scenario(), {"--set", "source.cores=" + core, "--set", "loop.control.cores=" + core,
                                              "--set", "trace=false"})
                              .Wait();
  // On a busy machine the source, here without priority, may be late, which is said.
  EXPECT_TRUE(run.verdict() == "PASS" || run.report_text.find("sent more than one period late") != std::string::npos)
      << run.out << run.err;
  const auto stream = run.Part("streams", "pressure");
  ASSERT_TRUE(stream.is_object()) << run.out << run.err;
  const auto fault = stream["faults"][0];
  EXPECT_EQ(stream["sent"], 2000);
  EXPECT_GT(fault["injected"], 5);
  EXPECT_EQ(fault["undetected"], 0);
  EXPECT_EQ(stream["corrupt"], fault["injected"]);
  EXPECT_EQ(stream["received"].get<int>() + stream["lost"].get<int>() + stream["unread"].get<int>(), 2000);
  EXPECT_EQ(CheckReport(run), std::vector<std::string>());
}

}  // namespace
}  // namespace corerig
