// `corerig merge`.
#pragma once

#include <string>
#include <vector>

#include "harness/run/rig.h"

namespace corerig {

struct MergeArguments {
  std::vector<std::string> reports;  // files, or folders with a report.json
  std::string out;                   // folder; empty: nothing is written
};

// Prints the merged answers, and writes their report if a folder is named. Returns the exit status.
int MergeCommand(const Rig& rig, const MergeArguments& arguments);

}  // namespace corerig
