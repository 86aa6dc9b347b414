// The commands of a run, each with all that it started.
//
//   CommandTrees trees(children);
//   trees.Follow();               // a few times per second
//   trees.TellToEnd(plan, false); // the window is over
#pragma once

#include <optional>
#include <vector>

#include "harness/measure/memory_probe.h"
#include "harness/measure/process_tree.h"
#include "harness/plan/plan.h"
#include "harness/run/supervised_child.h"

namespace corerig {

// To every member that has not ended.
void SignalTree(ProcessTree& tree, int signal);

// The children outlive it; those that are no commands are passed over.
class CommandTrees {
 public:
  explicit CommandTrees(std::vector<SupervisedChild>& children) : children_(children) {}

  // What ended descendants did is known from the last look at them. Looking takes at most 1/200 of a core: a call that
  // comes too soon does nothing.
  void Follow();

  // SIGTERM to those that are to end with the window, with all they started; to every one if the run ends early.
  void TellToEnd(const Plan& plan, bool early);

  // The command whose process this is; nullptr if it is no command's.
  SupervisedChild* Find(pid_t pid);

 private:
  std::vector<SupervisedChild>& children_;
  Nanos next_{0};
};

}  // namespace corerig
