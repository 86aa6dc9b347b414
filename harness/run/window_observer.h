// Readings of every task of a run at the two ends of the window.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/record.h"
#include "harness/measure/counters.h"
#include "harness/os/procfs.h"
#include "harness/os/taskstats.h"
#include "harness/plan/plan.h"
#include "harness/run/supervised_child.h"

namespace corerig {

class WindowObserver {
 public:
  WindowObserver(const Plan& plan, const ProcFs& procfs, pid_t keeper);

  // Has the kernel count what the workers and the loops do; before they start.
  void StartCounting(std::vector<SupervisedChild>& children, Counters::Which which);
  // Reads everything that runs; the memory peaks of the kernel start anew. Of who sleeps until `begin`, what is read
  // before it holds for it.
  void Open(std::vector<SupervisedChild>& children, Nanos begin);
  // As if it had not been opened: it is over before it has begun.
  void Cancel(std::vector<SupervisedChild>& children);
  // Reads it again. A child that has ended keeps what was read at its end.
  void Close(std::vector<SupervisedChild>& children);
  // The last reading of a child that ended (a zombie, not yet reaped) while the window was open.
  void ReadEnded(SupervisedChild& child) const;

  // Why copy-on-write faults are not known; empty if they are.
  const std::string& cow_absent() const { return cow_absent_; }

  bool open() const { return opened_ && !closed_; }
  bool opened() const { return opened_; }

  // Of the threads of the loops, in the plan's order.
  const std::vector<WindowReadings>& loops() const { return loops_; }
  CountersRecord CountersOfLoop(std::size_t index) const;
  // Fills in what was read of the rig itself: the CPU time of supervisor and keeper, the rest of the supervisor.
  void AddRig(ProcessRecord& rig) const;
  // Share of the window that the hypervisor took from a core.
  std::optional<double> StealOf(int cpu) const;

 private:
  using StealSeconds = std::map<int, double>;
  void ReadCounters(std::vector<SupervisedChild>& children, CountersReading WindowCounters::*end);
  void ReadLoops(const std::vector<SupervisedChild>& children, std::optional<SchedulingReading> WindowReadings::*end);
  StealSeconds ReadSteal() const;
  std::optional<std::uint64_t> ReadCow(pid_t pid) const;
  SchedulingRecord RigScheduling() const;

  const Plan& plan_;
  const ProcFs& procfs_;
  pid_t self_;
  pid_t keeper_;
  bool opened_ = false, closed_ = false;
  std::vector<WindowReadings> loops_;
  std::vector<std::optional<WindowCounters>> loop_counters_;
  std::optional<TaskStats> task_stats_;
  std::string cow_absent_;
  WindowReadings supervisor_readings_, keeper_readings_;
  std::optional<std::uint64_t> rig_peak_;
  StealSeconds steal_before_, steal_after_;
  Nanos opened_at_{0}, closed_at_{0};
};

}  // namespace corerig
