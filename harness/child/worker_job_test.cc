#include "harness/child/worker_job.h"

#include <gtest/gtest.h>

#include "harness/base/text.h"

namespace corerig {
namespace {

ThreadGroupJob Group() {
  ThreadGroupJob group;
  group.first.workload = "montecarlo/option";
  group.first.job = {.group = "price",
                     .index = 0,
                     .workers = 2,
                     .seed = UINT64_MAX,
                     .units = 17,
                     .parameters = {{"kind", "call"}, {"strike", "105"}},
                     .shard = 2,
                     .shards = 3};
  group.cores = {{CpuId{0}}, {CpuId{0}, CpuId{5}}};
  group.policy = {Policy::Class::kBatch, 0, 3};
  return group;
}

TEST(WorkerJobJson, OfAGroupOfThreadsIsReadBackAsWritten) {
  const auto read = ReadThreadGroupJob(WriteThreadGroupJob(Group()));
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->first.workload, "montecarlo/option");
  EXPECT_EQ(read->first.job.group, "price");
  EXPECT_EQ(read->first.job.seed, UINT64_MAX);
  EXPECT_EQ(read->first.job.units, 17u);
  EXPECT_EQ(read->first.job.parameters, Group().first.job.parameters);
  EXPECT_EQ(read->first.job.shard, 2);
  EXPECT_EQ(read->first.job.shards, 3);
  EXPECT_EQ(read->cores, Group().cores);
  EXPECT_EQ(read->policy, Group().policy);
}

TEST(WorkerJobJson, WhatIsNoneIsRefused) {
  ThreadGroupJob group = Group();
  group.cores.pop_back();
  EXPECT_EQ(ReadThreadGroupJob(WriteThreadGroupJob(group)).error().message,
            "worker job: a policy, and cores for each of 2 workers, were expected");
  EXPECT_TRUE(ReadThreadGroupJob("{}").error().message.starts_with("worker job: "));
  WorkerJob job = Group().first.job;
  job.shard = 3;
  EXPECT_EQ(ReadWorkerJob(WriteWorkerJob(job, "x")).error().message,
            "worker job: shard 3 of 3; 0 to shards - 1 was expected");
}

}  // namespace
}  // namespace corerig
