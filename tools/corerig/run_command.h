// `corerig run`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/corerig/read_scenario.h"

namespace corerig {

struct RunArguments {
  ScenarioArguments scenario;
  std::string out;                   // folder; empty: the default
  std::optional<std::string> shard;  // "0/4"; absent: as the environment says
  std::vector<std::string> command;  // argv, for the report
};

// Runs the scenario: progress to stderr, the summary to stdout, report.json into the folder. Returns the exit status.
int RunCommand(const Rig& rig, const RunArguments& arguments);

}  // namespace corerig
