// The direct children of this process, ended ones included: also those it did not start but was given as a subreaper.
#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "harness/base/result.h"

namespace corerig {

// For a single-threaded process. While children come and go the list may miss one: ask again.
std::vector<pid_t> Children();

// The two sources of Children(). /proc/self/task/TID/children costs little (man 5 proc; needs CONFIG_PROC_CHILDREN);
// looking for our pid as parent in every /proc/PID/stat works everywhere.
Result<std::vector<pid_t>> ListedChildren();
std::vector<pid_t> ScannedChildren();

// The parent's pid from the text of /proc/PID/stat: field 4.
Result<pid_t> ParseParent(std::string_view stat);

}  // namespace corerig
