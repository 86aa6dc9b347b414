// The caches of a board and which CPUs share them. Layout: Documentation/ABI/testing/sysfs-devices-system-cpu.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/units.h"
#include "harness/os/board_tree.h"

namespace corerig {

struct CpuCache {
  int level = 0;
  std::string type;  // "Data" "Instruction" "Unified"
  std::optional<Bytes> size = {};
  std::optional<int> line = {};    // bytes
  std::vector<CpuId> shared = {};  // the CPUs that use it
};

// Each cache once, by level, type and first CPU. Empty where the kernel knows none (Arm without a device tree's
// cache nodes).
std::vector<CpuCache> ReadCaches(const BoardTree& board, const std::vector<CpuId>& cpus);

// "32K", "1024K": of the kernel's unit KiB.
std::optional<Bytes> ParseCacheSize(std::string_view text);

}  // namespace corerig
