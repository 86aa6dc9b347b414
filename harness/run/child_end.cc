#include "harness/run/child_end.h"

#include <signal.h>

#include <string>
#include <utility>

#include "harness/base/quantity.h"
#include "harness/base/text.h"

namespace corerig {
namespace {

// "64.0 MiB limit, peak 63.9 MiB (cgroup)"
std::string MemoryDetail(const Plan& plan, const SupervisedChild& child) {
  const MemoryGroupReading& group = *child.memory_group;
  const Bytes limit = *plan.workers[child.launched.group].memory;
  std::string detail = StrCat(FormatSize(static_cast<double>(limit.count)), " limit");
  if (group.peak) detail += StrCat(", peak ", FormatSize(static_cast<double>(*group.peak)));
  // If it did not meet its own limit, that of another group or of the whole board was met.
  return detail + (group.limit_met ? " (cgroup)" : " (cgroup), which it did not meet: the board ran out of memory");
}

EndRecord EndOfCommand(const Plan& plan, const SupervisedChild& child, EndRecord end, bool early) {
  const bool succeeded = end.kind == EndRecord::Kind::kExited && end.number == 0;
  if (child.told_to_end) {
    // Shells, and programs that catch the signal in their manner, exit with 128 + its number.
    const bool told = end.kind == EndRecord::Kind::kExited ? end.number == 128 + SIGTERM : end.number == SIGTERM;
    end.as_planned = succeeded || told;
    return end;
  }
  end.as_planned = succeeded && (early || plan.workers[child.launched.group].command->until_exit);
  if (succeeded && !end.as_planned) {
    end.detail = "before the window's end; write until = \"exit\" for a program that ends by itself";
  }
  return end;
}

EndRecord EndOfProcess(const Plan& plan, const SupervisedChild& child, const EndRecord& seen, bool early) {
  EndRecord end = seen;
  const std::string error = child.header().error.Read();
  // It comes from our own code, whose place the command did not take.
  if (child.tree && !error.empty()) {
    return {.kind = EndRecord::Kind::kFailedToStart, .number = 0, .detail = error, .as_planned = false};
  }
  // It may have ended by itself before our signal came.
  const bool by_us = end.kind == EndRecord::Kind::kSignalled && end.number == SIGKILL;
  if (by_us && child.killed == SupervisedChild::Killed::kTimeLimit) {
    end.kind = EndRecord::Kind::kTimedOut;
    end.detail = child.killed_detail;
    return end;
  }
  if (by_us && child.killed == SupervisedChild::Killed::kMemory) {
    end.kind = EndRecord::Kind::kKilledForMemory;
    end.detail = child.killed_detail;
    return end;
  }
  // The kernel's signal is the same as anybody's; its account tells them apart.
  const std::uint64_t oom_kills = child.memory_group ? child.memory_group->oom_kills.value_or(0) : 0;
  if (by_us && child.killed == SupervisedChild::Killed::kNo && oom_kills > 0) {
    end.kind = EndRecord::Kind::kKilledForMemory;
    end.detail = MemoryDetail(plan, child);
    return end;
  }
  if (by_us && child.killed == SupervisedChild::Killed::kInterrupted) {
    end.detail = child.killed_detail;
    end.as_planned = early;
    return end;
  }
  if (child.tree) return EndOfCommand(plan, child, std::move(end), early);
  if (!error.empty()) end.detail = error;
  if (end.kind != EndRecord::Kind::kExited || end.number != 0) return end;
  end.as_planned = true;
  if (child.launched.role != Role::kWorker || early) return end;
  const WorkerJob job = JobOf(plan.workers[child.launched.group], child.launched.index, plan.seed, plan.shard);
  const std::uint64_t done = child.progress().units;
  if (job.units && done < job.UnitsOfWorker()) {
    end.as_planned = false;
    end.detail = StrCat("after ", done, " of ", job.UnitsOfWorker(), " units");
  } else if (!child.result().Read(child.launched.result_capacity)) {
    end.as_planned = false;
    end.detail = "without a result";
  }
  return end;
}

}  // namespace

EndRecord EndOf(const Plan& plan, const SupervisedChild& child, const EndRecord& seen, bool early) {
  EndRecord end = EndOfProcess(plan, child, seen, early);
  const std::uint64_t oom_kills = child.memory_group ? child.memory_group->oom_kills.value_or(0) : 0;
  // Not itself, as far as can be told, but one that it started.
  if (oom_kills > 0 && end.kind != EndRecord::Kind::kKilledForMemory) {
    end.detail += StrCat(end.detail.empty() ? "" : "; ", "with ", oom_kills,
                         " of its processes killed for memory: ", MemoryDetail(plan, child));
  }
  return end;
}

}  // namespace corerig
