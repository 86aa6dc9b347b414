// A program that is not ours, run by the shell, and what it said.
//
//   const CommandOutput decoded = OutputOf("gpsdecode <" + file);
#pragma once

#include <string>
#include <vector>

namespace corerig {

struct CommandOutput {
  std::vector<std::string> lines;  // of stdout, and of stderr unless the command sends it elsewhere
  std::string error;               // why it failed, its last line with it; empty if it did not
};

CommandOutput OutputOf(const std::string& command);

}  // namespace corerig
