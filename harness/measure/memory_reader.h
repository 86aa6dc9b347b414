// Memory of processes that are looked at again and again, read anew only where it can have grown.
//
//   MemoryReader reader(procfs);
//   auto memory = reader.Read(pid);          // every 250 ms
//
// smaps_rollup walks every page of a process (seen: 60 to 220 µs for the rig's own, of 2 to 7 MiB); stat is read in a
// tenth of that. What a process maps grows by page faults, which stat counts, beside its resident pages: with neither
// changed it has what it had. What shows in neither (others' mappings change its shares; a few pages given back) is
// seen kMostReuses readings later at most. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>

#include "harness/base/result.h"
#include "harness/measure/memory_probe.h"
#include "harness/os/procfs.h"

namespace corerig {

class MemoryReader {
 public:
  // Readings in a row that may be an earlier one's.
  static constexpr int kMostReuses = 3;

  explicit MemoryReader(ProcFs procfs) : procfs_(std::move(procfs)) {}

  // Nothing if the process has ended (a zombie has no memory either). An error means that it is alive and its memory
  // cannot be read.
  Result<std::optional<MemoryReading>> Read(pid_t pid);

 private:
  struct Earlier {
    ProcessStat stat;  // read before the memory
    MemoryReading reading;
    int reuses = 0;
  };

  ProcFs procfs_;
  std::map<pid_t, Earlier> earlier_;
};

}  // namespace corerig
