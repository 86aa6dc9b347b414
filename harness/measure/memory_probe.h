// What memory a process occupies now, and the most it had.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "harness/base/result.h"
#include "harness/os/procfs.h"

namespace corerig {

// In bytes. RSS: all resident pages. PSS: each page divided by the number of processes that map it, so the sum over
// processes counts every page once. USS: pages that this process alone maps, which its end would free; shared are the
// others.
struct MemoryReading {
  std::uint64_t rss = 0, pss = 0, uss = 0, shared = 0;
  std::uint64_t swap = 0;  // swapped out; where there is no swap, always 0
  std::optional<std::uint64_t> page_tables =
      {};  // the kernel's, for this process; absent in a kernel that does not tell
};

// From smaps_rollup and status. The first walks every page table of the process: 22 ms for 2 GiB. Fails for a zombie:
// its memory is gone.
Result<MemoryReading> ReadMemory(const ProcFs& procfs, pid_t pid);

// Whether the board has swap: without any, 0 swapped out says nothing.
bool HasSwap(const ProcFs& procfs);

// Lowers the peak to what is resident now (clear_refs 5).
Status ResetPeak(const ProcFs& procfs, pid_t pid);

// The largest RSS since the start or the last reset, in bytes (VmHWM); nothing for a zombie.
std::optional<std::uint64_t> ReadPeak(const ProcFs& procfs, pid_t pid);

}  // namespace corerig
