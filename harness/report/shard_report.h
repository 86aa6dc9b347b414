// What merging needs of the report of one shard of a run. The text is a file's: nothing of it is trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/result.h"

namespace corerig {

struct ShardReport {
  std::string file;
  int index = 0, count = 1;

  // What was computed: the same in all shards of a run.
  struct Group {
    std::string name, workload;
    std::optional<std::uint64_t> units;
    std::vector<std::pair<std::string, std::string>> parameters;
    bool operator==(const Group&) const = default;
  };
  std::string scenario_name, scenario_about, scenario_json;
  std::uint64_t seed = 0;
  std::vector<Group> groups;  // but for commands

  BoardRecord board;  // model, machine and kernel alone
  Verdict verdict = Verdict::kUndecided;
  std::vector<std::string> reasons;
  std::vector<ResultRecord> results;  // with their tallies; neither figures nor checks
};

// The error says what in the file is not as corerig writes it.
Result<ShardReport> ReadShardReport(std::string_view text, std::string file);

// Whether two reports are of one run; else in what they differ: "seed 1 and seed 2".
Status SameRun(const ShardReport& a, const ShardReport& b);

}  // namespace corerig
