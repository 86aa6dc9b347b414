#include "harness/measure/memory_reader.h"

namespace corerig {
namespace {

// Nothing if the process is gone, a zombie (Z) or about to be removed (X).
Result<std::optional<ProcessStat>> StatOfLiving(const ProcFs& procfs, pid_t pid) {
  const auto text = procfs.Read(pid, "stat");
  if (!text) return std::optional<ProcessStat>();
  const auto stat = ParseStat(*text);
  if (!stat) return ForwardWith(stat, procfs.path(pid, "stat"), ": ");
  if (stat->state == 'Z' || stat->state == 'X') return std::optional<ProcessStat>();
  return std::optional(*stat);
}

bool SameMemory(const ProcessStat& a, const ProcessStat& b) {
  return a.start_time == b.start_time && a.minor_faults == b.minor_faults && a.major_faults == b.major_faults &&
         a.rss_pages == b.rss_pages;
}

}  // namespace

Result<std::optional<MemoryReading>> MemoryReader::Read(pid_t pid) {
  // Before the memory: a fault in between makes the next reading a new one.
  const auto stat = StatOfLiving(procfs_, pid);
  if (!stat) return Forward(stat);
  if (!*stat) {
    earlier_.erase(pid);
    return std::nullopt;
  }
  if (const auto at = earlier_.find(pid); at != earlier_.end()) {
    Earlier& earlier = at->second;
    if (SameMemory(earlier.stat, **stat) && earlier.reuses++ < kMostReuses) return earlier.reading;
  }
  const auto reading = ReadMemory(procfs_, pid);
  if (!reading) {
    earlier_.erase(pid);
    const auto now = StatOfLiving(procfs_, pid);
    if (now && !*now) return std::nullopt;
    return Forward(reading);
  }
  earlier_[pid] = {.stat = **stat, .reading = *reading};
  return *reading;
}

}  // namespace corerig
