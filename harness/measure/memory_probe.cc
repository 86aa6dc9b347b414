#include "harness/measure/memory_probe.h"

#include "harness/os/fd.h"
#include "harness/os/smaps.h"

namespace corerig {

Result<MemoryReading> ReadMemory(const ProcFs& procfs, pid_t pid) {
  const auto text = procfs.Read(pid, "smaps_rollup");
  if (!text) return Forward(text);
  const auto rollup = ParseSmapsRollup(*text);
  if (!rollup) return ForwardWith(rollup, procfs.path(pid, "smaps_rollup"), ": ");
  return MemoryReading{.rss = rollup->rss, .pss = rollup->pss, .uss = rollup->uss};
}

// Documentation/filesystems/proc.rst: "To reset the peak resident set size ("high water mark") to the process's current
// value: > echo 5 > /proc/PID/clear_refs".
Status ResetPeak(const ProcFs& procfs, pid_t pid) { return WriteExisting(procfs.path(pid, "clear_refs"), "5"); }

std::optional<std::uint64_t> ReadPeak(const ProcFs& procfs, pid_t pid) {
  const auto text = procfs.Read(pid, "status");
  if (!text) return std::nullopt;
  const auto status = ParseStatus(*text);
  return status ? status->rss_peak : std::nullopt;
}

}  // namespace corerig
