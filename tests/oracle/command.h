// A program that is not ours, run by the shell, and what it said.
//
//   const ProgramOutput decoded = OutputOf("gpsdecode <" + file);
#pragma once

#include <string>
#include <vector>

namespace corerig {

struct ProgramOutput {
  std::vector<std::string> lines;  // of stdout, and of stderr unless the command sends it elsewhere
  std::string error;               // why it failed, its last line with it; empty if it did not
};

ProgramOutput OutputOf(const std::string& command);

}  // namespace corerig
