#include "tools/corerig/merge_shards.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

WorkerJob JobOf(const ShardReport::Group& group, std::uint64_t seed) {
  WorkerJob job{.group = group.name, .seed = seed, .units = group.units, .parameters = {}};
  for (const auto& [name, value] : group.parameters) job.parameters.push_back({name, value});
  return job;
}

// Whether a text is a value of the parameter's kind, as NumberOf and its like read it.
Status CheckParameter(const ParameterInfo& info, std::string_view value) {
  using Kind = ParameterInfo::Kind;
  const auto wrong = [&](std::string_view what) { return Fail(info.name, " = \"", value, "\" is no ", what); };
  if (info.kind == Kind::kWord || info.kind == Kind::kPath) return {};
  if (info.kind == Kind::kDuration) return ParseDuration(value) ? Status() : wrong("duration");
  if (info.kind == Kind::kSize) return ParseSize(value) ? Status() : wrong("size");
  const auto number = ParseNumber<double>(value);
  if (!number || !std::isfinite(*number)) return wrong("number");
  if (info.kind == Kind::kPositiveNumber && *number <= 0) return wrong("number above 0");
  if (info.kind == Kind::kNotNegative && *number < 0) return wrong("number from 0 up");
  if (info.kind == Kind::kWholeNumber && std::trunc(*number) != *number) return wrong("whole number");
  return {};
}

// Whether the workload would have taken these parameters: the files may be another rig's, or nobody's.
Status CheckParameters(const WorkloadType& type, const ShardReport::Group& group, const WorkerJob& job) {
  for (const ParameterInfo& wanted : type.info.parameters) {
    const auto at = std::find_if(group.parameters.begin(), group.parameters.end(),
                                 [&](const auto& parameter) { return parameter.first == wanted.name; });
    if (at == group.parameters.end()) {
      return Fail("worker ", group.name, " has no parameter ", wanted.name, ": another rig's report?");
    }
    if (auto checked = CheckParameter(wanted, at->second); !checked) {
      return ForwardWith(checked, "worker ", group.name, ": ");
    }
  }
  const auto made = type.make(job, {});
  if (!made) return ForwardWith(made, "worker ", group.name, ": ");
  return {};
}

// How many of the group's units are this shard's.
std::optional<std::uint64_t> UnitsOf(const ShardReport& shard, const ShardReport::Group& group) {
  if (!group.units) return std::nullopt;
  const WorkerJob all{.group = group.name,
                      .workers = 1,
                      .units = group.units,
                      .parameters = {},
                      .shard = shard.index,
                      .shards = shard.count};
  return all.UnitsOfWorker();
}

Result<ResultRecord> MergeGroup(const Rig& rig, const std::vector<const ShardReport*>& shards,
                                const ShardReport::Group& group) {
  const WorkloadType* const type = FindWorkload(rig, group.workload);
  if (type == nullptr) return Fail("this rig has no workload ", group.workload, "; merge with the rig that ran it");
  if (type->conclude == nullptr) return Fail("answers of ", group.workload, " cannot be merged");
  const WorkerJob job = JobOf(group, shards.front()->seed);
  if (auto checked = CheckParameters(*type, group, job); !checked) return Forward(checked);
  ResultRecord merged{.group = group.name, .workload = group.workload, .figures = {}, .check = {}, .absent = {}};
  Tally total;
  for (const ShardReport* const shard : shards) {
    const auto at = std::find_if(shard->results.begin(), shard->results.end(),
                                 [&](const ResultRecord& result) { return result.group == group.name; });
    if (at == shard->results.end()) return Fail(shard->file, " says nothing of worker ", group.name);
    merged.workers_planned += at->workers_planned;
    if (!at->tally) continue;  // it failed, and its verdict says so
    merged.workers += at->workers;
    const auto share = UnitsOf(*shard, group);
    if (share && at->tally->units > *share) {
      return Fail(shard->file, ": ", at->tally->units, " units of worker ", group.name, "; ", *share, " were its own");
    }
    if (!total.sums.empty() && at->tally->units > 0 && at->tally->sums.size() != total.sums.size()) {
      return Fail(shard->file, ": another number of sums");
    }
    total.Add(*at->tally);
  }
  if (total.units == 0) {
    merged.absent = "no shard has an answer";
    return merged;
  }
  auto answer = type->conclude(job, total);
  if (!answer) return ForwardWith(answer, "worker ", group.name, ": ");
  merged.units = answer->units;
  merged.figures = std::move(answer->figures);
  merged.check = std::move(answer->check);
  merged.tally = std::move(total);
  return merged;
}

// "shards 1, 2 and 5 of 8 are missing", the first few by number.
std::string MissingText(const std::vector<const ShardReport*>& shards, int count) {
  constexpr std::size_t kMostNamed = 5;
  std::vector<std::string> named;
  std::size_t next = 0;
  for (int index = 0; index < count && named.size() < kMostNamed; ++index) {
    if (next < shards.size() && shards[next]->index == index) {
      ++next;
    } else {
      named.push_back(StrCat(index, "/", count));
    }
  }
  const std::size_t missing = static_cast<std::size_t>(count) - shards.size();
  const std::string more = missing > named.size() ? StrCat(" and ", missing - named.size(), " more") : "";
  return StrCat("shard ", Join(named, ", "), more, missing == 1 ? " is missing" : " are missing");
}

}  // namespace

Result<RunRecord> MergeShards(const Rig& rig, const std::vector<ShardReport>& reports) {
  if (reports.empty()) return Fail("there is no report to merge");
  if (reports.front().groups.empty())
    return Fail(reports.front().file, " has no workers whose answers could be merged");
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
    if (Severity(verdict) > Severity(record.verdict)) record.verdict = verdict;
    if (!reason.empty()) record.reasons.push_back(std::move(reason));
  };
  if (shards.size() < static_cast<std::size_t>(first.count)) {
    add(Verdict::kUndecided, MissingText(shards, first.count));
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
    if (!result->absent.empty()) add(Verdict::kFail, StrCat("result of ", group.name, " is absent: ", result->absent));
    if (result->check && !result->check->passed) {
      add(Verdict::kFail, StrCat("result of ", group.name, ": ", result->check->text));
    }
    record.results.push_back(std::move(*result));
  }
  return record;
}

}  // namespace corerig
