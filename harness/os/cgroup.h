// A control group of the kernel for the memory of one child: its limit, the most it had, and whether it was killed.
//
//   auto groups = MemoryGroups::Find();             // where this process may make some, tried out
//   auto group = groups->Make(0, Bytes{64 << 20});
//   ... the child writes "0" to group->procs() before exec ...
//   const MemoryGroupReading seen = group->Read();  // also after its end
//
// Both versions of the kernel's interface are known: cgroup v2 (Documentation/admin-guide/cgroup-v2.rst) and v1
// (Documentation/admin-guide/cgroup-v1/memory.rst). What counts against the limit is all that the kernel charges to the
// group: anonymous memory, page cache first touched by it, page tables and other kernel memory; none of it can be
// swapped out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/base/units.h"
#include "harness/os/fd.h"

namespace corerig {

enum class CgroupVersion { kV1, kV2 };

// Where a process stands in the hierarchy that has the memory controller.
struct CgroupPlace {
  CgroupVersion version = CgroupVersion::kV2;
  std::string mount_point;  // of the hierarchy
  std::string path;         // of the process's group below it: "", "/user.slice/session-1.scope"
  bool operator==(const CgroupPlace&) const = default;
};

// From the texts of /proc/self/cgroup (man 7 cgroups) and /proc/self/mountinfo (man 5 proc). Fails where no hierarchy
// with the memory controller is mounted, or where the group lies outside of what is mounted.
Result<CgroupPlace> ParseCgroupPlace(std::string_view cgroup, std::string_view mountinfo);

// The number of the line "key N", as in memory.events and memory.oom_control.
Result<std::uint64_t> ParseKeyedCount(std::string_view text, std::string_view key);

struct MemoryGroupReading {
  std::optional<std::uint64_t> peak;       // bytes; v2 has it from Linux 5.19 on
  std::optional<std::uint64_t> oom_kills;  // processes of the group that the kernel killed for want of memory
  bool limit_met = false;                  // the limit was run into, whether or not reclaiming helped
};

// Removes a group's directory; waits up to a second for its last processes to be gone. No group of that name is fine.
Status RemoveGroup(const std::string& directory);

// One group. Its directory is removed with the object; by then its processes have ended.
class MemoryGroup {
 public:
  MemoryGroup(MemoryGroup&&) noexcept = default;
  MemoryGroup& operator=(MemoryGroup&& other) noexcept;
  ~MemoryGroup();

  const std::string& directory() const { return directory_; }
  // cgroup.procs, open for writing: who writes "0" to it becomes a member, and what it starts from then on.
  int procs() const { return procs_.get(); }
  MemoryGroupReading Read() const;

 private:
  friend class MemoryGroups;
  MemoryGroup() = default;

  CgroupVersion version_ = CgroupVersion::kV2;
  std::string directory_;
  Fd procs_;
};

class MemoryGroups {
 public:
  // The group that this process is in (v1), or the nearest one from there up that hands the memory controller down to
  // its children (v2: those hold no processes, so it is rarely our own), and in which a trial group could be made and
  // joined. Groups left there by a process of ours that no longer lives are removed. The error says what is missing.
  // `root` is a recorded tree in tests.
  static Result<MemoryGroups> Find(const std::string& root = "");

  // A group "corerig-PID-START-number" (START: when this process was started, see procfs) with a limit. One left over
  // from before is taken over.
  Result<MemoryGroup> Make(int number, Bytes limit) const;

  CgroupVersion version() const { return version_; }
  const std::string& directory() const { return directory_; }

 private:
  MemoryGroups(CgroupVersion version, std::string directory, std::uint64_t start_time)
      : version_(version), directory_(std::move(directory)), start_time_(start_time) {}
  void RemoveLeftovers() const;

  CgroupVersion version_;
  std::string directory_;
  std::uint64_t start_time_;
};

}  // namespace corerig
