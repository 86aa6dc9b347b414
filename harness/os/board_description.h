// Everything that is read about a board without trying anything out.
//
//   const BoardDescription board = DescribeBoard("");   // "": this board; else the root of a recorded tree
#pragma once

#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/os/cpu_cache.h"
#include "harness/os/cpu_frequency.h"
#include "harness/os/cpu_idle.h"
#include "harness/os/cpu_isolation.h"
#include "harness/os/kernel_settings.h"
#include "harness/os/preemption.h"
#include "harness/os/topology.h"
#include "harness/os/virtualization.h"

namespace corerig {

struct BoardDescription {
  BoardRecord record;        // model, machine, kernel, command line, memory; cores: those that are online
  std::string distribution;  // ID of /etc/os-release: "debian"; empty if unknown
  std::string boot_file;     // that holds the kernel's command line, as far as it is known; else empty
  Topology topology;
  std::vector<CpuCache> caches;
  CpuFrequencies frequencies;
  CpuIdle idle;
  CpuIsolation isolation;
  KernelSettings settings;
  Preemption preemption;
  Virtualization virtualization;

  std::vector<CpuId> cpus() const;  // online
};

BoardDescription DescribeBoard(const std::string& root);

}  // namespace corerig
