// Which part of a run this process is to compute: said on the command line, or by what started it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/plan/plan.h"
#include "harness/plan/vocabulary.h"

namespace corerig {

// "0/4": the first of four. The error says what would be right.
Result<Shard> ParseShard(std::string_view text);

// `argument` of --shard if there is one; else what Bazel (TEST_SHARD_INDEX, TEST_TOTAL_SHARDS) or Slurm (SLURM_PROCID,
// SLURM_NTASKS) says in the environment; else the whole. Bazel is told that shards are known (TEST_SHARD_STATUS_FILE).
Result<Shard> ShardOf(const std::optional<std::string>& argument,
                      const std::function<const char*(const char*)>& environment);

// Fails if the plan cannot be computed in so many parts: a workload whose answer cannot be merged, fewer units than
// parts, or nothing that has parts.
Status CheckShard(const Plan& plan, const Vocabulary& vocabulary, Shard shard);

}  // namespace corerig
