// Which CPUs are kept free of the scheduler's balancing, of the tick, of RCU's callbacks and of interrupts.
//
// Sources: Documentation/admin-guide/kernel-parameters.txt (isolcpus, nohz_full, rcu_nocbs),
// Documentation/core-api/irq.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/units.h"
#include "harness/os/board_tree.h"

namespace corerig {

struct CpuIsolation {
  // Absent: the kernel does not tell; nohz_full: it was built without CONFIG_NO_HZ_FULL.
  std::optional<std::vector<CpuId>> isolated, nohz_full, rcu_nocbs;
  std::optional<std::vector<CpuId>> irq_affinity;  // where new interrupts go: default_smp_affinity
};

CpuIsolation ReadIsolation(const BoardTree& board);

// The value of the last "key=value" (the kernel takes later ones over earlier ones) or "" of a bare "key"; values may
// be quoted. Nothing behind "--" counts: it is init's.
std::optional<std::string> CommandLineValue(std::string_view command_line, std::string_view key);

}  // namespace corerig
