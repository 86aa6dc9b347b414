// How fast each CPU runs, and who decides. Layout: Documentation/admin-guide/pm/cpufreq.rst.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/base/units.h"
#include "harness/os/board_tree.h"

namespace corerig {

struct CpuFrequency {
  CpuId cpu;
  std::string driver, governor;         // "cppc_cpufreq", "schedutil"
  std::optional<Rate> current;          // what was last asked for; a hint on x86
  std::optional<Rate> lowest, highest;  // between which the governor chooses
  std::optional<Rate> hardware_lowest, hardware_highest;
};

struct CpuFrequencies {
  std::vector<CpuFrequency> cpus;  // those that have frequency scaling
  // The file that switches frequencies above the nominal one, and whether they are used now.
  struct Boost {
    std::string file;
    bool on = false;
    std::string off_value;  // what, written to the file, ends it
  };
  std::optional<Boost> boost;
};

CpuFrequencies ReadFrequencies(const BoardTree& board, const std::vector<CpuId>& cpus);

}  // namespace corerig
