// The kernel's records of our own tasks' switches (PERF_RECORD_SWITCH), which it gives to whom it gives no trace.
//
//   auto records = SwitchRecords::Start(parts, OnlineCpus(""), bytes_per_cpu);
//   (*records)->FollowProcess(procfs, pid, part);   // and what it starts from now on
//   (*records)->SetWindow(begin, end);
//   (*records)->Read();                      // now and then: ten times a second
//   SwitchesRecord figures = (*records)->Stop();
//
// One dummy event per task and CPU, all those of a CPU writing to one ring: the kernel hands on to what a task starts
// (inherit) only events of one CPU. From Linux 4.17 on (before, a record does not tell a preemption from a wait). One
// thread does it all.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/base/result.h"
#include "harness/measure/switch_fold.h"
#include "harness/os/perf_event.h"
#include "harness/os/procfs.h"

namespace corerig {

// What a record of the ring of `cpu` says, `parts` being those of the events by their ids; nothing for other records,
// and for one too short to be what it says it is.
std::optional<SwitchEvent> DecodeSwitchRecord(const perf_event_header& header, std::span<const std::byte> body, int cpu,
                                              const std::map<std::uint64_t, std::size_t>& parts);

class SwitchRecords {
 public:
  // The error says why the kernel gives none, and what would help.
  static Result<std::unique_ptr<SwitchRecords>> Start(const std::vector<std::string>& parts,
                                                      const std::vector<CpuId>& cpus, std::size_t bytes_per_cpu);

  // A task from now on, and what it starts. One that has ended is no failure.
  Status FollowThread(pid_t tid, std::size_t part);
  // Every thread it has. It should not be starting any just now: one that it starts while it is looked at may be
  // missed.
  Status FollowProcess(const ProcFs& procfs, pid_t pid, std::size_t part);
  void SetWindow(Nanos begin, Nanos end) { fold_.SetWindow(begin, end); }
  // Takes what the kernel has written; figures follow it by a few milliseconds.
  void Read();
  // The last look, at the end of all tasks. A second call gives the same.
  SwitchesRecord Stop();

  // Of one ring, as granted.
  std::size_t bytes_per_cpu() const { return bytes_per_cpu_; }

 private:
  struct Cpu {
    CpuId id;
    PerfEvent event;  // ours, on nothing; its ring is what the others write to
    PerfRing ring;
    Nanos latest{0};  // its last record
  };
  explicit SwitchRecords(const std::vector<std::string>& parts) : fold_(parts) {}
  void FoldUntil(Nanos horizon);

  std::vector<Cpu> cpus_;
  std::vector<PerfEvent> events_;
  std::map<std::uint64_t, std::size_t> part_of_event_;
  std::vector<SwitchEvent> pending_;  // not yet old enough to be in order
  SwitchFold fold_;
  std::uint64_t records_ = 0, lost_ = 0;
  std::size_t bytes_per_cpu_ = 0;
  Nanos last_look_{0};
  std::optional<SwitchesRecord> result_;  // after Stop
};

}  // namespace corerig
