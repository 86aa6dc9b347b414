#include "tools/corerig/read_scenario.h"

#include "harness/os/fd.h"
#include "harness/os/scheduling.h"

namespace corerig {

Result<Plan> ReadScenarioFile(const Rig& rig, const ScenarioArguments& arguments) {
  const auto text = ReadFile(arguments.file);
  if (!text) return Fail(arguments.file, ":1:1: ", text.error().message, "; give the path of a scenario file");
  return ReadScenario(*text, arguments.file, arguments.overrides, VocabularyOf(rig), Board{.cores = AllowedCores()});
}

}  // namespace corerig
