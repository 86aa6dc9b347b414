// What /proc says of processes and threads. Parsers take text, so that tests pass any; ProcFs{root} reads the files.
//
//   const ProcFs procfs;
//   auto text = procfs.Read(pid, StrCat("task/", tid, "/schedstat"));
//   if (!text) return Forward(text);
//   auto stat = ParseSchedStat(*text);
//
// Layouts: Documentation/filesystems/proc.rst of the kernel and proc(5), unless said otherwise.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/result.h"
#include "harness/base/units.h"

namespace corerig {

// Of one thread. /proc/PID/schedstat is the group leader's alone; the others are in /proc/PID/task/TID/schedstat.
struct SchedStat {
  Nanos run{0};                  // on a CPU
  Nanos wait{0};                 // runnable, on a run queue
  std::uint64_t timeslices = 0;  // times it was given a CPU
};

// schedstat: "run_ns wait_ns timeslices" (Documentation/scheduler/sched-stats.rst). Of a thread that runs on another
// CPU, `run` lags by up to a tick.
Result<SchedStat> ParseSchedStat(std::string_view text);

// A pid is given to another process some day; pid and start time together are not.
struct ProcessStat {
  char state = '?';  // "R" "S" "D" "T" "t" "Z" "X" "I"
  pid_t parent = 0;
  pid_t session = 0;
  std::uint64_t minor_faults = 0, major_faults = 0;  // /proc/PID/stat: of all threads, also those that ended
  // Of children that ended and were waited for, and of theirs; CPU time in clock ticks, user's and system's each cut.
  std::uint64_t children_minor_faults = 0, children_major_faults = 0, children_ticks = 0;
  std::uint64_t start_time = 0;  // clock ticks since boot
  std::uint64_t rss_pages = 0;   // since Linux 6.2 off by some pages per CPU; smaps_rollup is exact
  int processor = 0;             // the CPU it ran on last
};

// stat. The command's name may hold blanks and parentheses: fields are counted from behind the last ')'.
Result<ProcessStat> ParseStat(std::string_view text);

struct ProcessStatus {
  std::uint64_t voluntary = 0, involuntary = 0;  // context switches, of this thread
  // Bytes; absent in zombies and kernel threads, which have no memory. The peak is VmHWM.
  std::optional<std::uint64_t> rss_peak, rss;
  std::optional<std::uint64_t> swap;         // VmSwap: anonymous memory only
  std::optional<std::uint64_t> page_tables;  // VmPTE, and VmPMD where it stands apart (Linux 4.0 to 4.14)
};

Result<ProcessStatus> ParseStatus(std::string_view text);

// se.nr_migrations of /proc/PID/task/TID/sched; nothing if there is no such line.
std::optional<std::uint64_t> ParseMigrations(std::string_view sched);

// SwapTotal of /proc/meminfo, bytes.
Result<std::uint64_t> ParseSwapTotal(std::string_view meminfo);

// Seconds that the hypervisor took from each CPU, from /proc/stat; ticks_per_second is sysconf(_SC_CLK_TCK).
Result<std::vector<std::pair<CpuId, double>>> ParseSteal(std::string_view proc_stat, long ticks_per_second);

class ProcFs {
 public:
  // `root` is a recorded tree in tests.
  explicit ProcFs(std::string root = "/proc") : root_(std::move(root)) {}

  const std::string& root() const { return root_; }
  std::string path(pid_t pid, std::string_view file) const { return StrCat(root_, "/", pid, "/", file); }

  // The text of /proc/PID/FILE. Fails if the process is gone; some files also if it is a zombie.
  Result<std::string> Read(pid_t pid, std::string_view file) const;

  // Thread ids of a process, ascending; a zombie has its leader's.
  Result<std::vector<pid_t>> Threads(pid_t pid) const;

  // The children of all its threads, ended ones included (task/TID/children). While they come and go the list may miss
  // one. Fails if the process is gone or the kernel lacks the file (CONFIG_PROC_CHILDREN).
  Result<std::vector<pid_t>> Children(pid_t pid) const;

  // Every process, in no order.
  std::vector<pid_t> Processes() const;

 private:
  std::string root_;
};

}  // namespace corerig
