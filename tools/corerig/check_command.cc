#include "tools/corerig/check_command.h"

#include <iostream>

#include "harness/plan/plan_json.h"
#include "harness/run/run.h"
#include "tools/corerig/rig_main.h"

namespace corerig {

int CheckCommand(const Rig& rig, const ScenarioArguments& arguments) {
  const auto plan = ReadScenarioFile(rig, arguments);
  if (!plan) {
    std::cerr << plan.error().message << "\n";
    return kWrongUse;
  }
  if (const auto possible = CheckHere(*plan); !possible) {
    std::cerr << "corerig: " << arguments.file << ": " << possible.error().message << "\n";
    return kWrongUse;
  }
  std::cout << ScenarioToJson(*plan) << "\n";
  return 0;
}

}  // namespace corerig
