#include "harness/run/child_kill.h"

#include <signal.h>

#include <utility>

#include "harness/run/command_trees.h"

namespace corerig {

void KillFor(SupervisedChild& child, const ProcFs& procfs, SupervisedChild::Killed why, std::string detail) {
  const auto stat = procfs.Read(child.launched.process->pid, "stat");
  const auto parsed = stat ? ParseStat(*stat) : Result<ProcessStat>(Forward(stat));
  if (child.tree) SignalTree(*child.tree, SIGKILL);
  if (parsed && parsed->state == 'Z') return;
  if (parsed && parsed->state == 'T') detail += " (stopped)";
  child.killed = why;
  child.killed_detail = std::move(detail);
  // If the signal does not get there the child is gone, which its pidfd will tell.
  (void)Keeper::Kill(*child.launched.process, SIGKILL);
}

void KillAll(std::vector<SupervisedChild>& children, const ProcFs& procfs, SupervisedChild::Killed why,
             const std::string& detail) {
  for (auto& child : children) {
    if (child.running() && !child.is_thread()) KillFor(child, procfs, why, detail);
  }
}

}  // namespace corerig
