// How a board's CPUs belong together: packages, clusters, cores, SMT siblings, NUMA nodes; and of what kind each is.
//
//   for (const auto& cpu : ReadTopology(BoardTree()).cpus) ...
//
// Layout: Documentation/admin-guide/cputopology.rst and Documentation/ABI/stable/sysfs-devices-system-cpu.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/units.h"
#include "harness/os/board_tree.h"

namespace corerig {

struct CpuTopology {
  CpuId cpu;
  // Where the kernel knows them. Arm kernels before 5.19 number clusters as packages.
  std::optional<int> package = {}, core = {};
  std::vector<CpuId> cluster = {};   // CPUs of its cluster, itself among them; empty where there are no clusters
  std::vector<CpuId> siblings = {};  // hardware threads of its core, itself among them
  std::optional<int> node = {};      // NUMA
  std::optional<int> capacity = {};  // of 1024, the fastest CPU of the board; where CPUs differ
  std::string kind = "unknown";      // "Cortex-A76", or the model name
};

struct Topology {
  std::vector<CpuTopology> cpus;  // online, ascending
  std::vector<CpuId> offline;     // present, and switched off
  std::vector<int> nodes;         // NUMA nodes that have CPUs
  std::string smt = "unknown";    // "on" "off" "forceoff" "notsupported" "notimplemented"
  bool has_siblings() const;      // some core runs two threads now
};

Topology ReadTopology(const BoardTree& board);

// What /proc/cpuinfo says each CPU is. Arm tells numbers: names are those of Arm's Technical Reference Manuals
// (MIDR_EL1, PartNum), "implementer 0x51 part 0x804" for what is not in the table.
std::map<int, std::string> ParseCpuKinds(std::string_view cpuinfo);

}  // namespace corerig
