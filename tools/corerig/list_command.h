// `corerig list`.
#pragma once

#include "harness/run/rig.h"

namespace corerig {

// Prints what scenarios of this rig may name, and every metric with unit and meaning. Returns the exit status.
int ListCommand(const Rig& rig);

}  // namespace corerig
