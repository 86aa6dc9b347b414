#include "tools/corerig/read_scenario.h"

#include <filesystem>

#include "harness/os/fd.h"
#include "harness/os/scheduling.h"

namespace corerig {

Result<Plan> ReadScenarioFile(const Rig& rig, const ScenarioArguments& arguments) {
  // Not a device or a pipe, which may never end.
  std::error_code ignored;
  if (std::filesystem::exists(arguments.file, ignored) && !std::filesystem::is_regular_file(arguments.file, ignored)) {
    return Fail(arguments.file, ":1:1: is no regular file; give the path of a scenario file");
  }
  const auto text = ReadFile(arguments.file);
  if (!text) return Fail(arguments.file, ":1:1: ", text.error().message, "; give the path of a scenario file");
  return ReadScenario(*text, arguments.file, arguments.overrides, VocabularyOf(rig), Board{.cores = AllowedCores()});
}

}  // namespace corerig
