// The direct children of this process, ended ones included: also those it did not start but was given as a subreaper.
#pragma once

#include <sys/types.h>

#include <string_view>
#include <vector>

#include "harness/base/record.h"
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

// Waits for a child to end and frees its pid.
Result<EndRecord> ReapChild(pid_t child);

// How a child ended, by si_code and si_status of its siginfo_t (man 2 waitid).
EndRecord EndFrom(int wait_code, int wait_status);

// Kills and reaps everything below us. Only direct children are killed, whose pids nobody else can free and reuse;
// their own children become ours as they die (we are their subreaper) and are killed in the next round, until there are
// none.
void EndDescendants();

}  // namespace corerig
