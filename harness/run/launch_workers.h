// Launches the workers of a plan, each group in its model of running.
#pragma once

#include <vector>

#include "harness/run/launcher.h"
#include "harness/run/rig.h"

namespace corerig {

// Adds them to `children`. An error is ours or the system's; a worker that cannot be started is in the list with its
// failure. A group that is forked has its input loaded before this returns.
Status LaunchWorkers(const Plan& plan, const Rig& rig, Launcher& launcher, std::vector<LaunchedChild>& children);

}  // namespace corerig
