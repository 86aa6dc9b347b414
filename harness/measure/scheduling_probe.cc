#include "harness/measure/scheduling_probe.h"

#include <algorithm>
#include <string>

#include "harness/base/text.h"
#include "harness/os/clock.h"

namespace corerig {
namespace {

// What a thread did, without its faults.
Result<SchedulingReading> ReadSwitches(const ProcFs& procfs, pid_t pid, const std::string& task) {
  // Before schedstat: a thread that was switched has had a timeslice by then.
  const auto status_text = procfs.Read(pid, task + "status");
  if (!status_text) return Forward(status_text);
  const auto status = ParseStatus(*status_text);
  if (!status) return ForwardWith(status, procfs.path(pid, task), ": ");

  const auto schedstat_text = procfs.Read(pid, task + "schedstat");
  if (!schedstat_text) return ForwardWith(schedstat_text, "(does the kernel have CONFIG_SCHED_INFO?) ");
  const auto schedstat = ParseSchedStat(*schedstat_text);
  if (!schedstat) return ForwardWith(schedstat, procfs.path(pid, task), ": ");
  // A kernel with the code but without the accounting prints zeros (fs/proc/base.c, proc_pid_schedstat).
  if (schedstat->timeslices == 0 && status->voluntary + status->involuntary > 0)
    return Fail(procfs.path(pid, task + "schedstat"),
                " counts nothing; boot with \"delayacct\", or use a kernel with CONFIG_SCHEDSTATS");

  const auto sched = procfs.Read(pid, task + "sched");  // absent without CONFIG_SCHED_DEBUG
  return SchedulingReading{.run = schedstat->run,
                           .wait = schedstat->wait,
                           .timeslices = schedstat->timeslices,
                           .voluntary = status->voluntary,
                           .involuntary = status->involuntary,
                           .migrations = sched ? ParseMigrations(*sched) : std::nullopt};
}

Status ReadFaults(const ProcFs& procfs, pid_t pid, const std::string& task, SchedulingReading& reading) {
  const auto text = procfs.Read(pid, task + "stat");
  if (!text) return Forward(text);
  const auto stat = ParseStat(*text);
  if (!stat) return ForwardWith(stat, procfs.path(pid, task), ": ");
  reading.minor_faults = stat->minor_faults;
  reading.major_faults = stat->major_faults;
  return {};
}

std::string TaskDirectory(pid_t tid) { return StrCat("task/", tid, "/"); }

}  // namespace

Result<SchedulingReading> ReadThread(const ProcFs& procfs, pid_t pid, pid_t tid) {
  const Nanos at = MonotonicNow();
  auto reading = ReadSwitches(procfs, pid, TaskDirectory(tid));
  if (!reading) return reading;
  if (const auto faults = ReadFaults(procfs, pid, TaskDirectory(tid), *reading); !faults) return Forward(faults);
  reading->at = at;
  return reading;
}

Result<SchedulingReading> ReadProcess(const ProcFs& procfs, pid_t pid) {
  SchedulingReading sum = {.at = MonotonicNow(), .migrations = 0};
  const auto threads = procfs.Threads(pid);
  if (!threads) return Forward(threads);
  std::size_t read = 0;
  for (const pid_t tid : *threads) {
    const auto thread = ReadSwitches(procfs, pid, TaskDirectory(tid));
    if (!thread) {
      if (procfs.Read(pid, TaskDirectory(tid) + "stat")) return Forward(thread);
      continue;  // it ended after it was listed
    }
    ++read;
    sum.run += thread->run;
    sum.wait += thread->wait;
    sum.timeslices += thread->timeslices;
    sum.voluntary += thread->voluntary;
    sum.involuntary += thread->involuntary;
    if (sum.migrations && thread->migrations) {
      *sum.migrations += *thread->migrations;
    } else {
      sum.migrations.reset();
    }
  }
  if (read == 0) return Fail(procfs.path(pid, "task"), ": the process ended while it was read");
  // schedstat leaves out what a thread ran since the last tick or switch, and what threads ran that have ended. The
  // process's clock does not; it is of the kernel that runs here, and not of a recorded tree.
  if (procfs.root() == "/proc") sum.run = std::max(sum.run, ProcessCpuTime(pid).value_or(Nanos(0)));
  if (const auto faults = ReadFaults(procfs, pid, "", sum); !faults) return Forward(faults);
  return sum;
}

SchedulingRecord Difference(const SchedulingReading& before, const SchedulingReading& after) {
  const auto grown = [](auto from, auto to) { return to > from ? to - from : decltype(to)(0); };
  SchedulingRecord record = {.run = grown(before.run, after.run),
                             .wait = grown(before.wait, after.wait),
                             .timeslices = grown(before.timeslices, after.timeslices),
                             .voluntary = grown(before.voluntary, after.voluntary),
                             .involuntary = grown(before.involuntary, after.involuntary),
                             .migrations = std::nullopt,
                             .minor_faults = grown(before.minor_faults, after.minor_faults),
                             .major_faults = grown(before.major_faults, after.major_faults),
                             .observed = grown(before.at, after.at)};
  if (before.migrations && after.migrations) record.migrations = grown(*before.migrations, *after.migrations);
  return record;
}

}  // namespace corerig
