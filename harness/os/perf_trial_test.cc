#include "harness/os/perf_trial.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace corerig {
namespace {

// Whether each is granted depends on the board: a refusal must say what would help.
void ExpectToldRight(const Status& tried) {
  if (tried) return;
  const auto& message = tried.error().message;
  EXPECT_NE(message.find("; "), std::string::npos) << message;
}

TEST(PerfTrial, EachIsGrantedOrRefusedWithARemedy) {
  ExpectToldRight(TrySoftwareCounter());
  ExpectToldRight(TryHardwareCounter());
  ExpectToldRight(TrySwitchRecords());
}

TEST(PerfTrial, TheRemedyFollowsFromTheAnswer) {
  EXPECT_EQ(PerfRemedy(EACCES, "3", false), "sysctl kernel.perf_event_paranoid=2");
  EXPECT_EQ(PerfRemedy(EPERM, "4", true), "sysctl kernel.perf_event_paranoid=2");
  EXPECT_NE(PerfRemedy(EPERM, "2", true).find("--cap-add PERFMON"), std::string::npos);
  EXPECT_NE(PerfRemedy(EPERM, "", true).find("--cap-add PERFMON"), std::string::npos);
  EXPECT_NE(PerfRemedy(ENOENT, "2", true).find("pmu=on"), std::string::npos);
  EXPECT_NE(PerfRemedy(ENOSYS, "", false).find("CONFIG_PERF_EVENTS"), std::string::npos);
}

}  // namespace
}  // namespace corerig
