// A process's memory, each page counted by how many processes share it.
#pragma once

#include <cstdint>
#include <string_view>

#include "harness/base/result.h"

namespace corerig {

// Bytes.
struct SmapsRollup {
  std::uint64_t rss = 0;     // resident
  std::uint64_t pss = 0;     // resident, each page divided by the number of processes that map it
  std::uint64_t uss = 0;     // resident and mapped by no other process: Private_Clean + Private_Dirty
  std::uint64_t shared = 0;  // resident and mapped by others too: Shared_Clean + Shared_Dirty
  std::uint64_t swap = 0;
};

// Parses /proc/PID/smaps_rollup (Linux 4.14; kernel: Documentation/ABI/testing/procfs-smaps_rollup): a line with the
// address range, then lines "Name:   N kB". Lines it does not know are passed over; one it needs and misses is an
// error.
Result<SmapsRollup> ParseSmapsRollup(std::string_view text);

}  // namespace corerig
