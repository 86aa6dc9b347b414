// An output folder is one run's at a time.
//
//   const auto held = HoldFolder(folder);  // to the end of the run
//   if (!held) ...                         // "DIR: another run writes there; ..."
#pragma once

#include <string>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

// The folder is held until the descriptor is closed, or the process is gone (flock(2)). Where it cannot be opened for
// reading, or the file system has no locks, the descriptor holds nothing, and that is no error.
Result<Fd> HoldFolder(const std::string& folder);

}  // namespace corerig
