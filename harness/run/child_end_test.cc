#include "harness/run/child_end.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <utility>

namespace corerig {
namespace {

using Killed = SupervisedChild::Killed;
using Kind = EndRecord::Kind;

const EndRecord kExit0 = {.kind = Kind::kExited, .number = 0, .detail = ""};
const EndRecord kSigkill = {.kind = Kind::kSignalled, .number = SIGKILL, .detail = "SIGKILL"};

// A worker of 64 MiB with ten units to do, and its slab.
class ChildEnd : public testing::Test {
 protected:
  ChildEnd() {
    WorkerPlan group;
    group.units = 10;
    group.cores = {CpuId{0}};
    group.memory = Bytes{64 << 20};
    plan_.workers = {group};
    const std::size_t size = WorkerSlabLayout(kCapacity).size;
    const auto file = CreateSharedMemory("slab", size);
    slab_ = std::move(Mapping::Map(file->get(), size, Mapping::Access::kReadWrite).value());
    child_.launched.slab = std::move(Mapping::Map(file->get(), size, Mapping::Access::kRead).value());
    child_.launched.result_capacity = kCapacity;
  }
  void MakeCommand(bool until_exit) {
    plan_.workers[0].command.emplace().until_exit = until_exit;
    child_.tree.emplace(procfs_, ProcessTree::Origin{});
  }
  void Kill(SupervisedChild::Killed why) {
    child_.killed = why;
    child_.killed_detail = "what was said of it";
  }
  EndRecord End(const EndRecord& seen, bool early = false) { return EndOf(plan_, child_, seen, early); }

  static constexpr std::size_t kCapacity = 8;
  const ProcFs procfs_;
  Plan plan_;
  Mapping slab_;
  SupervisedChild child_;
};

TEST_F(ChildEnd, AWorkerEndsAsPlannedWithAllItsUnitsAndAResult) {
  const WorkerSlabLayout layout(kCapacity);
  slab_.At<Progress>(layout.progress)->Publish(9, Nanos(1));
  EXPECT_FALSE(End(kExit0).as_planned);
  EXPECT_EQ(End(kExit0).detail, "after 9 of 10 units");
  slab_.At<Progress>(layout.progress)->Publish(10, Nanos(2));
  EXPECT_FALSE(End(kExit0).as_planned);
  EXPECT_EQ(End(kExit0).detail, "without a result");
  EXPECT_TRUE(End(kExit0, /*early=*/true).as_planned) << "nobody expects them of a run that was cut short";
  slab_.At<ResultBox>(layout.result)->Publish(0);
  EXPECT_TRUE(End(kExit0).as_planned);
  EXPECT_EQ(End(kExit0).detail, "");
}

TEST_F(ChildEnd, WhatItSaidItselfIsToldOfAFailure) {
  slab_.At<SlabHeader>(0)->error.Publish("no such sensor");
  const EndRecord end = End({.kind = Kind::kExited, .number = 1, .detail = ""});
  EXPECT_FALSE(end.as_planned);
  EXPECT_EQ(end.kind, Kind::kExited);
  EXPECT_EQ(end.detail, "no such sensor");
}

TEST_F(ChildEnd, OurSignalHasOurReason) {
  Kill(Killed::kTimeLimit);
  EXPECT_EQ(End(kSigkill).kind, Kind::kTimedOut);
  EXPECT_EQ(End(kSigkill).detail, "what was said of it");
  EXPECT_EQ(End({.kind = Kind::kSignalled, .number = SIGSEGV, .detail = ""}).kind, Kind::kSignalled)
      << "it came before ours";
  Kill(Killed::kMemory);
  EXPECT_EQ(End(kSigkill).kind, Kind::kKilledForMemory);
  Kill(Killed::kInterrupted);
  EXPECT_EQ(End(kSigkill).kind, Kind::kSignalled);
  EXPECT_EQ(End(kSigkill).detail, "what was said of it");
  EXPECT_FALSE(End(kSigkill).as_planned);
  EXPECT_TRUE(End(kSigkill, /*early=*/true).as_planned);
}

TEST_F(ChildEnd, TheKernelsKillForMemoryIsKnownByTheGroupsAccount) {
  child_.memory_group = MemoryGroupReading{.peak = 32 << 20, .oom_kills = 0, .limit_met = false};
  EXPECT_EQ(End(kSigkill).kind, Kind::kSignalled) << "somebody's signal";
  child_.memory_group->oom_kills = 1;
  EXPECT_EQ(End(kSigkill).kind, Kind::kKilledForMemory);
  EXPECT_EQ(End(kSigkill).detail,
            "64.0 MiB limit, peak 32.0 MiB (cgroup), which it did not meet: the board ran out of memory");
  child_.memory_group->limit_met = true;
  EXPECT_EQ(End(kSigkill).detail, "64.0 MiB limit, peak 32.0 MiB (cgroup)");
  EXPECT_EQ(End({.kind = Kind::kExited, .number = 1, .detail = "said"}).detail,
            "said; with 1 of its processes killed for memory: 64.0 MiB limit, peak 32.0 MiB (cgroup)");
}

TEST_F(ChildEnd, ACommandIsToEndWithTheWindowAndNotBefore) {
  MakeCommand(/*until_exit=*/false);
  EXPECT_FALSE(End(kExit0).as_planned);
  EXPECT_EQ(End(kExit0).detail, "before the window's end; write until = \"exit\" for a program that ends by itself");
  EXPECT_TRUE(End(kExit0, /*early=*/true).as_planned);
  child_.told_to_end = Nanos(1);
  EXPECT_TRUE(End(kExit0).as_planned);
  EXPECT_TRUE(End({.kind = Kind::kSignalled, .number = SIGTERM, .detail = ""}).as_planned);
  EXPECT_TRUE(End({.kind = Kind::kExited, .number = 128 + SIGTERM, .detail = ""}).as_planned) << "as shells do";
  EXPECT_FALSE(End({.kind = Kind::kExited, .number = 1, .detail = ""}).as_planned);
}

TEST_F(ChildEnd, ACommandThatEndsByItselfMayDoSoAtAnyTime) {
  MakeCommand(/*until_exit=*/true);
  EXPECT_TRUE(End(kExit0).as_planned);
  EXPECT_FALSE(End({.kind = Kind::kExited, .number = 1, .detail = ""}).as_planned);
}

TEST_F(ChildEnd, ACommandWhosePlaceOurCodeStillHasDidNotStart) {
  MakeCommand(/*until_exit=*/true);
  slab_.At<SlabHeader>(0)->error.Publish("exec ./x: No such file or directory");
  const EndRecord end = End({.kind = Kind::kExited, .number = 127, .detail = ""});
  EXPECT_EQ(end.kind, Kind::kFailedToStart);
  EXPECT_EQ(end.detail, "exec ./x: No such file or directory");
}

}  // namespace
}  // namespace corerig
