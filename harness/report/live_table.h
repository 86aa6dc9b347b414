// The live state as text. Pure.
#pragma once

#include <string>
#include <vector>

#include "harness/base/live_state.h"

namespace corerig {

// One line for the phase, then a table each for streams, workers and cores; lines as long as they need to be.
std::vector<std::string> LiveTable(const LiveState& state);

// The same in one line, for a log.
std::string LiveLine(const LiveState& state);

}  // namespace corerig
