#include "tools/corerig/board_command.h"

#include <iostream>

#include "harness/os/scheduling.h"
#include "tools/corerig/board_text.h"

namespace corerig {

int BoardCommand(bool as_json) {
  BoardReport report;
  report.board = DescribeBoard("");
  report.allowed = AllowedCores();
  report.capabilities = TryCapabilities();
  report.advice = Advise(report.board, report.capabilities, report.allowed);
  std::cout << (as_json ? BoardJson(report) : BoardText(report));
  return 0;
}

}  // namespace corerig
