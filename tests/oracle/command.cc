#include "tests/oracle/command.h"

#include <stdio.h>
#include <stdlib.h>

namespace corerig {

ProgramOutput OutputOf(const std::string& command) {
  ProgramOutput output;
  FILE* const pipe = popen(("{ " + command + "; } 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    output.error = "cannot start " + command;
    return output;
  }
  char* line = nullptr;
  std::size_t room = 0;
  for (ssize_t length; (length = getline(&line, &room, pipe)) > 0;) {
    if (line[length - 1] == '\n') --length;
    output.lines.emplace_back(line, static_cast<std::size_t>(length));
  }
  free(line);
  if (pclose(pipe) != 0) {
    output.error = command + " failed: " + (output.lines.empty() ? "" : output.lines.back());
  }
  return output;
}

}  // namespace corerig
