#include "tools/corerig/check_command.h"

#include <iostream>

#include "harness/plan/plan_json.h"
#include "harness/run/address_space.h"
#include "harness/run/resolution.h"
#include "tools/corerig/rig_main.h"

namespace corerig {

int CheckCommand(const Rig& rig, const ScenarioArguments& arguments) {
  const auto plan = ReadScenarioFile(rig, arguments);
  if (!plan) {
    std::cerr << plan.error().message << "\n";
    return kWrongUse;
  }
  // As `run` would refuse it on this board.
  auto possible = CheckResolution(*plan, MeasureBoard());
  if (possible) possible = CheckAddressSpaces(*plan, LeastAddressSpace());
  if (!possible) {
    std::cerr << "corerig: " << arguments.file << ": " << possible.error().message << "\n";
    return kWrongUse;
  }
  std::cout << ScenarioToJson(*plan) << "\n";
  return 0;
}

}  // namespace corerig
