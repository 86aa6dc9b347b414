// Names of processes, programs and signals.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/base/result.h"
#include "harness/os/fd.h"

namespace corerig {

// A descriptor that stands for the process and becomes readable when it has ended.
Result<Fd> OpenPidfd(pid_t pid);

// Sends a signal to the process of this pid and start time, and never to another one that has its pid by now. False if
// it is gone or may not be signalled.
bool SignalProcess(pid_t pid, std::uint64_t start_time, int signal);

// When a process was started, in clock ticks since boot: field 22 of /proc/PID/stat (man 5 proc). With the pid, it
// names a process for good.
Result<std::uint64_t> StartTimeOf(pid_t pid);

// The same from the text of the file. The command's name (field 2) is in parentheses and may hold anything, also
// parentheses: the fields are counted from the last ')'.
Result<std::uint64_t> ParseStartTime(std::string_view stat);

// "SIGSEGV"; "SIGRTMIN+3" for a real-time signal.
std::string SignalText(int signal);

// The path of the running program.
std::string ProgramPath();

}  // namespace corerig
