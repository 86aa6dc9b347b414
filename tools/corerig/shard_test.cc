#include "tools/corerig/shard.h"

#include <gtest/gtest.h>

#include <map>

namespace corerig {
namespace {

Result<Shard> In(std::map<std::string, std::string> environment, std::optional<std::string> argument = {}) {
  return ShardOf(argument, [&](const char* name) -> const char* {
    const auto at = environment.find(name);
    return at == environment.end() ? nullptr : at->second.c_str();
  });
}

TEST(Shard, IsWrittenAsIndexAndCount) {
  EXPECT_EQ(ParseShard("0/1").value(), (Shard{0, 1}));
  EXPECT_EQ(ParseShard("3/4").value(), (Shard{3, 4}));
  for (const char* text : {"4/4", "-1/4", "0/0", "1", "a/2", "1/", "/2", "1/2/3", " 1/2", ""}) {
    ASSERT_FALSE(ParseShard(text)) << text;
    EXPECT_EQ(ParseShard(text).error().message,
              StrCat("shard \"", text, "\" is none; write i/n with i from 0 to n - 1: \"0/4\" to \"3/4\""));
  }
}

TEST(Shard, IsTheWholeUnlessSomeoneSaysOtherwise) {
  EXPECT_EQ(In({}).value(), (Shard{0, 1}));
  EXPECT_EQ(In({{"TEST_SHARD_INDEX", "1"}, {"TEST_TOTAL_SHARDS", "3"}}).value(), (Shard{1, 3}));
  EXPECT_EQ(In({{"SLURM_PROCID", "2"}, {"SLURM_NTASKS", "5"}}).value(), (Shard{2, 5}));
  EXPECT_EQ(In({{"SLURM_PROCID", "2"}}).value(), (Shard{0, 1})) << "half of what Slurm says";
  EXPECT_EQ(In({{"TEST_SHARD_INDEX", "1"}, {"TEST_TOTAL_SHARDS", "3"}}, "0/2").value(), (Shard{0, 2}));
  EXPECT_EQ(In({{"SLURM_PROCID", "5"}, {"SLURM_NTASKS", "5"}}).error().message,
            "SLURM_PROCID=5 and SLURM_NTASKS=5 name no shard; an index from 0 to the count - 1 was expected");
}

TEST(Shard, NeedsAnswersThatCanBeMerged) {
  const Vocabulary vocabulary = {
      .sensors = {},
      .workloads = {{.name = "mc", .about = "", .unit = "", .parameters = {}, .shardable = true},
                    {.name = "train", .about = "", .unit = "", .parameters = {}}}};
  const auto refusal = [&](std::vector<WorkerPlan> workers, Shard shard = {1, 4}) {
    Plan plan;
    plan.workers = std::move(workers);
    const auto checked = CheckShard(plan, vocabulary, shard);
    return checked ? "" : checked.error().message;
  };
  WorkerPlan mc{
      .name = "a", .workload = "mc", .cores = {}, .policy = {}, .units = {}, .time_limit = {}, .may_fail = {}};
  WorkerPlan train = mc, command = mc, few = mc;
  train.workload = "train";
  command.workload = "exec";
  command.command.emplace();
  few.units = 3;
  EXPECT_EQ(refusal({mc}), "");
  EXPECT_EQ(refusal({mc, command}), "");
  EXPECT_EQ(refusal({train}, {0, 1}), "");
  EXPECT_EQ(refusal({mc, train}),
            "worker a: train cannot be computed in shards, its answer is that of one run; leave the shard out, or the "
            "worker; where the environment names a shard (TEST_SHARD_INDEX, SLURM_PROCID), write --shard 0/1");
  EXPECT_EQ(refusal({few}),
            "worker a: units = 3 leave nothing to some of 4 shards; write more units, or take fewer shards");
  EXPECT_EQ(refusal({command}), "there is nothing to compute in shards: no worker has a workload of corerig's");
}

}  // namespace
}  // namespace corerig
