#include "harness/run/command_trees.h"

#include <signal.h>

#include "harness/os/clock.h"
#include "harness/os/process.h"

namespace corerig {
namespace {

constexpr int kPausePerCost = 200;

}  // namespace

void SignalTree(ProcessTree& tree, int signal) {
  for (const auto& member : tree.Look()) {
    if (!member.ended()) SignalProcess(member.pid, member.stat.start_time, signal);
  }
}

void CommandTrees::Follow() {
  const Nanos now = MonotonicNow();
  if (now < next_) return;
  const Nanos cost_before = ThreadCpuTime();
  for (auto& child : children_) {
    if (child.tree && child.running() && !child.ended_at) (void)child.tree->Read();
  }
  next_ = now + kPausePerCost * (ThreadCpuTime() - cost_before);
}

void CommandTrees::TellToEnd(const Plan& plan, bool early) {
  for (auto& child : children_) {
    if (!child.tree || !child.running() || child.ended_at) continue;
    if (plan.workers[child.launched.group].command->until_exit && !early) continue;
    const auto& members = child.tree->Look();
    // Ended already, only not yet seen: it did so by itself.
    if (members.empty() || members.front().pid != child.launched.process->pid || members.front().ended()) continue;
    child.told_to_end = MonotonicNow();
    SignalTree(*child.tree, SIGTERM);
  }
}

SupervisedChild* CommandTrees::Find(pid_t pid) {
  for (auto& child : children_) {
    if (child.tree && child.launched.process->pid == pid) return &child;
  }
  return nullptr;
}

}  // namespace corerig
