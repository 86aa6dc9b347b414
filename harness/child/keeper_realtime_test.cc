// What needs the privilege to run under SCHED_FIFO, and so no sandbox.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "harness/child/keeper.h"
#include "harness/os/clock.h"
#include "harness/os/scheduling.h"

namespace corerig {
namespace {

using namespace std::chrono_literals;

const std::string kProgram = "harness/child/child_verbs";
const Policy kFifo{Policy::Class::kFifo, 10};

class RealTimeKeeper : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto granted = TryPolicy(kFifo); !granted) GTEST_SKIP() << granted.error().message;
    auto keeper = Keeper::Start(kProgram, AllowedCores().front());
    ASSERT_TRUE(keeper) << keeper.error().message;
    keeper_.emplace(std::move(*keeper));
  }
  std::optional<Keeper> keeper_;
};

TEST_F(RealTimeKeeper, AChildHasItsPolicyFromTheStart) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd ear(ends[0]);
  Fd mouth(ends[1]);
  const auto child = keeper_->Spawn(
      {.argv = {kProgram, "report"}, .fds = {{mouth.get(), 3}}, .cores = {AllowedCores().back()}, .policy = kFifo});
  ASSERT_TRUE(child) << child.error().message;
  ASSERT_TRUE(keeper_->Reap(*child));
  char text[4096];
  const ssize_t size = read(ear.get(), text, sizeof text);
  ASSERT_GT(size, 0);
  const std::string told(text, static_cast<std::size_t>(size));
  EXPECT_NE(told.find("policy fifo:10\n"), std::string::npos) << told;
}

TEST_F(RealTimeKeeper, ARunawayIsKilledByItsLimitAfterThreeSeconds) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd ear(ends[0]);
  const Fd mouth(ends[1]);
  const auto child = keeper_->Spawn(
      {.argv = {kProgram, "spin"}, .fds = {{mouth.get(), 3}}, .cores = {AllowedCores().back()}, .policy = kFifo});
  ASSERT_TRUE(child) << child.error().message;
  const auto end = keeper_->Reap(*child);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->detail, "SIGXCPU");
}

TEST_F(RealTimeKeeper, ARunawayOnTheKeepersCoreDoesNotKeepItFromEnding) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd ear(ends[0]);
  Fd mouth(ends[1]);
  const auto child = keeper_->Spawn(
      {.argv = {kProgram, "spin"}, .fds = {{mouth.get(), 3}}, .cores = {AllowedCores().front()}, .policy = kFifo});
  ASSERT_TRUE(child) << child.error().message;
  mouth.Close();
  keeper_.reset();
  char text[64];
  while (read(ear.get(), text, sizeof text) > 0) {
  }
  EXPECT_EQ(kill(child->pid, 0), -1);
}

TEST_F(RealTimeKeeper, ARefusedPolicyNamesTheStep) {
  const auto child = keeper_->Spawn({.argv = {kProgram, "success"},
                                     .fds = {},
                                     .cores = {AllowedCores().front()},
                                     .policy = {Policy::Class::kFifo, 100}});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "policy fifo:100: SCHED_FIFO 100 refused: Invalid argument (EINVAL)");
}

}  // namespace
}  // namespace corerig
