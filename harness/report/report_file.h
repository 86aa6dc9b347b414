// The folder of one run, and report.json in it: there is a whole one at any instant, or none yet.
#pragma once

#include <string>
#include <string_view>

#include "harness/base/result.h"

namespace corerig {

// Creates the folder, its parents too, and proves that a file can be written there. To be called before anything
// starts, so that no run is lost to a wrong path. The error is one line, "DIR: cause; what would be right".
Status PrepareFolder(const std::string& folder);

// Replaces folder/report.json in one step: written to a temporary file beside it, synced, renamed. If that fails (a
// full disk), the previous report stays as it was and no temporary file is left. One writer per folder.
Status WriteReport(const std::string& folder, std::string_view json);

}  // namespace corerig
