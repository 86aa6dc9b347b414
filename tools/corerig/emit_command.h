// `corerig emit`: the streams of a scenario alone, to programs that are not corerig's.
#pragma once

#include <string>
#include <vector>

#include "tools/corerig/read_scenario.h"

namespace corerig {

struct EmitArguments {
  ScenarioArguments scenario;
  std::vector<std::string> streams;  // names; empty: all that have an endpoint
  std::vector<std::string> to;       // "ENDPOINT", or "NAME=ENDPOINT"
};

// What is to be emitted: the plan with these streams alone, each with its endpoint, and a window from the first sample
// on. The error is one line.
Result<Plan> PlanToEmit(Plan plan, const EmitArguments& arguments);

// Emits them in this thread, on the source's core and with its policy, until the duration is over or a signal asks for
// the end; both are exit status 0. 3 if more than 1 % of a stream's frames were over one period late, 4 if the scenario
// requires a policy that is refused. All it says goes to stderr.
int EmitCommand(const Rig& rig, const EmitArguments& arguments);

}  // namespace corerig
