// A scenario named on the command line, read for this rig and this board.
#pragma once

#include <string>
#include <vector>

#include "harness/base/result.h"
#include "harness/plan/plan.h"
#include "harness/plan/scenario.h"
#include "harness/run/rig.h"

namespace corerig {

struct ScenarioArguments {
  std::string file;
  std::vector<Override> overrides;  // in the order of the command line
};

Result<Plan> ReadScenarioFile(const Rig& rig, const ScenarioArguments& arguments);

}  // namespace corerig
