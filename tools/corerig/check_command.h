// `corerig check`.
#pragma once

#include "tools/corerig/read_scenario.h"

namespace corerig {

// Prints the plan as JSON, defaults filled in and placed on this board. Returns the exit status.
int CheckCommand(const Rig& rig, const ScenarioArguments& arguments);

}  // namespace corerig
