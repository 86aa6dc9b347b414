#include "tools/corerig/merge_shards.h"

#include <algorithm>
#include <utility>

#include "harness/base/text.h"

namespace corerig {
namespace {

int Rank(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFail:
      return 3;
    case Verdict::kUndecided:
      return 2;
    case Verdict::kSkipped:
      return 1;
    case Verdict::kPass:
      return 0;
  }
  return 0;
}

WorkerJob JobOf(const ShardReport::Group& group, std::uint64_t seed) {
  WorkerJob job{.group = group.name, .seed = seed, .units = group.units, .parameters = {}};
  for (const auto& [name, value] : group.parameters) job.parameters.push_back({name, value});
  return job;
}

// Every parameter that the workload will ask for is there: the files may be another rig's.
Status CheckParameters(const WorkloadType& type, const ShardReport::Group& group) {
  for (const ParameterInfo& wanted : type.info.parameters) {
    const bool there = std::any_of(group.parameters.begin(), group.parameters.end(),
                                   [&](const auto& parameter) { return parameter.first == wanted.name; });
    if (!there) return Fail("worker ", group.name, " has no parameter ", wanted.name, ": another rig's report?");
  }
  return {};
}

Result<ResultRecord> MergeGroup(const Rig& rig, const std::vector<const ShardReport*>& shards,
                                const ShardReport::Group& group) {
  const WorkloadType* const type = FindWorkload(rig, group.workload);
  if (type == nullptr) return Fail("this rig has no workload ", group.workload, "; merge with the rig that ran it");
  if (type->conclude == nullptr) return Fail("answers of ", group.workload, " cannot be merged");
  if (auto checked = CheckParameters(*type, group); !checked) return Forward(checked);
  ResultRecord merged{.group = group.name, .workload = group.workload, .figures = {}, .check = {}, .absent = {}};
  Tally total;
  std::size_t sums = 0;
  for (const ShardReport* const shard : shards) {
    const auto at = std::find_if(shard->results.begin(), shard->results.end(),
                                 [&](const ResultRecord& result) { return result.group == group.name; });
    if (at == shard->results.end() || !at->tally) {
      return Fail(shard->file, " has no answer of worker ", group.name, " to merge",
                  at == shard->results.end() || at->absent.empty() ? "" : ": ",
                  at == shard->results.end() ? "" : at->absent);
    }
    if (sums != 0 && at->tally->sums.size() != sums) return Fail(shard->file, ": another number of sums");
    sums = at->tally->sums.size();
    merged.workers += at->workers;
    merged.workers_planned += at->workers_planned;
    total.Add(*at->tally);
  }
  auto answer = type->conclude(JobOf(group, shards.front()->seed), total);
  if (!answer) return ForwardWith(answer, "worker ", group.name, ": ");
  merged.units = answer->units;
  merged.figures = std::move(answer->figures);
  merged.check = std::move(answer->check);
  merged.tally = std::move(total);
  return merged;
}

}  // namespace

Result<RunRecord> MergeShards(const Rig& rig, const std::vector<ShardReport>& reports) {
  if (reports.empty()) return Fail("there is no report to merge");
  std::vector<const ShardReport*> shards;
  for (const auto& report : reports) {
    if (auto same = SameRun(reports.front(), report); !same) return Forward(same);
    shards.push_back(&report);
  }
  std::sort(shards.begin(), shards.end(), [](const auto* a, const auto* b) { return a->index < b->index; });
  for (std::size_t i = 1; i < shards.size(); ++i) {
    if (shards[i]->index == shards[i - 1]->index) {
      return Fail(shards[i - 1]->file, " and ", shards[i]->file, " are both of shard ", shards[i]->index, "/",
                  shards[i]->count);
    }
  }
  const ShardReport& first = *shards.front();
  RunRecord record;
  record.scenario_name = first.scenario_name;
  record.scenario_about = first.scenario_about;
  record.scenario_json = first.scenario_json;
  record.conditions.seed = first.seed;
  record.complete = true;
  record.verdict = Verdict::kPass;
  const auto add = [&](Verdict verdict, std::string reason) {
    if (Rank(verdict) > Rank(record.verdict)) record.verdict = verdict;
    if (!reason.empty()) record.reasons.push_back(std::move(reason));
  };
  for (int index = 0; index < first.count; ++index) {
    const bool there =
        std::any_of(shards.begin(), shards.end(), [&](const auto* each) { return each->index == index; });
    if (!there) add(Verdict::kUndecided, StrCat("shard ", index, "/", first.count, " is missing"));
  }
  for (const ShardReport* const shard : shards) {
    add(shard->verdict, "");
    for (const auto& reason : shard->reasons) {
      record.reasons.push_back(StrCat("shard ", shard->index, "/", shard->count, ": ", reason));
    }
    record.merged.push_back({.file = shard->file,
                             .index = shard->index,
                             .count = shard->count,
                             .board = shard->board.model,
                             .machine = shard->board.machine,
                             .kernel = shard->board.kernel,
                             .verdict = shard->verdict});
  }
  for (const auto& group : first.groups) {
    auto result = MergeGroup(rig, shards, group);
    if (!result) return Forward(result);
    if (result->check && !result->check->passed) {
      add(Verdict::kFail, StrCat("result of ", group.name, ": ", result->check->text));
    }
    record.results.push_back(std::move(*result));
  }
  return record;
}

}  // namespace corerig
