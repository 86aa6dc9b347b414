// Ends children of a run before their time.
#pragma once

#include <string>
#include <vector>

#include "harness/os/procfs.h"
#include "harness/run/supervised_child.h"

namespace corerig {

// Kills it, a command with all it started, and notes why and what to say of it; a child that is dead already, only not
// yet reaped, ended by itself. It has a process.
void KillFor(SupervisedChild& child, const ProcFs& procfs, SupervisedChild::Killed why, std::string detail);

// All that run.
void KillAll(std::vector<SupervisedChild>& children, const ProcFs& procfs, SupervisedChild::Killed why,
             const std::string& detail);

}  // namespace corerig
