// Whether this board is a virtual machine or a container, and how much time its host has taken from it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/units.h"
#include "harness/os/board_tree.h"

namespace corerig {

struct Virtualization {
  std::string hypervisor;      // "KVM", "VMware", …; "unknown" one; empty: no sign of one
  std::string container;       // "docker", "podman", …; empty: no sign of one
  bool sys_read_only = false;  // settings can only be changed outside of the container
  // Share of the time since boot that the host took from each CPU.
  std::vector<std::pair<CpuId, double>> steal;
};

// x86 has a flag in cpuinfo ("hypervisor"); Arm a node in the device tree; firmware (DMI) tells the maker.
Virtualization ReadVirtualization(const BoardTree& board);

}  // namespace corerig
