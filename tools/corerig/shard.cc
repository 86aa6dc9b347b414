#include "tools/corerig/shard.h"

#include <fcntl.h>

#include "harness/base/text.h"
#include "harness/os/fd.h"

namespace corerig {
namespace {

std::optional<Shard> From(std::string_view index, std::string_view count) {
  const auto i = ParseNumber<int>(index), n = ParseNumber<int>(count);
  if (!i || !n || *n < 1 || *i < 0 || *i >= *n) return std::nullopt;
  return Shard{*i, *n};
}

// What each batch system calls them.
struct Names {
  const char *index, *count;
};
constexpr Names kSystems[] = {{"TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS"}, {"SLURM_PROCID", "SLURM_NTASKS"}};

const WorkloadInfo* Find(const Vocabulary& vocabulary, std::string_view name) {
  for (const auto& workload : vocabulary.workloads) {
    if (workload.name == name) return &workload;
  }
  return nullptr;
}

}  // namespace

Result<Shard> ParseShard(std::string_view text) {
  const auto slash = text.find('/');
  const auto shard =
      slash == std::string_view::npos ? std::nullopt : From(text.substr(0, slash), text.substr(slash + 1));
  if (!shard) return Fail("shard \"", text, "\" is none; write i/n with i from 0 to n - 1: \"0/4\" to \"3/4\"");
  return *shard;
}

Result<Shard> ShardOf(const std::optional<std::string>& argument,
                      const std::function<const char*(const char*)>& environment) {
  if (argument) return ParseShard(*argument);
  for (const Names& names : kSystems) {
    const char *const index = environment(names.index), *const count = environment(names.count);
    if (index == nullptr || count == nullptr) continue;
    const auto shard = From(index, count);
    if (!shard) {
      return Fail(names.index, "=", index, " and ", names.count, "=", count,
                  " name no shard; an index from 0 to the count - 1 was expected");
    }
    // Bazel's promise: a test that touches this file computes its share only (Bazel's Test Encyclopedia).
    if (const char* const status = environment("TEST_SHARD_STATUS_FILE")) {
      const Fd touched(open(status, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    }
    return *shard;
  }
  return Shard();
}

Status CheckShard(const Plan& plan, const Vocabulary& vocabulary, Shard shard) {
  if (shard.count == 1) return {};
  bool any = false;
  for (const auto& group : plan.workers) {
    if (group.command) continue;  // runs in every part
    const WorkloadInfo* const workload = Find(vocabulary, group.workload);
    if (workload == nullptr || !workload->shardable) {
      return Fail("worker ", group.name, ": ", group.workload,
                  " cannot be computed in shards, its answer is that of one run; leave the shard out, or the worker; "
                  "where the environment names a shard (TEST_SHARD_INDEX, SLURM_PROCID), write --shard 0/1");
    }
    if (group.units && *group.units < static_cast<std::uint64_t>(shard.count)) {
      return Fail("worker ", group.name, ": units = ", *group.units, " leave nothing to some of ", shard.count,
                  " shards; write more units, or take fewer shards");
    }
    any = true;
  }
  if (!any) return Fail("there is nothing to compute in shards: no worker has a workload of corerig's");
  return {};
}

}  // namespace corerig
