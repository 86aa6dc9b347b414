// The states an idle CPU sleeps in, and how long it takes to wake from each. Layout:
// Documentation/admin-guide/pm/cpuidle.rst.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/units.h"
#include "harness/os/board_tree.h"

namespace corerig {

struct CpuIdleState {
  int number = 0;
  std::string name;
  std::optional<Nanos> exit_latency, residency;    // to leave it; the least stay that saves energy
  std::vector<CpuId> enabled = {}, disabled = {};  // CPUs that have it
};

struct CpuIdle {
  std::string driver = "unknown", governor = "unknown";  // driver "none": CPUs idle in the architecture's way alone
  std::vector<CpuIdleState> states;  // of CPUs that have the same ones together; by first CPU, then number
};

CpuIdle ReadIdle(const BoardTree& board, const std::vector<CpuId>& cpus);

}  // namespace corerig
