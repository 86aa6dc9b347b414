// What `corerig board` prints: for people as text of at most 100 columns, for programs as JSON (docs/board.md).
//
// Pure. Text of the board's (model, command line) is made printable.
#pragma once

#include <string>
#include <vector>

#include "harness/base/units.h"
#include "harness/measure/advice.h"
#include "harness/measure/capabilities.h"
#include "harness/os/board_description.h"

namespace corerig {

struct BoardReport {
  BoardDescription board;
  std::vector<CpuId> allowed;  // CPUs that this process may run on
  std::vector<Capability> capabilities;
  std::vector<Advice> advice;
};

std::string BoardText(const BoardReport& report);
std::string BoardJson(const BoardReport& report);

}  // namespace corerig
