// What to change on a board so that its figures hold still, each with its reason and the command that does it.
//
//   for (const auto& advice : Advise(DescribeBoard(""), TryCapabilities(), AllowedCores())) ...
//
// Pure: only what applies to this board, the most effective first. Commands are for a root shell; those of the kernel's
// command line take effect at the next boot.
#pragma once

#include <string>
#include <vector>

#include "harness/base/units.h"
#include "harness/measure/capabilities.h"
#include "harness/os/board_description.h"

namespace corerig {

struct Advice {
  std::string what;     // "the governor of CPUs 0-3 is ondemand"
  std::string why;      // what it does to figures
  std::string command;  // one line
};

// `allowed`: the CPUs that this process may run on.
std::vector<Advice> Advise(const BoardDescription& board, const std::vector<Capability>& capabilities,
                           const std::vector<CpuId>& allowed);

}  // namespace corerig
