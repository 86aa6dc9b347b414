// Settings of the running kernel that let figures scatter. Each is absent where this kernel does not have it.
//
// Sources: Documentation/admin-guide/sysctl/kernel.rst, Documentation/scheduler/sched-rt-group.rst,
// Documentation/admin-guide/mm/transhuge.rst, man 5 proc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/units.h"
#include "harness/os/board_tree.h"

namespace corerig {

struct KernelSettings {
  std::optional<std::pair<int, int>> version;  // 6, 12
  // Real-time tasks may run for `rt_runtime` of every `rt_period`; a negative runtime: always.
  std::optional<Nanos> rt_runtime, rt_period;
  std::optional<std::string> huge_pages;  // transparent ones: "always" "madvise" "never"
  std::optional<Bytes> swap;              // 0: there is none
  std::optional<bool> timer_migration;    // timers of an idle CPU go to a busy one
  std::optional<bool> numa_balancing;
  std::optional<bool> nmi_watchdog;  // takes one hardware counter
  std::optional<std::string> clock_source;
  std::vector<std::string> clock_sources;  // available
};

KernelSettings ReadKernelSettings(const BoardTree& board);

// "6.12.25-v8-rt" → 6, 12.
std::optional<std::pair<int, int>> ParseKernelVersion(std::string_view release);

// "always [madvise] never": the one in brackets.
std::optional<std::string> ParseChosen(std::string_view text);

}  // namespace corerig
