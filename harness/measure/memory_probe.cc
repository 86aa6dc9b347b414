#include "harness/measure/memory_probe.h"

#include "harness/os/fd.h"
#include "harness/os/smaps.h"

namespace corerig {

Result<MemoryReading> ReadMemory(const ProcFs& procfs, pid_t pid) {
  const auto text = procfs.Read(pid, "smaps_rollup");
  if (!text) return Forward(text);
  const auto rollup = ParseSmapsRollup(*text);
  if (!rollup) return ForwardWith(rollup, procfs.path(pid, "smaps_rollup"), ": ");
  MemoryReading reading{.rss = rollup->rss,
                        .pss = rollup->pss,
                        .uss = rollup->uss,
                        .shared = rollup->shared,
                        .swap = rollup->swap,
                        .page_tables = std::nullopt};
  if (const auto status_text = procfs.Read(pid, "status")) {
    if (const auto status = ParseStatus(*status_text)) reading.page_tables = status->page_tables;
  }
  return reading;
}

bool HasSwap(const ProcFs& procfs) {
  const auto text = ReadFile(procfs.root() + "/meminfo");
  const auto total = text ? ParseSwapTotal(*text) : Result<std::uint64_t>(Forward(text));
  return total && *total > 0;
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
